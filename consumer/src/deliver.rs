//! Deliver: one batch of one lane, until every record of it has met its fate.
//!
//! In: a closed batch. Out: finished offsets for the commit ledger.
//! Never: starts a second call for its lane, gives up a record that could still be delivered, or finishes one before its
//! verdict or the acknowledgement of its dead letter.

/// What a delivery may use, and how it is told to stop.
mod ports;
/// The letters of records that cannot be delivered.
mod letters;
/// What becomes of records with the verdict `retry`.
mod again;
/// Letters on their way, and records that are finished with them.
mod set_aside;
/// Records that are sent together, and how a batch is cut into them.
mod piece;

use crate::batch::{Batch, CloseReason};
use crate::batch_limit::{Call, End};
use crate::condition::Part;
use crate::dead_letter::{DeadLetter, DeadLetters};
use crate::event::Command;
use crate::guard::{Outcome, Permit, UnknownTopic};
use crate::invoke::{InvokeFailure, Invoker};
use crate::policy::{Move, Trouble};
use crate::suspect::{Suspect, Suspicion};
use crate::times::{Moment, Times};
use domain::contract::{Judgement, OpenBatch, judge};
use domain::failure::FailureClass;
use domain::offset::Offset;
use letters::Origin;
use piece::Piece;
use ports::Way;
pub use ports::{Ports, Stop, Stopper};
use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

/// The delivery was told to stop; what is not finished will be read again.
struct Stopped;

/// One batch on its way. Pieces are worked off from the front, so that order holds through splits and retries.
struct Delivery<'a, I, D> {
    origin: Origin,
    way: Way,
    /// Until the first call begins.
    uncalled: Option<Times>,
    ports: &'a Ports<I, D>,
    stop: Stop,
    work: VecDeque<Piece>,
    /// The batch was closed because it was full.
    full: bool,
    /// What the commit ledger was told last.
    suspects: Vec<Suspect>,
    /// Records of the batch that are set aside because the function fails at them.
    aside: Vec<Suspect>,
    /// Letters of records that may not enter a request. They are written with the first answer, not before it: a batch that is told to
    /// stop before its call comes again as a whole, and its letters with it.
    unfit: Vec<DeadLetter>,
}

/// Works off `batch`. Comes back when everything is finished, or soon after it was told to stop: a call that is under way is waited
/// for, nothing new is begun.
///
/// # Errors
/// Nothing is configured for its topic. None of it is finished.
pub async fn deliver<I: Invoker, D: DeadLetters>(
    batch: Batch,
    ports: &Ports<I, D>,
    stop: Stop,
) -> Result<(), UnknownTopic> {
    let way = ports.way(&batch.lane.held.at.topic)?;
    let unfit = letters::of_unfit(batch.unfit);
    let (held, times) = (batch.lane.held.clone(), batch.times);
    let origin = Origin { lane: batch.lane, ends: batch.records.first().zip(batch.records.last()), kept: batch.kept };
    let (work, aside) = piece::cut(batch.records, &batch.suspects);
    let full = batch.reason == CloseReason::Count;
    let mut delivery = Delivery {
        origin,
        way,
        ports,
        stop,
        work,
        full,
        suspects: batch.suspects,
        aside,
        uncalled: Some(times),
        unfit,
    };
    delivery.finished(delivery.aside.iter().map(|suspect| suspect.first).collect());
    while let Some(piece) = delivery.work.pop_front() {
        if delivery.step(piece).await.is_break() {
            return Ok(());
        }
    }
    // No call was answered, or there was nothing to send.
    let left = std::mem::take(&mut delivery.unfit);
    if delivery.set_aside(left).await.is_continue() {
        ports.meters.stages.finished(&held, times, ports.clock.now());
    }
    Ok(())
}

