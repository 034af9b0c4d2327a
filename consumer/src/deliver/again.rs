//! What comes again: records with the verdict `retry`, when they neither wait in a retry topic nor have waited often enough, and records that
//! were to be set aside when somebody opened their partition.

use super::piece::Piece;
use super::{Delivery, Stopped, millis};
use crate::dead_letter::{DeadLetter, DeadLetters, PutOff};
use crate::deferral::Next;
use crate::invoke::Invoker;
use domain::contract::Listed;
use domain::offset::Offset;
use runtime::clock::Clock;
use std::ops::ControlFlow::{self, Continue};

impl<I: Invoker, D: DeadLetters> Delivery<'_, I, D> {
    /// Gives what must come again before anything else of the lane; the others are finished when Kafka has them.
    pub(super) async fn put_off(&mut self, piece: &Piece, retry: Vec<Listed>) -> ControlFlow<Stopped, Vec<Offset>> {
        let put_off = match self.ports.deferral.next(&self.origin.at().topic) {
            Next::Block => return Continue(retry.iter().map(|listed| listed.offset).collect()),
            Next::Defer { topic, delay } => {
                let due_ms = self.ports.clock.wall_ms().saturating_add_unsigned(millis(delay));
                PutOff { topic, due_ms }
            }
            Next::UsedUp => {
                let letters = self.origin.retried(&piece.records, retry, piece.attempts, None);
                let waited = self.set_aside(letters, &[]).await?;
                return Continue(self.ask_again(piece, waited));
            }
        };
        let letters = self.origin.retried(&piece.records, retry, piece.attempts, Some(&put_off));
        if !letters.is_empty() {
            let PutOff { topic, due_ms } = put_off;
            tracing::debug!(partition = %self.origin.at(), records = letters.len(), topic, due_ms, "records are put off");
        }
        self.write(letters).await?;
        Continue(Vec::new())
    }

    /// Somebody has opened the partition since these were to be set aside, and may have mended the function before: it is asked again. What may
    /// not enter a request waits for its answer.
    pub(super) fn ask_again(&mut self, piece: &Piece, waited: Vec<DeadLetter>) -> Vec<Offset> {
        let sent = |letter: &DeadLetter| piece.records.position(letter.record.offset).is_some();
        let (again, mut unfit): (Vec<_>, Vec<_>) = waited.into_iter().partition(sent);
        self.unfit.append(&mut unfit);
        again.iter().map(|letter| letter.record.offset).collect()
    }
}
