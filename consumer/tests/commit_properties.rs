//! The commit ledger against a model that remembers every record: histories of assign, receive, finish, commit, revoke.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use consumer::assignment::{Generation, Held, LaneId, TopicPartition};
use consumer::commit::{Commit, CommitLedger};
use consumer::suspect::{Blame, Suspect, Suspicion};
use domain::offset::{NextOffset, Offset};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};

#[derive(Debug, Clone)]
enum Step {
    Assign(i32),
    Revoke(i32),
    /// The next record, after a gap of so many offsets.
    Receive(i32, i64),
    /// The position was reset: a record that lies so far back.
    Rewind(i32, i64),
    /// Finish one of the unfinished records, or one that nobody sent.
    Finish(i32, usize),
    /// Finish a record under an older generation.
    FinishLate(i32, i64, u64),
    /// A delivery suspects so many records from an offset on, after so many failures; 0 is none any more.
    Suspect(i32, i64, i64, u32),
    Ask,
    Confirm,
    Refuse,
}

fn step() -> impl Strategy<Value = Step> {
    let partition = 0..3_i32;
    prop_oneof![
        1 => partition.clone().prop_map(Step::Assign),
        1 => partition.clone().prop_map(Step::Revoke),
        12 => (partition.clone(), prop_oneof![4 => Just(1_i64), 1 => 2..5_i64]).prop_map(|(p, gap)| Step::Receive(p, gap)),
        1 => (partition.clone(), 1..6_i64).prop_map(|(p, back)| Step::Rewind(p, back)),
        12 => (partition.clone(), 0..8_usize).prop_map(|(p, nth)| Step::Finish(p, nth)),
        2 => (partition.clone(), 0..40_i64, 0..6_i64, 0..4_u32).prop_map(|(p, o, n, f)| Step::Suspect(p, o, n, f)),
        2 => (partition, 0..40_i64, 1..4_u64).prop_map(|(p, o, back)| Step::FinishLate(p, o, back)),
        4 => Just(Step::Ask),
        3 => Just(Step::Confirm),
        1 => Just(Step::Refuse),
    ]
}

/// What a generation of a partition went through, kept whole.
#[derive(Default)]
struct Model {
    received: Vec<i64>,
    unfinished: BTreeSet<i64>,
    started_at: Option<i64>,
    asked: Option<i64>,
    confirmed: Option<i64>,
    /// First, last, failures.
    suspects: Vec<(i64, i64, u32)>,
    noted: String,
    noting: Option<String>,
}

