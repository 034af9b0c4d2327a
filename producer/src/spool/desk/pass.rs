//! A pass over the spool: which events go out, what became of them, and what is known when it has failed.

use super::Desk;
use crate::answers::Ended;
use crate::spool::Spooled;
use std::collections::HashSet;
use std::time::Duration;

/// So many times as long as others the one event may wait that is tried for a silent partition: it disturbs nobody, and is
/// there when the partition is back.
const PATIENCE: u32 = 6;
/// So many events of the spool are tried until Kafka acknowledges the first.
const PROBE: u64 = 500;

impl Desk {
    /// The next event that is due and may go, with its number; `topic` is the number of a topic's name.
    pub fn next_due(&mut self, mut topic: impl FnMut(&str) -> u16) -> Option<(u64, Spooled)> {
        if self.disk.refuses() || self.spool.is_empty() || !self.spool.schedule.is_due(self.clock.wall_ms()) {
            return None;
        }
        let silent = &mut self.silent;
        let may_go = |number, event: &Spooled| silent.may_go((topic(&event.topic), &event.key), number);
        let next = self.pulse.during(|| self.spool.next_event(may_go));
        self.note(next).flatten()
    }

    /// What became of events of the spool. Acknowledgements alone show that Kafka is there.
    pub fn hear(&mut self, ended: Ended) {
        let Ended { acknowledged, dead_lettered, unplaced } = ended;
        if acknowledged.is_empty() && dead_lettered.is_empty() && unplaced.is_empty() {
            return;
        }
        self.acknowledged(&acknowledged);
        let aside: Vec<u64> =
            dead_lettered.iter().copied().chain(unplaced.iter().map(|letter| letter.number)).collect();
        if self.silent.gave_way(&aside) {
            self.spool.look_again();
        }
        self.letters.add(unplaced, self.clock.now());
        for number in acknowledged.into_iter().chain(dead_lettered) {
            self.taken.remove(&number);
            self.finished.push(number);
        }
        self.count();
    }

    fn acknowledged(&mut self, numbers: &[u64]) {
        if numbers.is_empty() {
            return;
        }
        if self.spool.schedule.in_a_row > 0 || !self.healthy {
            tracing::info!(events = self.spool.len(), "Kafka acknowledges again, the spool is sent");
            self.spool.schedule.succeeded();
            self.healthy = true;
            let kept = self.pulse.during(|| self.spool.keep_schedule());
            self.note(kept);
        }
        let awake = self.silent.answered(numbers);
        if !awake.is_empty() {
            tracing::info!(partitions = awake.len(), "silent partitions answer again");
            self.spool.look_again();
        }
    }

    /// The client took this event of the spool; true when none of this process did before.
    pub fn took(&mut self, number: u64) -> bool {
        let known = self.taken.contains_key(&number);
        self.taken.entry(number).or_default();
        !known
    }

    /// True when no more events are to go out until Kafka acknowledges, of `out` that are. Those that are tried for a silent
    /// partition show nothing about the others.
    pub fn is_probed(&self, out: u64) -> bool {
        !self.healthy && out >= PROBE && out >= PROBE + self.silent.tried()
    }

    /// A pass over the spool, or the clients before it, ended without an answer in time.
    pub fn pass_failed(&mut self) {
        self.sweep(true);
        self.healthy = false;
        self.spool.schedule.failed(self.clock.wall_ms());
        let kept = self.pulse.during(|| self.spool.keep_schedule());
        self.note(kept);
    }

    /// The next pass begins with the oldest event. What was set aside or has met its end, or is about to (`letters`), does not
    /// go out again.
    pub fn begin_pass(&mut self, letters: &[u64]) {
        let ended: HashSet<u64> = letters.iter().chain(&self.finished).chain(self.letters.numbers()).copied().collect();
        self.spool.rewind(|number| ended.contains(&number));
        self.silent.try_anew();
    }

    /// This event of the spool failed, and it alone.
    pub fn failed_alone(&mut self, number: u64) {
        *self.taken.entry(number).or_default() += 1;
    }

    /// The attempts of an event that had as many as it may have.
    pub fn too_many_attempts(&self, number: u64) -> Option<u64> {
        let attempts = self.taken.get(&number).copied()?;
        (self.rules.attempts > 0 && attempts >= self.rules.attempts).then_some(attempts)
    }

    /// How much longer than others an event of the spool may wait for its answer.
    pub fn more_time(&self, number: u64) -> Duration {
        if self.silent.is_tried(number) { self.rules.after * (PATIENCE - 1) } else { Duration::ZERO }
    }
}
