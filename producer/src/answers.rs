//! What Kafka answered: acknowledged, failed or set aside, and how long it took from the due time.
//!
//! Pure of rdkafka: the delivery callback says what happened to which slot, everything else is bookkeeping.

mod ended;

pub use ended::{Ended, Unplaced};

use crate::blame::{Blame, Newest, Unanswered};
use crate::in_flight::{Flying, InFlight};
use crate::latency::{Interval, Lap, Latencies, Latency, Recorder};
use crate::ledger::Answered;
use crate::tally::Tally;
use crate::ticket::{Fate, Ticket, Tickets};
use crate::why::Why;
use crossbeam_channel::Sender;
use runtime::clock::SharedClock;
use runtime::shutdown::Shutdown;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Everything that the answers of a run come to.
pub struct Answers {
    pub in_flight: Arc<InFlight>,
    pub tally: Tally,
    /// Settled with every fate.
    pub tickets: Tickets,
    clock: SharedClock,
    start: OnceLock<Duration>,
    keep_ledger: bool,
    state: Mutex<State>,
    shutdown: Shutdown,
    broken: OnceLock<String>,
}

struct State {
    latency: Recorder,
    /// Acknowledged per partition, per topic number.
    partitions: Vec<Vec<u64>>,
    newest: Newest,
    ledger: Answered,
    failures: BTreeMap<String, u64>,
    /// What became of events of the spool since that was last asked for.
    ended: Ended,
    /// Empty between two calls: its memory is used again.
    read: Vec<(Flying, u64, i32)>,
}

/// An answer: Kafka holds the event of this slot, on this partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledged {
    pub slot: usize,
    pub partition: i32,
}

impl State {
    fn acknowledged(&mut self, (flying, order): (&Flying, u64), at: Duration, partition: i32) {
        let took = (at + flying.waited).saturating_sub(flying.due);
        self.latency.record(at, took, flying.waited.is_zero());
        self.newest.note(flying.topic, partition, order);
        count(&mut self.partitions, flying.topic, partition);
        if flying.spooled != 0 {
            self.ended.acknowledged.push(flying.spooled);
        }
    }
}

/// What the report wants to know at the end.
#[derive(Debug, Default)]
pub struct Outcome {
    pub latency: Latencies,
    pub partitions: Vec<Vec<u64>>,
    pub ledger: Answered,
    /// Failed events by the reason that was given.
    pub failures: BTreeMap<String, u64>,
}

impl Answers {
    /// # Errors
    /// The histogram cannot be made; its bounds are constants, so it always can.
    pub fn new(
        in_flight: Arc<InFlight>,
        tally: Tally,
        clock: SharedClock,
        shutdown: Shutdown,
        keep_ledger: bool,
    ) -> Result<Self, hdrhistogram::CreationError> {
        let state = State {
            latency: Recorder::new()?,
            partitions: Vec::new(),
            newest: Newest::default(),
            ledger: Answered::default(),
            failures: BTreeMap::new(),
            ended: Ended::default(),
            read: Vec::new(),
        };
        let (start, broken, tickets) = (OnceLock::new(), OnceLock::new(), Tickets::default());
        Ok(Self { in_flight, tally, tickets, clock, start, keep_ledger, state: Mutex::new(state), shutdown, broken })
    }

    /// The start of the run on the clock; due times count from here. The first call counts.
    pub fn started(&self) -> Duration {
        *self.start.get_or_init(|| self.clock.now())
    }

