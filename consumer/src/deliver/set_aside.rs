//! Letters on their way: dead letters and deferred records, until Kafka has acknowledged them.

use super::{Delivery, Stopped, millis};
use crate::condition::Part;
use crate::dead_letter::{DeadLetter, DeadLetters};
use crate::invoke::Invoker;
use domain::offset::Offset;
use std::ops::ControlFlow::{self, Break, Continue};

impl<I: Invoker, D: DeadLetters> Delivery<'_, I, D> {
    /// Letters of one kind: a record is finished when Kafka has acknowledged its letter. Until then the lane waits.
    pub(super) async fn set_aside(&mut self, mut letters: Vec<DeadLetter>) -> ControlFlow<Stopped> {
        let mut failures = 0;
        let first = letters.first().map(|letter| (letter.record.offset, letter.put_off.is_none()));
        let dead = first.is_some_and(|(_, dead)| dead);
        let to = letters.first().map(DeadLetter::topic).unwrap_or_default();
        if let Some((first, true)) = first {
            tokio::select! {
                biased;
                // First, because a letter that is due belongs to the call that is waited for: without it everything behind its record
                // would be delivered and not committed.
                () = self.ports.flood.leave(self.origin.at(), first, letters.len() as u64) => {}
                () = self.stop.wanted() => return Break(Stopped),
            }
        }
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
