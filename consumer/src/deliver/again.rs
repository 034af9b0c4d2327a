//! What becomes of records with the verdict `retry`: they come again at once, wait in a retry topic, or have waited often enough.

use super::piece::Piece;
use super::{Delivery, Stopped, millis};
use crate::dead_letter::{DeadLetters, PutOff};
use crate::deferral::Next;
use crate::invoke::Invoker;
use domain::contract::{Listed, OpenBatch};
use runtime::clock::Clock;
use std::ops::ControlFlow::{self, Continue};

impl<I: Invoker, D: DeadLetters> Delivery<'_, I, D> {
    /// Gives what must come again before anything else of the lane; the others are finished when Kafka has them.
    pub(super) async fn put_off(&mut self, piece: &Piece, retry: Vec<Listed>) -> ControlFlow<Stopped, OpenBatch> {
        let records = &piece.records;
        let put_off = match self.ports.deferral.next(&self.origin.at().topic) {
            Next::Block => {
                let positions = retry.iter().filter_map(|listed| records.position(listed.offset));
                return Continue(records.part(positions));
            }
            Next::Defer { topic, delay } => {
                let due_ms = self.ports.clock.wall_ms().saturating_add_unsigned(millis(delay));
                Some(PutOff { topic, due_ms })
            }
            Next::UsedUp => None,
        };
        let letters = self.origin.retried(records, retry, piece.attempts, put_off.as_ref());
        if let Some(PutOff { topic, due_ms }) = put_off.as_ref().filter(|_| !letters.is_empty()) {
            tracing::debug!(partition = %self.origin.at(), records = letters.len(), topic, due_ms, "records are put off");
        }
        self.set_aside(letters).await?;
        Continue(records.part([]))
    }
}
