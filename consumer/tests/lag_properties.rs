//! The lag against a model that remembers when every record came: arrivals, polls, finishes, standstills, rebalances.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use consumer::assignment::{Generation, Held, TopicPartition};
use consumer::commit::CommitLedger;
use consumer::lag::{Committed, Found, Look, Trail};
use domain::offset::Offset;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// How often Kafka is asked.
const PERIOD_MS: i64 = 500;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Clone)]
enum Step {
    /// So many records come, one every so many milliseconds.
    Arrive(usize, i64),
    /// Nothing comes for so long.
    Pass(i64),
    /// So many records are polled.
    Poll(usize),
    /// One of the unfinished polled records is finished.
    Finish(usize),
    FinishAll,
    /// The partition goes and comes back: what was finished from below is committed.
    Reassign,
}

fn step() -> impl Strategy<Value = Step> {
    let span = prop_oneof![4 => 1..1_000_i64, 3 => 1_000..60_000_i64, 1 => 60_000..HOUR_MS];
    let pace = prop_oneof![3 => 0..10_i64, 2 => 10..2_000_i64, 1 => 2_000..600_000_i64];
    prop_oneof![
        5 => (1..60_usize, pace).prop_map(|(count, every)| Step::Arrive(count, every)),
        3 => span.prop_map(Step::Pass),
        5 => (1..80_usize).prop_map(Step::Poll),
        4 => (0..50_usize).prop_map(Step::Finish),
        3 => Just(Step::FinishAll),
        1 => Just(Step::Reassign),
    ]
}

struct World {
    now_ms: i64,
    looked_ms: i64,
    /// When the record at each offset came.
    log: Vec<i64>,
    committed: usize,
    polled: usize,
    unfinished: BTreeSet<usize>,
    generation: u64,
    trail: Trail,
    ledger: CommitLedger,
}

impl World {
    fn new(log: Vec<i64>, now_ms: i64) -> Self {
        let (trail, ledger) = (Trail::default(), CommitLedger::new(1));
        let mut world = Self {
            now_ms,
            looked_ms: 0,
            log,
            committed: 0,
            polled: 0,
            unfinished: BTreeSet::new(),
            generation: 0,
            trail,
            ledger,
        };
        world.reassign();
        world
    }

    fn held(&self) -> Held {
        Held { at: TopicPartition::new("t", 0), generation: Generation(self.generation) }
    }

    fn next(&self) -> Option<i64> {
        self.ledger.next(&self.held()).map(|next| next.0)
    }

    fn oldest(&self) -> usize {
        self.unfinished.first().copied().unwrap_or(self.polled)
    }

    /// As the scout does.
    fn look(&mut self) {
        self.looked_ms = self.now_ms;
        let look = Look { low: 0, end: self.log.len() as i64, at_ms: self.now_ms };
        assert_eq!(self.trail.looked(look, false), []);
        self.trail.forget(self.next());
        if let Some(wanted) = self.trail.wanted(self.next(), self.now_ms) {
            self.trail.found(wanted, Found::Record { timestamp_ms: self.log[wanted as usize] });
        }
    }

    fn pass(&mut self, span_ms: i64) {
        let until = self.now_ms + span_ms;
        // Nothing comes meanwhile, so of many looks only the last two tell anything.
        self.looked_ms += ((until - self.looked_ms) / PERIOD_MS - 2).max(0) * PERIOD_MS;
        while self.looked_ms + PERIOD_MS <= until {
            self.now_ms = self.looked_ms + PERIOD_MS;
            self.look();
        }
        self.now_ms = until;
    }

    fn reassign(&mut self) {
        self.committed = self.oldest().max(self.committed);
        self.generation += 1;
        self.polled = self.committed;
        self.unfinished.clear();
        self.trail = Trail::default();
        self.trail.begin(Committed::Next(self.committed as i64), self.now_ms);
        self.ledger.assign(&self.held());
        self.look();
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Arrive(count, every_ms) => {
                for _ in 0..count {
                    self.pass(every_ms);
                    self.log.push(self.now_ms);
                }
            }
            Step::Pass(span_ms) => self.pass(span_ms),
            Step::Poll(count) => {
                for offset in self.polled..self.log.len().min(self.polled + count) {
                    self.trail.received(offset as i64, self.log[offset]);
                    self.ledger.received(&self.held(), Offset(offset as i64));
                    self.unfinished.insert(offset);
                    self.polled = offset + 1;
                }
            }
            Step::Finish(nth) => {
                if let Some(offset) = self.unfinished.iter().nth(nth).copied() {
                    self.finish(&[offset]);
                }
            }
            Step::FinishAll => self.finish(&self.unfinished.iter().copied().collect::<Vec<_>>()),
            Step::Reassign => self.reassign(),
        }
    }

    fn finish(&mut self, offsets: &[usize]) {
        for offset in offsets {
            self.unfinished.remove(offset);
            self.ledger.finished(&self.held(), &[Offset(*offset as i64)]);
        }
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        // Of a backlog from before the assignment nothing is known until somebody asks, which is at the next look.
        if self.trail.wanted(self.next(), self.now_ms).is_some() {
            self.look();
        }
        let truth_ms = self.log.get(self.oldest()).map_or(0, |came| self.now_ms - came);
        let lag = self.trail.lag(self.next(), None, None, self.now_ms);
        let error_ms = (lag.seconds * 1_000.0 - truth_ms as f64).abs();
        let allowed = 1_000.0_f64.max(truth_ms as f64 / 50.0);
        prop_assert!(error_ms <= allowed, "{} s, in truth {truth_ms} ms", lag.seconds);
        let newer = self.log.iter().skip(self.committed).filter(|came| **came >= self.looked_ms).count();
        let records = self.log.len() - self.committed;
        let said = usize::try_from(lag.records).unwrap();
        prop_assert!(said <= records && said + newer >= records, "{said} records of {records}");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_lag_is_within_a_second_or_two_percent_in_every_history(
        backlog in proptest::collection::vec(0..HOUR_MS, 0..50),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut log: Vec<i64> = backlog.iter().map(|ago| 10 * HOUR_MS - ago).collect();
        log.sort_unstable();
        let mut world = World::new(log, 10 * HOUR_MS);
        world.check()?;
        for step in &steps {
            world.apply(step);
            world.check()?;
        }
    }
}

#[test]
fn a_standstill_of_any_length_is_as_long_as_it_is() {
    for stuck_ms in [200, 1_000, 5_000, 60_000, 600_000, HOUR_MS] {
        let mut world = World::new(vec![], HOUR_MS);
        // A flow, the first record of which is stuck, and after a while nothing more is polled: the partition is full.
        world.apply(&Step::Arrive(1, 10));
        world.apply(&Step::Poll(1));
        for _ in 0..stuck_ms / 100 {
            world.apply(&Step::Arrive(10, 10));
            world.apply(&Step::Poll(5));
        }
        world.check().unwrap();
        world.apply(&Step::FinishAll);
        world.check().unwrap();
    }
}
