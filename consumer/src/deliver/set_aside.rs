//! Letters on their way: dead letters and deferred records, until Kafka has acknowledged them.

use super::{Delivery, Stopped, millis};
use crate::condition::Part;
use crate::dead_letter::{DeadLetter, DeadLetters};
use crate::flood::Leave;
use crate::invoke::Invoker;
use domain::offset::Offset;
use std::ops::ControlFlow::{self, Break, Continue};

impl<I: Invoker, D: DeadLetters> Delivery<'_, I, D> {
    /// Dead letters in the order of their offsets, as far as too much does not become dead letters; `delivered` are records of the same answer. Gives
    /// those that were not written until somebody opened the partition.
    pub(super) async fn set_aside(
        &mut self,
        mut letters: Vec<DeadLetter>,
        delivered: &[Offset],
    ) -> ControlFlow<Stopped, Vec<DeadLetter>> {
        while let Some(first) = letters.first().map(|letter| letter.record.offset) {
            let rows = rows(&letters, delivered);
            let leave = tokio::select! {
                biased;
                // First, because a letter that is due belongs to the call that is waited for: without it everything behind its record
                // would be delivered and not committed.
                leave = self.ports.flood.leave(self.origin.at(), first, &rows) => leave,
                () = self.stop.wanted() => return Break(Stopped),
            };
            let Leave::Granted(granted) = leave else { break };
            let rest = letters.split_off(letters.len().min(granted as usize));
            self.write(letters).await?;
            letters = rest;
        }
        Continue(letters)
    }

    /// The same with letters of records that no call can help: they are written when the partition is opened.
    pub(super) async fn set_all_aside(&mut self, mut letters: Vec<DeadLetter>) -> ControlFlow<Stopped> {
        while !letters.is_empty() {
            letters = self.set_aside(letters, &[]).await?;
        }
        Continue(())
    }

    /// Letters of one kind: a record is finished when Kafka has acknowledged its letter. Until then the lane waits.
    pub(super) async fn write(&mut self, mut letters: Vec<DeadLetter>) -> ControlFlow<Stopped> {
        let mut failures = 0;
        let dead = letters.first().is_some_and(|letter| letter.put_off.is_none());
        let to = letters.first().map(DeadLetter::topic).unwrap_or_default();
        let standing = self.ports.condition.standing(Part::DeadLetters, format!("{to} {}", self.origin.lane));
        while !letters.is_empty() {
            let mut offsets: Vec<Offset> = letters.iter().map(|letter| letter.record.offset).collect();
            let refused = self.ports.dead_letters.send(letters).await.err();
            letters = refused.as_ref().map(|refused| refused.letters.clone()).unwrap_or_default();
            offsets.retain(|offset| !letters.iter().any(|letter| letter.record.offset == *offset));
            let counter = if dead { &self.ports.meters.dead_lettered } else { &self.ports.meters.deferred };
            counter.add(offsets.len() as u64);
            self.finished(offsets);
            let Some(refused) = refused else { break };
            failures += 1;
            self.ports.meters.dead_letter_failures.add(letters.len() as u64);
            let wait = self.ports.pace.wait(failures, (self.ports.unit)());
            let what = if dead { "dead letters" } else { "deferred records" };
            let (at, offset) = (self.origin.at(), letters.first().map(|letter| letter.record.offset.0));
            let why = format!("{what} of {at} are not acknowledged: {}", refused.detail);
            tracing::error!(topic = &*at.topic, partition = at.partition, offset, records = letters.len(), class = %refused.class, wait_ms = millis(wait), "{why}");
            standing.complain(why);
            self.wait(wait).await?;
        }
        Continue(())
    }
}

/// How many letters there are between two records that were delivered.
fn rows(letters: &[DeadLetter], delivered: &[Offset]) -> Vec<u64> {
    let before = |letter: &DeadLetter| delivered.partition_point(|offset| *offset < letter.record.offset);
    let mut rows: Vec<u64> = letters.chunk_by(|a, b| before(a) == before(b)).map(|row| row.len() as u64).collect();
    if letters.last().is_some_and(|last| before(last) < delivered.len()) {
        rows.push(0);
    }
    rows
}
