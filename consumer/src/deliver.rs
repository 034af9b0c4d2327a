//! Deliver: one batch of one lane, until every record of it has met its fate.
//!
//! In: a closed batch. Out: finished offsets for the commit ledger.
//! Never: starts a second call for its lane, gives up a record that could still be delivered, or finishes one before its
//! verdict or the acknowledgement of its dead letter.

/// What a delivery may use, and how it is told to stop.
mod ports;
/// The letters of records that cannot be delivered.
mod letters;
/// Records that are sent together, and how a batch is cut into them.
mod piece;

use crate::batch::Batch;
use crate::condition::Part;
use crate::dead_letter::{DeadLetter, DeadLetters};
use crate::event::Command;
use crate::guard::{Outcome, Permit};
use crate::invoke::{InvokeFailure, Invoker};
use crate::policy::{Move, Trouble};
use crate::suspect::{Suspect, Suspicion};
use crate::times::{Moment, Times};
use domain::contract::{Judgement, judge};
use domain::failure::FailureClass;
use domain::offset::Offset;
use letters::Origin;
use piece::Piece;
pub use ports::{Ports, Stop, Stopper};
use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::Arc;
use std::time::Duration;

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
    /// What the commit ledger was told last.
    suspects: Vec<Suspect>,
    /// Records of the batch that are set aside because the function fails at them.
    aside: Vec<Suspect>,
}

