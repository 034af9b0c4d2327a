//! The ledger against naive models: sets as trees of numbers, the proof as loops over every single event.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::event::EventId;
use domain::ledger::{Deliveries, LedgerKey, Produced, ProducedKey, Proof, Seen, SeqSet, verify};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

type Naive = BTreeSet<u64>;

/// Numbers close enough to touch, and now and then far away.
fn seqs() -> impl Strategy<Value = Vec<u64>> {
    let seq = prop_oneof![8 => 1_u64..40, 1 => 1_u64..1 << 50];
    prop::collection::vec(seq, 0..60)
}

fn set(naive: &Naive) -> SeqSet {
    naive.iter().copied().collect()
}

proptest! {
    #[test]
    fn a_set_holds_what_was_inserted(seqs in seqs()) {
        let (mut set, mut naive) = (SeqSet::default(), Naive::new());
        for seq in seqs {
            prop_assert_eq!(set.insert(seq), naive.insert(seq));
            prop_assert_eq!((set.count(), set.last()), (naive.len() as u64, naive.last().copied()));
        }
        prop_assert!(set.iter().eq(naive.iter().copied()));
        prop_assert!((0..42).all(|seq| set.contains(seq) == naive.contains(&seq)));
        prop_assert_eq!(set.is_empty(), naive.is_empty());
    }

    #[test]
    fn ranges_are_as_few_as_can_be(seqs in seqs()) {
        let set: SeqSet = seqs.into_iter().collect();
        prop_assert!(set.ranges().iter().all(|(first, last)| first <= last));
        prop_assert!(set.ranges().windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{:?}", set);
    }

    #[test]
    fn minus_and_both_are_those_of_sets(a in seqs(), b in seqs()) {
        let (left, right): (Naive, Naive) = (a.into_iter().collect(), b.into_iter().collect());
        prop_assert_eq!(set(&left).minus(&set(&right)), set(&(&left - &right)));
        prop_assert_eq!(set(&left).both(&set(&right)), set(&(&left & &right)));
    }

    #[test]
    fn the_ledger_file_is_read_as_written_and_parts_add_up(runs in prop::collection::vec((0_u32..4, seqs(), seqs()), 1..6)) {
        let (mut whole, mut files) = (Produced::default(), Vec::new());
        for (codigo, offered, acknowledged) in runs {
            let mut part = Produced::default();
            let key = LedgerKey { run: "r".into(), truck_id: "BR1".into(), codigo };
            // Narrow, because a file's ranges are added number by number.
            let narrow = |seqs: &[u64]| seqs.iter().map(|seq| seq % 64).collect::<Naive>();
            for produced in [&mut part, &mut whole] {
                let seqs = produced.key(key.clone());
                narrow(&offered).iter().for_each(|seq| { seqs.offered.insert(*seq); });
                narrow(&acknowledged).iter().for_each(|seq| { seqs.acknowledged.insert(*seq); });
            }
            let mut file = Vec::new();
            part.write(&mut file).expect("to memory");
            files.push(file);
        }
        let mut read = Produced::default();
        for file in files {
            read.read(&file[..]).expect("its own file");
        }
        prop_assert_eq!(read, whole);
    }
}

/// One key's life, every event by itself.
#[derive(Debug, Clone, Default)]
struct Life {
    offered: Naive,
    acknowledged: Naive,
    set_aside: Naive,
    meant: Naive,
    arrivals: Vec<u64>,
    dead: Vec<u64>,
}

/// Any life: every side by chance.
fn wild() -> impl Strategy<Value = Life> {
    let subset = || prop::collection::btree_set(1_u64..20, 0..12);
    let arrivals = prop::collection::vec(1_u64..22, 0..25);
    let dead = prop::collection::vec(1_u64..22, 0..4);
    (1_u64..20, subset(), subset(), subset(), arrivals, dead).prop_map(
        |(last, unacknowledged, set_aside, meant, arrivals, dead)| {
            let offered: Naive = (1..=last).collect();
            let (acknowledged, set_aside) = (&offered - &unacknowledged, &offered & &set_aside);
            Life { offered, acknowledged, set_aside, meant, arrivals, dead }
        },
    )
}

/// A life in which all went well, but for at most one fault.
fn tame() -> impl Strategy<Value = Life> {
    let meant = prop::collection::btree_set(1_u64..20, 0..6);
    (2_u64..20, meant, 0..8, any::<prop::sample::Index>()).prop_map(|(last, meant, fault, place)| {
        let offered: Naive = (1..=last).collect();
        let meant = &meant & &offered;
        let mut arrivals: Vec<_> = offered.difference(&meant).copied().collect();
        let mut dead: Vec<_> = meant.iter().copied().collect();
        let mut acknowledged = offered.clone();
        match fault {
            0 if !dead.is_empty() => dead.push(dead[place.index(dead.len())]),
            1 if !dead.is_empty() => arrivals.push(dead.remove(place.index(dead.len()))),
            2 if !arrivals.is_empty() => dead.push(arrivals.remove(place.index(arrivals.len()))),
            3 if !arrivals.is_empty() => arrivals.push(arrivals[place.index(arrivals.len())]),
            4 => arrivals.reverse(),
            5 if !arrivals.is_empty() => drop(arrivals.remove(place.index(arrivals.len()))),
            6 => drop(acknowledged.pop_last()),
            _ => (),
        }
        Life { acknowledged, offered, set_aside: Naive::new(), meant, arrivals, dead }
    })
}

fn lives() -> impl Strategy<Value = BTreeMap<u32, Life>> {
    prop_oneof![
        prop::collection::btree_map(0_u32..6, tame(), 0..3),
        prop::collection::btree_map(0_u32..6, prop_oneof![wild(), tame()], 0..5),
    ]
}

fn key(codigo: u32) -> LedgerKey {
    LedgerKey { run: "r".into(), truck_id: "BR1".into(), codigo }
}

fn id(codigo: u32, seq: u64) -> EventId {
    EventId { run: "r".into(), truck_id: "BR1".into(), codigo, seq }
}

fn proof_of(lives: &BTreeMap<u32, Life>) -> Proof {
    let (mut produced, mut deliveries, mut dead) = (Produced::default(), Deliveries::default(), Deliveries::default());
    for (codigo, life) in lives {
        *produced.key(key(*codigo)) = ProducedKey {
            offered: set(&life.offered),
            acknowledged: set(&life.acknowledged),
            dead_lettered: set(&life.set_aside),
            expect_rejected: set(&life.meant),
        };
        life.arrivals.iter().for_each(|seq| {
            deliveries.record(&id(*codigo, *seq));
        });
        life.dead.iter().for_each(|seq| {
            dead.record(&id(*codigo, *seq));
        });
    }
    verify(&produced, &deliveries, &dead)
}

/// Counts the events of all keys that `is` holds for.
fn count(lives: &BTreeMap<u32, Life>, is: impl Fn(&Life, u64) -> bool) -> u64 {
    lives.values().map(|life| (0..64).filter(|seq| is(life, *seq)).count() as u64).sum()
}

proptest! {
    #[test]
    fn deliveries_tell_first_from_late_from_again(arrivals in prop::collection::vec(1_u64..15, 0..40)) {
        let (mut deliveries, mut seen) = (Deliveries::default(), Naive::new());
        for seq in arrivals {
            let expected = match (seen.contains(&seq), seen.iter().any(|earlier| *earlier > seq)) {
                (true, _) => Seen::Duplicate,
                (false, true) => Seen::OutOfOrder,
                (false, false) => Seen::First,
            };
            prop_assert_eq!(deliveries.record(&id(1, seq)), expected);
            seen.insert(seq);
        }
        prop_assert_eq!(deliveries.first_deliveries(), seen.len() as u64);
    }

    #[test]
    fn the_proof_counts_what_one_by_one_counting_counts(lives in lives()) {
        let proof = proof_of(&lives);
        let arrived = |life: &Life, seq: u64| life.arrivals.contains(&seq);
        let dead = |life: &Life, seq: u64| life.dead.contains(&seq);
        prop_assert_eq!(proof.offered, count(&lives, |life, seq| life.offered.contains(&seq)));
        prop_assert_eq!(proof.acknowledged, count(&lives, |life, seq| life.acknowledged.contains(&seq)));
        prop_assert_eq!(proof.delivered, count(&lives, arrived));
        prop_assert_eq!(proof.rejected, count(&lives, dead));
        prop_assert_eq!(proof.lost, count(&lives, |life, seq| {
            life.acknowledged.contains(&seq) && !arrived(life, seq) && !dead(life, seq)
        }));
        prop_assert_eq!(proof.unsent, count(&lives, |life, seq| {
            life.offered.contains(&seq) && !life.acknowledged.contains(&seq) && !life.set_aside.contains(&seq)
        }));
        let stranger = |life: &Life, seq: u64| !life.offered.contains(&seq);
        let strangers = count(&lives, |l, seq| stranger(l, seq) && arrived(l, seq))
            + count(&lives, |l, seq| stranger(l, seq) && dead(l, seq));
        prop_assert_eq!(proof.unknown, strangers);
        prop_assert_eq!(proof.lost_examples.len() as u64, proof.lost.min(20));
    }

    /// The proof holds exactly when every event, looked at alone, met the one fate it should.
    #[test]
    fn it_holds_when_and_only_when_every_event_met_its_fate(lives in lives()) {
        let fine = lives.values().all(|life| {
            let times = |side: &[u64], seq: u64| side.iter().filter(|s| **s == seq).count();
            let met = (0..64).all(|seq| match (life.offered.contains(&seq), life.meant.contains(&seq)) {
                (true, true) => times(&life.dead, seq) >= 1 && times(&life.arrivals, seq) == 0,
                (true, false) => times(&life.arrivals, seq) >= 1 && times(&life.dead, seq) == 0,
                (false, _) => times(&life.arrivals, seq) + times(&life.dead, seq) == 0,
            });
            let mut first = Naive::new();
            let order = life.arrivals.iter().filter(|seq| first.insert(**seq)).is_sorted();
            met && order && life.offered.iter().all(|s| life.acknowledged.contains(s) || life.set_aside.contains(s))
        });
        let proof = proof_of(&lives);
        prop_assert_eq!(proof.holds(), fine, "{:?}", proof);
    }
}