impl Model {
    /// What goes with a commit of `next`.
    fn metadata(&self, next: i64) -> String {
        let ahead: Vec<_> = self.suspects.iter().filter(|(_, last, _)| *last >= next).collect();
        let all: Vec<String> =
            ahead.iter().map(|(first, last, failures)| format!("[0,{first},{last},{failures},1]")).collect();
        if all.is_empty() { String::new() } else { format!(r#"{{"v":2,"lanes":1,"s":[{}]}}"#, all.join(",")) }
    }
}

struct World {
    ledger: CommitLedger,
    generation: u64,
    owned: HashMap<i32, (Held, Model)>,
    /// Everything ever committed, with the generation that was owned when it became due.
    under_way: Vec<Commit>,
}

fn held(partition: i32, generation: u64) -> Held {
    Held { at: TopicPartition::new("t", partition), generation: Generation(generation) }
}

impl World {
    fn new() -> Self {
        Self { ledger: CommitLedger::new(1), generation: 0, owned: HashMap::new(), under_way: Vec::new() }
    }

    fn apply(&mut self, step: &Step) {
        match *step {
            Step::Assign(p) => {
                self.generation += 1;
                let new = held(p, self.generation);
                self.ledger.assign(&new);
                self.owned.insert(p, (new, Model::default()));
            }
            Step::Revoke(p) => {
                if let Some((old, _)) = self.owned.remove(&p) {
                    self.ledger.revoke(&old);
                }
            }
            Step::Receive(p, gap) => self.receive(p, |model| model.received.iter().max().unwrap_or(&0) + gap),
            Step::Rewind(p, back) => self.receive(p, |model| (model.received.last().unwrap_or(&0) - back).max(0)),
            Step::Finish(p, nth) => {
                let Some((held, model)) = self.owned.get_mut(&p) else { return };
                let offset = model.unfinished.iter().nth(nth).copied().unwrap_or(1_000_000);
                model.unfinished.remove(&offset);
                assert!(self.ledger.finished(held, &[Offset(offset)]));
            }
            Step::FinishLate(p, offset, back) => {
                let late =
                    held(p, self.owned.get(&p).map_or(self.generation, |(h, _)| h.generation.0).saturating_sub(back));
                assert!(!self.ledger.finished(&late, &[Offset(offset)]), "a late answer counted");
                assert!(!self.ledger.received(&late, Offset(offset)));
            }
            Step::Suspect(p, first, more, failures) => self.suspect(p, first, first + more, failures),
            Step::Ask => self.ask(),
            Step::Confirm => self.settle(true),
            Step::Refuse => self.settle(false),
        }
    }

    fn receive(&mut self, p: i32, place: impl Fn(&Model) -> i64) {
        let Some((held, model)) = self.owned.get_mut(&p) else {
            assert!(!self.ledger.received(&self::held(p, self.generation + 1), Offset(1)));
            return;
        };
        let offset = place(model);
        model.received.push(offset);
        model.unfinished.insert(offset);
        model.started_at.get_or_insert(offset);
        assert!(self.ledger.received(held, Offset(offset)));
    }

    fn suspect(&mut self, p: i32, first: i64, last: i64, failures: u32) {
        let Some((held, model)) = self.owned.get_mut(&p) else { return };
        let now = (failures > 0).then_some((first, last, failures));
        let outside =
            model.suspects.iter().flat_map(|(a, b, n)| [(*a, (*b).min(first - 1), *n), ((*a).max(last + 1), *b, *n)]);
        let mut all: Vec<_> = outside.filter(|(a, b, _)| a <= b).chain(now).collect();
        all.sort();
        model.suspects = all;
        let suspects = now.map(|_| Suspect {
            first: Offset(first),
            last: Offset(last),
            blame: Blame { failures, proofs: 1, condemned: false },
        });
        let lane = LaneId { held: held.clone(), lane: 0 };
        self.ledger.suspect(&Suspicion {
            lane,
            first: Offset(first),
            last: Offset(last),
            suspects: suspects.into_iter().collect(),
        });
    }

    fn ask(&mut self) {
        let due = self.ledger.due();
        for commit in &due {
            let (held, model) = self.owned.get_mut(&commit.held.at.partition).expect("owned");
            assert_eq!(&commit.held, held, "a revoked generation wanted to commit");
            let next = commit.next.0;
            assert!(model.unfinished.iter().all(|offset| *offset >= next), "{next} passes an unfinished record");
            let (known, told) = (model.asked.max(model.confirmed).max(model.started_at), model.noting.as_ref());
            assert_eq!(commit.metadata, model.metadata(next));
            assert!(Some(next) >= known, "{next} goes back");
            assert!(Some(next) > known || commit.metadata != *told.unwrap_or(&model.noted), "{next} says nothing new");
            (model.asked, model.noting) = (Some(next), Some(commit.metadata.clone()));
        }
        self.ledger.asked(&due);
        self.under_way.extend(due);
    }

    fn settle(&mut self, confirmed: bool) {
        for commit in std::mem::take(&mut self.under_way) {
            let model = self.owned.get_mut(&commit.held.at.partition).filter(|(held, _)| *held == commit.held);
            if confirmed {
                self.ledger.confirmed(&commit);
            } else {
                self.ledger.refused(&commit);
            }
            if let Some((_, model)) = model {
                model.noting = None;
                if confirmed {
                    model.confirmed = model.confirmed.max(Some(commit.next.0));
                    model.noted = commit.metadata;
                    model.suspects.retain(|(_, last, _)| *last >= commit.next.0);
                } else {
                    model.asked = None;
                }
            }
        }
    }

    /// The next offset is exactly what the model says, and memory follows what is in flight.
    fn check(&self) {
        let mut in_flight = 0;
        for (held, model) in self.owned.values() {
            let end = model.received.iter().max().map(|last| last + 1);
            let expected = model.unfinished.first().copied().or(end).map(NextOffset);
            assert_eq!(self.ledger.next(held), expected);
            assert_eq!(self.ledger.committed(held), model.confirmed.map(NextOffset));
            in_flight += model.unfinished.len();
        }
        assert!(self.ledger.blocks() <= in_flight);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_agrees_with_the_model(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        (0..3).for_each(|p| world.apply(&Step::Assign(p)));
        for step in &steps {
            world.apply(step);
            world.check();
        }
    }
}

#[test]
fn a_million_records_that_finish_cost_one_block() {
    let mut ledger = CommitLedger::new(1);
    let held = held(0, 1);
    ledger.assign(&held);
    for offset in 0..1_000_000 {
        ledger.received(&held, Offset(offset));
    }
    assert_eq!(ledger.blocks(), 1_000_000 / 512 + 1);
    let finished: Vec<Offset> = (0..999_999).map(Offset).collect();
    ledger.finished(&held, &finished);
    assert_eq!((ledger.blocks(), ledger.next(&held)), (1, Some(NextOffset(999_999))));
}
