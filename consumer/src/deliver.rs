//! Deliver: one batch of one lane, until every record of it has met its fate.
//!
//! In: a closed batch. Out: finished offsets for the commit ledger.
//! Never: starts a second call for its lane, gives up a record that could still be delivered, or finishes one before its
//! verdict or the acknowledgement of its dead letter.

/// What a delivery may use, and how it is told to stop.
mod ports;
/// The letters of records that cannot be delivered.
mod letters;

use crate::batch::Batch;
use crate::condition::Part;
use crate::dead_letter::{DeadLetter, DeadLetters};
use crate::event::Command;
use crate::invoke::{InvokeFailure, Invoker};
use crate::policy::Move;
use crate::times::{Moment, Times};
use domain::contract::{Judgement, OpenBatch, judge};
use domain::failure::FailureClass;
use domain::offset::Offset;
use letters::Origin;
pub use ports::{Ports, Stop, Stopper};
use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

/// Records that are sent together, and how often they were.
struct Piece {
    records: OpenBatch,
    attempts: u32,
    /// Failures in a row; a verdict ends the row.
    failures: u32,
}

/// The delivery was told to stop; what is not finished will be read again.
struct Stopped;

/// One batch on its way. Pieces are worked off from the front, so that order holds through splits and retries.
struct Delivery<'a, I, D> {
    origin: Origin,
    /// Until the first call begins.
    uncalled: Option<Times>,
    ports: &'a Ports<I, D>,
    stop: Stop,
    work: VecDeque<Piece>,
}

/// Works off `batch`. Comes back when everything is finished, or soon after it was told to stop: a call that is under way is waited
/// for, nothing new is begun.
pub async fn deliver<I: Invoker, D: DeadLetters>(batch: Batch, ports: &Ports<I, D>, stop: Stop) {
    let unfit = letters::of_unfit(batch.unfit);
    let (held, times) = (batch.lane.held, batch.times);
    let origin = Origin { held: held.clone(), kept: batch.kept };
    let mut delivery = Delivery { origin, uncalled: Some(times), ports, stop, work: VecDeque::new() };
    if !batch.records.is_empty() {
        delivery.work.push_back(Piece { records: batch.records, attempts: 0, failures: 0 });
    }
    if delivery.set_aside(unfit).await.is_break() {
        return;
    }
    while let Some(piece) = delivery.work.pop_front() {
        if delivery.step(piece).await.is_break() {
            return;
        }
    }
    ports.meters.stages.finished(&held, times, ports.clock.now());
}

