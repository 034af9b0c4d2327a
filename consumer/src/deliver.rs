//! Deliver: one batch of one lane, until every record of it has met its fate.
//!
//! In: a closed batch. Out: finished offsets for the commit ledger.
//! Never: starts a second call for its lane, gives up a record that could still be delivered, or finishes one before its
//! verdict or the acknowledgement of its dead letter.

/// What a delivery may use, and how it is told to stop.
mod ports;
/// The letters of records that cannot be delivered.
mod letters;
/// What comes again: by its verdict, or because somebody has opened the partition.
mod again;
/// Letters on their way, and records that are finished with them.
mod set_aside;
/// Records that are sent together, and how a batch is cut into them.
mod piece;
/// What follows when a call failed.
mod failure;

use crate::batch::{Batch, CloseReason};
use crate::batch_limit::{Call, End};
use crate::condition::Part;
use crate::dead_letter::{DeadLetter, DeadLetters};
use crate::event::Command;
use crate::flood::Hold;
use crate::guard::{Outcome, Permit, UnknownTopic};
use crate::invoke::{InvokeFailure, Invoker};
use crate::pulse::Signs;
use crate::suspect::{Blame, Suspect, Suspicion};
use crate::times::{Moment, Times};
use crate::trace::{CallEnd, Trace};
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

/// When the function is well again, those who wait for it call within so long.
const TURNOUT: Duration = Duration::from_secs(1);

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
    /// Tells people that the record at the front is neither delivered nor set aside.
    hold: Option<Hold>,
    /// Letters of records that may not enter a request. They are written with the first answer, not before it: a batch that is told to
    /// stop before its call comes again as a whole, and its letters with it.
    unfit: Vec<DeadLetter>,
    trace: Trace,
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
    let trace = Trace::begin(&ports.traces, &batch);
    let unfit = letters::of_unfit(batch.unfit);
    let (held, times) = (batch.lane.held.clone(), batch.times);
    let origin = Origin { lane: batch.lane, ends: batch.records.first().zip(batch.records.last()), kept: batch.kept };
    let (work, aside) = piece::cut(batch.records, &batch.suspects, Signs::inherited(ports.clock.now()));
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
        hold: None,
        uncalled: Some(times),
        unfit,
        trace,
    };
    delivery.finished(delivery.aside.iter().map(|suspect| suspect.first).collect());
    while let Some(piece) = delivery.work.pop_front() {
        if delivery.step(piece).await.is_break() {
            delivery.trace.stopped();
            return Ok(());
        }
    }
    // No call was answered, or there was nothing to send.
    let left = std::mem::take(&mut delivery.unfit);
    match delivery.set_all_aside(left).await {
        Continue(()) => ports.meters.stages.finished(&held, times, ports.clock.now()),
        Break(Stopped) => delivery.trace.stopped(),
    }
    Ok(())
}

impl<I: Invoker, D: DeadLetters> Delivery<'_, I, D> {
    /// One call for one piece, and what follows from its answer.
    async fn step(&mut self, piece: Piece) -> ControlFlow<Stopped> {
        if piece.is_condemned() {
            return self.carry_out(piece).await;
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
        let [first, rest] = [0..most, most..all].map(|part| piece.part(part));
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
        let request = piece.records.send(piece.attempts, self.trace.context());
        let answer = ports.invoker.invoke(permit.function(), request).await;
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
        self.trace.called(CallEnd {
            function: permit.function(),
            attempt: piece.attempts,
            records: piece.records.len(),
            latency,
            outcome: judged.as_ref().map_or_else(|failure| failure.class.as_str(), |_| "ok"),
        });
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
        self.hold = None;
        if judgement.retry.len() < piece.records.len() {
            self.way.pulse.answered(piece.errors);
        }
        let listed = judgement.rejected.iter().chain(&judgement.retry);
        let open: HashSet<Offset> = listed.map(|listed| listed.offset).collect();
        let delivered: Vec<Offset> = piece.records.offsets().filter(|offset| !open.contains(offset)).collect();
        self.finished(delivered.clone());
        let mut letters = self.origin.rejected(&piece.records, judgement.rejected, piece.attempts);
        letters.append(&mut self.unfit);
        letters.sort_by_key(|letter| letter.record.offset);
        let waited = self.set_aside(letters, &delivered).await?;
        let mut again = self.ask_again(&piece, waited);
        again.extend(self.put_off(&piece, judgement.retry).await?);
        again.sort();
        let again = piece.records.part(again.into_iter().filter_map(|offset| piece.records.position(offset)));
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
        self.work.push_front(Piece::new(again, piece.attempts, Blame::default()));
        self.tell_suspects(None);
        self.wait(wait).await
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

    /// Waits, but no longer than the function is not well; for `least` in any case.
    async fn wait_for_function(&mut self, span: Duration, least: Duration) -> ControlFlow<Stopped> {
        let (clock, mut recoveries) = (self.ports.clock.clone(), self.way.pulse.recoveries());
        let begun = clock.now();
        tokio::select! {
            biased;
            over = self.wait(span) => return over,
            _ = recoveries.changed() => {}
        }
        let waited = clock.now().saturating_sub(begun);
        // Not everybody who waits comes at the same moment.
        let wait = TURNOUT.mul_f64((self.ports.unit)()).max(least.saturating_sub(waited));
        self.wait(wait.min(span.saturating_sub(waited))).await
    }

    async fn wait(&mut self, span: Duration) -> ControlFlow<Stopped> {
        tokio::select! {
            biased;
            () = self.stop.wanted() => Break(Stopped),
            () = tokio::time::sleep(span) => Continue(()),
        }
    }
}

fn first(records: &OpenBatch) -> Option<i64> {
    records.first().map(|offset| offset.0)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