impl<I: Invoker, D: DeadLetters> Delivery<'_, I, D> {
    /// One call for one piece, and what follows from its answer. A record that failed often enough is not called again: an owner before us
    /// went before Kafka had its letter.
    async fn step(&mut self, piece: Piece) -> ControlFlow<Stopped> {
        if let Some(failure) = self.ports.pace.used_up(piece.suspicion, piece.records.len()) {
            if self.stop.is_wanted() {
                return Break(Stopped);
            }
            self.tell(&piece, &failure, Move::SetAside);
            return self.give_up(piece, failure).await;
        }
        let permit = self.permit().await?;
        let most = permit.most_records().min(self.way.batch_limit.part_of(piece.records.len()));
        let mut piece = self.cut(piece, most);
        piece.attempts += 1;
        match self.call(&mut piece, permit).await {
            Ok(judgement) => self.settle(piece, judgement).await,
            Err(failure) => self.fail(piece, failure).await,
        }
    }

    async fn permit(&mut self) -> ControlFlow<Stopped, Permit> {
        tokio::select! {
            biased;
            () = self.stop.wanted() => Break(Stopped),
            permit = self.way.entry.acquire() => Continue(permit),
        }
    }

    /// A probe sends few records, and so does a batch limit that fell since; the rest of the piece stays in front of what waits.
    fn cut(&mut self, piece: Piece, most: usize) -> Piece {
        let all = piece.records.len();
        if all <= most {
            return piece;
        }
        let [first, rest] = [0..most, most..all].map(|part| Piece { records: piece.records.part(part), ..piece });
        self.work.push_front(rest);
        first
    }

    async fn call(&mut self, piece: &mut Piece, permit: Permit) -> Result<Judgement, InvokeFailure> {
        let ports = self.ports;
        if let Some(times) = self.uncalled.take() {
            ports.meters.stages.called(&times, Moment::read(&ports.clock));
        }
        let _in_flight = ports.meters.call_begins();
        let (begun, round) = (ports.clock.now(), self.way.batch_limit.round());
        let answer = ports.invoker.invoke(permit.function(), piece.records.send(piece.attempts, None)).await;
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
        let end = match &judged {
            Ok(_) => End::Answered(latency),
            Err(failure) if failure.timed_out => End::TimedOut,
            Err(_) => End::Otherwise,
        };
        ports.size(&self.way.batch_limit, Call { records: piece.records.len(), full: self.full, round }, end);
        judged
    }

    /// Every record has its verdict: finish, set aside, or try again before anything else of the lane.
    async fn settle(&mut self, piece: Piece, judgement: Judgement) -> ControlFlow<Stopped> {
        self.ports.count(&judgement);
        self.ports.flood.delivered(self.origin.at(), judgement.delivered + judgement.duplicates);
        self.ports.condition.clear_about(Part::Function, self.way.entry.function());
        let listed = judgement.rejected.iter().chain(&judgement.retry);
        let open: HashSet<Offset> = listed.map(|listed| listed.offset).collect();
        self.finished(piece.records.offsets().filter(|offset| !open.contains(offset)).collect());
        let mut letters = self.origin.rejected(&piece.records, judgement.rejected, piece.attempts);
        letters.append(&mut self.unfit);
        self.set_aside(letters).await?;
        let again = self.put_off(&piece, judgement.retry).await?;
        if again.is_empty() {
            self.tell_suspects(None);
            return Continue(());
        }
        let wait = self.ports.pace.wait(piece.attempts, (self.ports.unit)());
        let (at, offset) = (self.origin.at(), first(&again));
        tracing::warn!(
            topic = &*at.topic,
            partition = at.partition,
            offset,
            records = again.len(),
            attempt = piece.attempts,
            wait_ms = millis(wait),
            "records must come again"
        );
        self.work.push_front(Piece { records: again, attempts: piece.attempts, failures: 0, suspicion: 0 });
        self.tell_suspects(None);
        self.wait(wait).await
    }

    async fn fail(&mut self, mut piece: Piece, failure: InvokeFailure) -> ControlFlow<Stopped> {
        piece.failures += 1;
        piece.suspicion += u32::from(failure.class == FailureClass::FunctionError);
        let (failures, suspicion, records) = (piece.failures, piece.suspicion, piece.records.len());
        let next = self.ports.pace.after(&failure, Trouble { failures, suspicion, records }, (self.ports.unit)());
        let next = match next {
            Move::Again(wait) if failure.timed_out && records > self.way.batch_limit.records() => Move::Split(wait),
            next => next,
        };
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
            Move::SetAside => self.give_up(piece, failure).await,
        }
    }

    /// The one record of `piece` becomes a dead letter.
    async fn give_up(&mut self, piece: Piece, failure: InvokeFailure) -> ControlFlow<Stopped> {
        self.tell_suspects(Some(&piece));
        let letters = self.origin.alone(&piece.records, &failure, piece.attempts);
        self.set_aside(letters).await?;
        if failure.class == FailureClass::FunctionError {
            self.aside.extend(piece.records.offsets().map(Suspect::set_aside));
        }
        self.tell_suspects(None);
        Continue(())
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
        let (topic, partition, offset) = (&*self.origin.at().topic, self.origin.at().partition, first(&piece.records));
        let (records, attempt) = (piece.records.len(), piece.attempts);
        if let Move::Alarm(wait) = next {
            let function = self.way.entry.function();
            let why = format!("function {function} refuses us: {}", failure.detail);
            if self.ports.condition.complain_about(Part::Function, function, why) || piece.failures.is_power_of_two() {
                tracing::error!(topic, partition, offset, records, attempt, function, class = %failure.class, wait_ms = millis(wait), error = %failure.detail,
                    "the function refuses us: nothing is committed and nothing is set aside until that is mended");
            }
        } else if next == Move::SetAside {
            tracing::error!(topic, partition, offset, attempt, suspicion = piece.suspicion, class = %failure.class, error = %failure.detail,
                "the record fails by itself and becomes a dead letter");
        } else if piece.failures.is_power_of_two() {
            tracing::warn!(topic, partition, offset, records, attempt, failures = piece.failures, class = %failure.class, next = ?next, error = %failure.detail,
                "an invocation failed");
        }
    }
}

fn first(records: &OpenBatch) -> Option<i64> {
    records.first().map(|offset| offset.0)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
