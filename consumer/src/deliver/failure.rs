//! What follows when a call failed: the same again, two halves, a record that is held or set aside, or an alarm.

use super::piece::Piece;
use super::{Delivery, Stopped, first, millis};
use crate::condition::Part;
use crate::dead_letter::DeadLetters;
use crate::invoke::{InvokeFailure, Invoker};
use crate::policy::{Move, Trouble};
use crate::pulse::Heard;
use crate::suspect::Suspect;
use domain::failure::FailureClass;
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

impl<I: Invoker, D: DeadLetters> Delivery<'_, I, D> {
    pub(super) async fn fail(&mut self, mut piece: Piece, failure: InvokeFailure) -> ControlFlow<Stopped> {
        let trouble = self.blame(&mut piece, failure.class);
        let next = match self.ports.pace.after(&failure, trouble, (self.ports.unit)()) {
            Move::Again(wait) if failure.timed_out && trouble.records > self.way.batch_limit.records() => {
                Move::Split(wait)
            }
            next => next,
        };
        self.tell(&piece, &failure, next);
        let least = failure.retry_after.unwrap_or_default();
        match next {
            Move::Again(wait) | Move::Alarm(wait) => {
                self.work.push_front(piece);
                self.tell_suspects(None);
                self.wait_for_function(wait, least).await
            }
            Move::Split(wait) => {
                self.ports.meters.cuts.add(1);
                piece.halves().into_iter().rev().for_each(|half| self.work.push_front(half));
                self.tell_suspects(None);
                self.wait_for_function(wait, least).await
            }
            Move::Hold(wait) => self.hold(piece, &failure, wait).await,
            Move::SetAside => self.condemn(piece, &failure).await,
        }
    }

    /// What the failure says about the function and about the records.
    fn blame(&self, piece: &mut Piece, class: FailureClass) -> Trouble {
        let (pulse, pace, records) = (&self.way.pulse, &self.ports.pace, piece.records.len());
        let mut heard = Heard::Nothing;
        piece.failures += 1;
        match class {
            FailureClass::FunctionError => {
                let (others, mark) = pulse.failed_at(piece.mark, pace.is_proved(piece.blame));
                heard = others;
                piece.mark = Some(mark);
                piece.errors += 1;
                piece.blame = pace.blamed(piece.blame, records, heard);
            }
            // It was there.
            FailureClass::TooLarge => {}
            _ => pulse.failed(),
        }
        Trouble { failures: piece.failures, blame: piece.blame, records, heard, steady: pulse.is_steady() }
    }

    /// The record stays where it is and is tried again later, until it is answered, or the function answers others and not this one, or
    /// somebody says that it shall be set aside.
    async fn hold(&mut self, piece: Piece, failure: &InvokeFailure, wait: Duration) -> ControlFlow<Stopped> {
        let Some(offset) = piece.records.first() else { return Continue(()) };
        let begin = || self.ports.flood.hold(self.origin.at(), offset, self.way.entry.function());
        let mut hold = self.hold.take().unwrap_or_else(begin);
        self.work.push_front(piece);
        self.tell_suspects(None);
        tokio::select! {
            biased;
            over = self.wait_for_function(wait, Duration::ZERO) => {
                self.hold = Some(hold);
                over
            }
            () = hold.opened() => match self.work.pop_front() {
                Some(piece) => self.condemn(piece, failure).await,
                None => Continue(()),
            },
        }
    }

    /// An owner before us condemned the record: it becomes a dead letter without another call.
    pub(super) async fn carry_out(&mut self, piece: Piece) -> ControlFlow<Stopped> {
        if self.stop.is_wanted() {
            return Break(Stopped);
        }
        let times = piece.blame.failures;
        let detail = format!("the function failed at it {times} times, for owners before this one too");
        let failure = InvokeFailure::new(FailureClass::FunctionError, detail);
        self.tell(&piece, &failure, Move::SetAside);
        self.condemn(piece, &failure).await
    }

    /// The record becomes a dead letter. Whoever owns it next must know that as long as Kafka has not confirmed it.
    async fn condemn(&mut self, mut piece: Piece, failure: &InvokeFailure) -> ControlFlow<Stopped> {
        self.hold = None;
        piece.blame.condemned = failure.class == FailureClass::FunctionError;
        self.tell_suspects(Some(&piece));
        let letters = self.origin.alone(&piece.records, failure, piece.attempts);
        self.set_all_aside(letters).await?;
        if failure.class == FailureClass::FunctionError {
            self.aside.extend(piece.records.offsets().map(Suspect::set_aside));
        }
        self.tell_suspects(None);
        Continue(())
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
            tracing::error!(topic, partition, offset, attempt, suspicion = piece.blame.failures, class = %failure.class, error = %failure.detail,
                "the record fails by itself and becomes a dead letter");
        } else if piece.failures.is_power_of_two() {
            tracing::warn!(topic, partition, offset, records, attempt, failures = piece.failures, class = %failure.class, next = ?next, error = %failure.detail,
                "an invocation failed");
        }
    }
}