impl<I: Invoker, D: DeadLetters> Delivery<'_, I, D> {
    /// One call for one piece, and what follows from its answer.
    async fn step(&mut self, mut piece: Piece) -> ControlFlow<Stopped> {
        piece.attempts += 1;
        match self.call(&piece).await? {
            Ok(judgement) => self.settle(piece, judgement).await,
            Err(failure) => self.fail(piece, failure).await,
        }
    }

    async fn call(&mut self, piece: &Piece) -> ControlFlow<Stopped, Result<Judgement, InvokeFailure>> {
        let ports = self.ports;
        let permit = tokio::select! {
            biased;
            () = self.stop.wanted() => return Break(Stopped),
            permit = ports.gate.acquire() => permit,
        };
        // The gate is never closed; without it there would be nothing to wait for.
        let _permit = permit.ok();
        if let Some(times) = self.uncalled.take() {
            ports.meters.stages.called(&times, Moment::read(&ports.clock));
        }
        let _in_flight = ports.meters.call_begins();
        let begun = ports.clock.now();
        let answer = ports.invoker.invoke(&ports.function, piece.records.request(piece.attempts, None)).await;
        ports.meters.call_took(ports.clock.now().saturating_sub(begun));
        Continue(match answer {
            Ok(response) => judge(&piece.records, &response).map_err(|malformed| {
                ports.meters.calls_malformed.add(1);
                InvokeFailure::new(FailureClass::Transient, malformed.to_string())
            }),
            Err(failure) => {
                ports.meters.call_failed(failure.class);
                Err(failure)
            }
        })
    }

    /// Every record has its verdict: finish, set aside, or try again before anything else of the lane.
    async fn settle(&mut self, piece: Piece, judgement: Judgement) -> ControlFlow<Stopped> {
        self.ports.count(&judgement);
        self.ports.condition.clear(Part::Function);
        let listed = judgement.rejected.iter().chain(&judgement.retry);
        let open: HashSet<Offset> = listed.map(|listed| listed.offset).collect();
        self.finished(piece.records.offsets().filter(|offset| !open.contains(offset)).collect());
        let again =
            piece.records.part(judgement.retry.iter().filter_map(|listed| piece.records.position(listed.offset)));
        let letters = self.origin.rejected(&piece.records, judgement.rejected, piece.attempts);
        self.set_aside(letters).await?;
        if again.is_empty() {
            return Continue(());
        }
        let wait = self.ports.pace.wait(piece.attempts, (self.ports.unit)());
        tracing::warn!(partition = %self.origin.held.at, records = again.len(), attempt = piece.attempts, wait_ms = millis(wait), "records must come again");
        self.work.push_front(Piece { records: again, attempts: piece.attempts, failures: 0 });
        self.wait(wait).await
    }

    async fn fail(&mut self, mut piece: Piece, failure: InvokeFailure) -> ControlFlow<Stopped> {
        piece.failures += 1;
        let next = self.ports.pace.after(&failure, piece.failures, piece.records.len(), (self.ports.unit)());
        self.tell(&piece, &failure, next);
        match next {
            Move::Again(wait) | Move::Alarm(wait) => {
                self.work.push_front(piece);
                self.wait(wait).await
            }
            Move::Split => {
                self.split(piece);
                Continue(())
            }
            Move::SetAside => {
                let letters = self.origin.too_large(&piece.records, &failure, piece.attempts);
                self.set_aside(letters).await
            }
        }
    }

    fn split(&mut self, piece: Piece) {
        let halves = piece.records.split();
        // Policy splits only what has two records.
        let Some((first, second)) = halves else { return self.work.push_front(piece) };
        for records in [second, first] {
            self.work.push_front(Piece { records, attempts: piece.attempts, failures: 0 });
        }
    }

    /// Dead letters: a record is finished when Kafka has acknowledged its letter. Until then the lane waits.
    async fn set_aside(&mut self, mut letters: Vec<DeadLetter>) -> ControlFlow<Stopped> {
        let mut failures = 0;
        while !letters.is_empty() {
            let mut offsets: Vec<Offset> = letters.iter().map(|letter| letter.record.offset).collect();
            let refused = self.ports.dead_letters.send(letters).await.err();
            letters = refused.as_ref().map(|refused| refused.letters.clone()).unwrap_or_default();
            offsets.retain(|offset| !letters.iter().any(|letter| letter.record.offset == *offset));
            self.ports.meters.dead_lettered.add(offsets.len() as u64);
            self.finished(offsets);
            let Some(refused) = refused else {
                self.ports.condition.clear(Part::DeadLetters);
                break;
            };
            failures += 1;
            self.ports.meters.dead_letter_failures.add(letters.len() as u64);
            let wait = self.ports.pace.wait(failures, (self.ports.unit)());
            let why = format!("dead letters of {} are not acknowledged: {}", self.origin.held.at, refused.detail);
            tracing::error!(partition = %self.origin.held.at, records = letters.len(), class = %refused.class, wait_ms = millis(wait), "{why}");
            self.ports.condition.complain(Part::DeadLetters, why);
            self.wait(wait).await?;
        }
        Continue(())
    }

    fn finished(&self, offsets: Vec<Offset>) {
        if !offsets.is_empty() {
            self.ports.tell(Command::Finished { held: self.origin.held.clone(), offsets });
        }
    }

    async fn wait(&mut self, span: Duration) -> ControlFlow<Stopped> {
        tokio::select! {
            biased;
            () = self.stop.wanted() => Break(Stopped),
            () = tokio::time::sleep(span) => Continue(()),
        }
    }

    /// The first failure is worth a line, and then fewer and fewer.
    fn tell(&self, piece: &Piece, failure: &InvokeFailure, next: Move) {
        let (partition, records, attempt) = (&self.origin.held.at, piece.records.len(), piece.attempts);
        if let Move::Alarm(wait) = next {
            let why = format!("function {} refuses us: {}", self.ports.function, failure.detail);
            if self.ports.condition.complain(Part::Function, why) || piece.failures.is_power_of_two() {
                tracing::error!(%partition, records, attempt, class = %failure.class, wait_ms = millis(wait), error = %failure.detail,
                    "the function refuses us: nothing is committed and nothing is set aside until that is mended");
            }
        } else if piece.failures.is_power_of_two() {
            tracing::warn!(%partition, records, attempt, failures = piece.failures, class = %failure.class, next = ?next, error = %failure.detail,
                "an invocation failed");
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