    /// The start of the run by the wall clock, milliseconds since the Unix epoch.
    pub fn started_ms(&self) -> i64 {
        let since = self.clock.now().saturating_sub(self.started());
        self.clock.wall_ms().saturating_sub(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Time since the start of the run; `None` before it.
    pub fn elapsed(&self) -> Option<Duration> {
        Some(self.clock.now().saturating_sub(*self.start.get()?))
    }

    /// Kafka holds the event of `slot`.
    pub fn acknowledged(&self, slot: usize, partition: i32) {
        self.all_acknowledged(&[Acknowledged { slot, partition }]);
    }

    /// Kafka holds the events of these slots, as it has just said: one look at the clock and one lock for all.
    pub fn all_acknowledged(&self, heard: &[Acknowledged]) {
        if heard.is_empty() {
            return;
        }
        let at = self.clock.now().saturating_sub(self.started());
        // Before anybody who waits is told.
        self.tally.acknowledged.add(heard.len() as u64);
        let mut state = self.state();
        // All slots first, and nothing else: they come from another processor's cache, and so they come side by side.
        let mut read = std::mem::take(&mut state.read);
        let known = |heard: &Acknowledged| {
            let flying = self.in_flight.get(heard.slot)?;
            Some((flying, self.in_flight.order(heard.slot), heard.partition))
        };
        read.extend(heard.iter().filter_map(known));
        if self.keep_ledger {
            read.iter().for_each(|(flying, ..)| state.ledger.acknowledged.insert(flying.series, flying.seq));
        }
        for (flying, order, partition) in read.drain(..) {
            state.acknowledged((&flying, order), at, partition);
            self.tickets.settle(flying.ticket, Fate::Acknowledged);
        }
        state.read = read;
        drop(state);
        self.in_flight.release_all(heard.iter().map(|heard| heard.slot));
    }

    /// The event of `slot` is given up on: it may or may not be in Kafka. One that the spool holds stays there.
    pub fn failed(&self, slot: usize, reason: &str) {
        if let Some(flying) = self.in_flight.get(slot).filter(|flying| flying.spooled == 0) {
            self.lost_sight(reason, flying.ticket);
        }
        self.in_flight.release(slot);
    }

    /// The event is on the disk now.
    pub fn spooled(&self, flying: &Flying) {
        self.tickets.settle(flying.ticket, Fate::Spooled);
    }

    /// What became of events of the spool since the last call.
    pub fn ended(&self) -> Ended {
        std::mem::take(&mut self.state().ended)
    }

    /// Events of the spool that have not met their end.
    pub fn in_spool(&self) -> u64 {
        let ended = self.state().ended.count();
        (self.tally.in_spool.get() as u64).saturating_sub(ended)
    }

    /// An event without a slot is given up on: it was never taken by the client.
    pub fn lost_sight(&self, reason: &str, ticket: Ticket) {
        *self.state().failures.entry(reason.to_owned()).or_default() += 1;
        self.tally.failed.add(1);
        self.tickets.settle(ticket, Fate::Failed);
    }

    /// Why a record that a client gave back got no acknowledgement.
    pub fn blame(&self, record: &Unanswered) -> Blame {
        self.state().newest.blame(record)
    }

    /// The event of `slot` is on the dead-letter topic or in the local file.
    pub fn dead_lettered(&self, slot: usize) {
        let Some(flying) = self.in_flight.get(slot) else { return };
        let mut state = self.state();
        if self.keep_ledger {
            state.ledger.dead_lettered.insert(flying.series, flying.seq);
        }
        if flying.spooled != 0 {
            state.ended.dead_lettered.push(flying.spooled);
        }
        drop(state);
        self.tally.dead_lettered.add(1);
        self.tickets.settle(flying.ticket, Fate::DeadLettered);
        self.in_flight.release(slot);
    }

    /// Whether the spool holds the event of `slot`.
    pub fn is_spooled(&self, slot: usize) -> bool {
        self.in_flight.get(slot).is_some_and(|flying| flying.spooled != 0)
    }

    /// No place took the dead letter of `slot`: it is given up on, but for one that the spool holds. That stays there, and its
    /// letter is tried again.
    pub fn unplaced(&self, slot: usize, why: &Why, attempts: u64) {
        match self.in_flight.get(slot) {
            Some(Flying { spooled: 0, ticket, .. }) => self.lost_sight("dead letter found no place", ticket),
            Some(Flying { spooled: number, .. }) => {
                let unplaced = Unplaced { number, why: why.clone(), attempts };
                self.state().ended.unplaced.push(unplaced);
            }
            None => {}
        }
        self.in_flight.release(slot);
    }

    /// Nothing more can be sent: our rights or settings are wrong, or the client is finished. Only the first reason counts.
    pub fn broken(&self, reason: String) {
        if self.broken.set(reason).is_ok() {
            self.shutdown.trigger("the producer cannot go on");
        }
    }

    /// Why nothing more can be sent.
    pub fn why_broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    /// Why the run was stopped: what broke, or the signal.
    pub fn why_stopped(&self) -> &str {
        self.why_broken().or(self.shutdown.reason()).unwrap_or("asked to")
    }

    /// The latencies so far.
    pub fn latency(&self) -> Latency {
        self.state().latency.so_far()
    }

    /// The acknowledgements since the last lap; the first call starts the first one.
    pub fn lap(&self) -> Lap {
        self.state().latency.lap()
    }

    /// Hands the latencies of every second to `log` from now on.
    pub fn log_latency(&self, log: Sender<Interval>) {
        self.state().latency.log(log);
    }

    /// Everything, for the report; what is kept here is empty afterwards.
    pub fn take(&self) -> Outcome {
        let at = self.elapsed().unwrap_or_default();
        let mut state = self.state();
        Outcome {
            latency: state.latency.finish(at),
            partitions: std::mem::take(&mut state.partitions),
            ledger: std::mem::take(&mut state.ledger),
            failures: std::mem::take(&mut state.failures),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(topics: &mut Vec<Vec<u64>>, topic: u16, partition: i32) {
    let (topic, partition) = (usize::from(topic), partition.max(0) as usize);
    if topics.len() <= topic {
        topics.resize(topic + 1, Vec::new());
    }
    if topics[topic].len() <= partition {
        topics[topic].resize(partition + 1, 0);
    }
    topics[topic][partition] += 1;
}

#[cfg(test)]
mod tests {
    use super::{Answers, Ended};
    use crate::in_flight::{Flying, InFlight, Slots};
    use crate::tally::Tally;
    use crate::ticket::Settled;
    use runtime::clock::ManualClock;
    use runtime::shutdown::Shutdown;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn latency_counts_from_the_due_time_and_every_fate_gives_its_slot_back() {
        let clock = ManualClock::starting_at(0);
        clock.advance(Duration::from_secs(100));
        let in_flight = InFlight::new(4);
        let (shutdown, tally) = (Shutdown::new(), Tally::default());
        let answers =
            Answers::new(in_flight.clone(), tally.clone(), Arc::new(clock.clone()), shutdown.clone(), true).unwrap();
        answers.started();
        let (ticket, mut settled) = answers.tickets.open(3);
        let mut slots = Slots::new(in_flight.clone());
        let (due, waited) = (Duration::from_millis(500), Duration::ZERO);
        let mut take =
            |seq| slots.take(Flying { due, waited, series: 2, seq, topic: 1, ticket, spooled: seq % 2 }, due).unwrap();
        let taken = [take(1), take(2), take(3)];
        clock.advance(Duration::from_millis(750));
        answers.acknowledged(taken[0], 5);
        answers.failed(taken[1], "timed out");
        answers.dead_lettered(taken[2]);
        assert!(slots.all_back());
        let ended = Ended { acknowledged: vec![1], dead_lettered: vec![1], unplaced: Vec::new() };
        tally.in_spool.set(5.0);
        assert_eq!((answers.in_spool(), answers.ended()), (3, ended));
        assert_eq!((answers.in_spool(), answers.ended()), (5, Ended::default()));
        let outcome = answers.take();
        assert!((outcome.latency.whole.p50 - 250.0).abs() < 1.0, "{:?}", outcome.latency);
        assert_eq!(outcome.partitions, [vec![], vec![0, 0, 0, 0, 0, 1]]);
        assert_eq!(outcome.failures.get("timed out"), Some(&1));
        assert_eq!((tally.acknowledged.get(), tally.failed.get(), tally.dead_lettered.get()), (1, 1, 1));
        let all = Settled { acknowledged: 1, failed: 1, dead_lettered: 1, spooled: 0 };
        assert_eq!(settled.try_recv(), Ok(all));
        answers.broken("no rights".into());
        answers.broken("later".into());
        assert_eq!((answers.why_broken(), shutdown.draining()), (Some("no rights"), true));
    }
}