/// Works off `batch`. Comes back when everything is finished, or soon after it was told to stop: a call that is under way is waited
/// for, nothing new is begun.
pub async fn deliver<I: Invoker, D: DeadLetters>(batch: Batch, ports: &Ports<I, D>, stop: Stop) {
    let unfit = letters::of_unfit(batch.unfit);
    let (held, times) = (batch.lane.held.clone(), batch.times);
    let origin = Origin { lane: batch.lane, ends: batch.records.first().zip(batch.records.last()), kept: batch.kept };
    let (work, aside) = piece::cut(batch.records, &batch.suspects);
    let mut delivery = Delivery { origin, ports, stop, work, suspects: batch.suspects, aside, uncalled: Some(times) };
    delivery.finished(delivery.aside.iter().map(|suspect| suspect.first).collect());
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
    async fn step(&mut self, piece: Piece) -> ControlFlow<Stopped> {
        let permit = self.permit().await?;
        let mut piece = self.cut(piece, permit.most_records());
        piece.attempts += 1;
        match self.call(&piece, permit).await {
            Ok(judgement) => self.settle(piece, judgement).await,
            Err(failure) => self.fail(piece, failure).await,
        }
    }

    async fn permit(&mut self) -> ControlFlow<Stopped, Permit> {
        tokio::select! {
            biased;
            () = self.stop.wanted() => Break(Stopped),
            permit = self.ports.guard.acquire(&self.origin.at().topic) => Continue(permit),
        }
    }

    /// A probe sends few records; the rest of the piece stays in front of what waits.
    fn cut(&mut self, piece: Piece, most: usize) -> Piece {
        let all = piece.records.len();
        if all <= most {
            return piece;
        }
        let [first, rest] = [0..most, most..all].map(|part| Piece { records: piece.records.part(part), ..piece });
        self.work.push_front(rest);
        first
    }

    async fn call(&mut self, piece: &Piece, permit: Permit) -> Result<Judgement, InvokeFailure> {
        let ports = self.ports;
        if let Some(times) = self.uncalled.take() {
            ports.meters.stages.called(&times, Moment::read(&ports.clock));
        }
        let _in_flight = ports.meters.call_begins();
        let begun = ports.clock.now();
        let answer = ports.invoker.invoke(permit.function(), piece.records.request(piece.attempts, None)).await;
        let latency = ports.clock.now().saturating_sub(begun);
        ports.meters.call_took(latency);
        let judged = match answer {
            Ok(response) => judge(&piece.records, &response).map_err(|malformed| {
                ports.meters.calls_malformed.add(1);
                InvokeFailure::new(FailureClass::Transient, malformed.to_string())
            }),
            Err(failure) => {
                ports.meters.call_failed(failure.class);
                Err(failure)
            }
        };
        let outcome = judged.as_ref().err().map_or(Outcome::Answered, |failure| Outcome::Failed(failure.class));
        permit.ended(outcome, latency);
        judged
    }

    /// Every record has its verdict: finish, set aside, or try again before anything else of the lane.
    async fn settle(&mut self, piece: Piece, judgement: Judgement) -> ControlFlow<Stopped> {
        self.ports.count(&judgement);
        self.ports.flood.delivered(self.origin.at(), judgement.delivered + judgement.duplicates);
        self.ports.condition.clear_about(Part::Function, &self.function());
        let listed = judgement.rejected.iter().chain(&judgement.retry);
        let open: HashSet<Offset> = listed.map(|listed| listed.offset).collect();
        self.finished(piece.records.offsets().filter(|offset| !open.contains(offset)).collect());
        let again =
            piece.records.part(judgement.retry.iter().filter_map(|listed| piece.records.position(listed.offset)));
        let letters = self.origin.rejected(&piece.records, judgement.rejected, piece.attempts);
        self.set_aside(letters).await?;
        if again.is_empty() {
            self.tell_suspects(None);
            return Continue(());
        }
        let wait = self.ports.pace.wait(piece.attempts, (self.ports.unit)());
        tracing::warn!(partition = %self.origin.at(), records = again.len(), attempt = piece.attempts, wait_ms = millis(wait), "records must come again");
        self.work.push_front(Piece { records: again, attempts: piece.attempts, failures: 0, suspicion: 0 });
        self.tell_suspects(None);
        self.wait(wait).await
    }

    async fn fail(&mut self, mut piece: Piece, failure: InvokeFailure) -> ControlFlow<Stopped> {
        piece.failures += 1;
        piece.suspicion += u32::from(failure.class == FailureClass::FunctionError);
        let (failures, suspicion, records) = (piece.failures, piece.suspicion, piece.records.len());
        let next = self.ports.pace.after(&failure, Trouble { failures, suspicion, records }, (self.ports.unit)());
        self.tell(&piece, &failure, next);
        match next {
            Move::Again(wait) | Move::Alarm(wait) => {
                self.work.push_front(piece);
                self.tell_suspects(None);
                self.wait(wait).await
            }
            Move::Split(wait) => {
                self.ports.meters.cuts.add(1);
                piece.halves().into_iter().rev().for_each(|half| self.work.push_front(half));
                self.tell_suspects(None);
                self.wait(wait).await
            }
            Move::SetAside => {
                self.tell_suspects(Some(&piece));
                let letters = self.origin.alone(&piece.records, &failure, piece.attempts);
                self.set_aside(letters).await?;
                if failure.class == FailureClass::FunctionError {
                    self.aside.extend(piece.records.offsets().map(Suspect::set_aside));
                }
                self.tell_suspects(None);
                Continue(())
            }
        }
    }

    /// Whoever owns the partition next must know what failed how often; `piece` is no part of the work now.
    fn tell_suspects(&mut self, piece: Option<&Piece>) {
        let open = piece.into_iter().chain(&self.work).filter_map(Piece::suspect);
        let mut suspects: Vec<Suspect> = self.aside.iter().copied().chain(open).collect();
        suspects.sort_by_key(|suspect| suspect.first);
        let Some((first, last)) = self.origin.ends.filter(|_| suspects != self.suspects) else { return };
        self.suspects.clone_from(&suspects);
        self.ports.tell(Command::Suspected(Suspicion { lane: self.origin.lane.clone(), first, last, suspects }));
    }

    /// Dead letters: a record is finished when Kafka has acknowledged its letter. Until then the lane waits.
    async fn set_aside(&mut self, mut letters: Vec<DeadLetter>) -> ControlFlow<Stopped> {
        let mut failures = 0;
        if !letters.is_empty() {
            tokio::select! {
                biased;
                () = self.stop.wanted() => return Break(Stopped),
                () = self.ports.flood.leave(self.origin.at(), letters.len() as u64) => {}
            }
        }
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
            let why = format!("dead letters of {} are not acknowledged: {}", self.origin.at(), refused.detail);
            tracing::error!(partition = %self.origin.at(), records = letters.len(), class = %refused.class, wait_ms = millis(wait), "{why}");
            self.ports.condition.complain(Part::DeadLetters, why);
            self.wait(wait).await?;
        }
        Continue(())
    }

    fn function(&self) -> Arc<str> {
        self.ports.guard.function_of(&self.origin.at().topic)
    }

    fn finished(&self, offsets: Vec<Offset>) {
        if !offsets.is_empty() {
            self.ports.tell(Command::Finished { held: self.origin.lane.held.clone(), offsets });
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
        let (partition, records, attempt) = (self.origin.at(), piece.records.len(), piece.attempts);
        let first = piece.records.first().map_or(0, |offset| offset.0);
        if let Move::Alarm(wait) = next {
            let function = self.function();
            let why = format!("function {function} refuses us: {}", failure.detail);
            if self.ports.condition.complain_about(Part::Function, &function, why) || piece.failures.is_power_of_two() {
                tracing::error!(%partition, first, records, attempt, class = %failure.class, wait_ms = millis(wait), error = %failure.detail,
                    "the function refuses us: nothing is committed and nothing is set aside until that is mended");
            }
        } else if next == Move::SetAside {
            tracing::error!(%partition, offset = first, attempt, suspicion = piece.suspicion, class = %failure.class, error = %failure.detail,
                "the record fails by itself and becomes a dead letter");
        } else if piece.failures.is_power_of_two() {
            tracing::warn!(%partition, first, records, attempt, failures = piece.failures, class = %failure.class, next = ?next, error = %failure.detail,
                "an invocation failed");
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
