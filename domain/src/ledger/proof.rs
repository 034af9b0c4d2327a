//! The verdict over a whole run: what was produced against what arrived.

use super::{DeadLetters, Deliveries, LedgerKey, Produced, ProducedKey, SeqSet};
use crate::event::EventId;

/// What the three sides of the ledger say together. All counts are distinct events unless they say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proof {
    pub offered: u64,
    pub acknowledged: u64,
    /// Distinct events that reached the destination.
    pub delivered: u64,
    /// Distinct events that ended as dead letters.
    pub rejected: u64,
    /// Dead letters written, repeats included.
    pub dead_lettered: u64,
    /// Dead letters beyond the first of an event: written, and not yet committed when a consumer died.
    pub dead_letters_repeated: u64,
    /// Distinct events that the producer set aside and that are in no dead-letter topic: they are in its local file.
    pub set_aside: u64,
    /// Deliveries beyond the first.
    pub duplicates_delivered: u64,
    /// Distinct events that the producer offered twice on purpose and that Kafka holds.
    pub repeated: u64,
    /// Acknowledged by Kafka, with neither a delivery nor a dead letter.
    pub lost: u64,
    /// Offered, but never acknowledged and never set aside.
    pub unsent: u64,
    /// Arrived or dead-lettered, but never offered.
    pub unknown: u64,
    /// First deliveries that came after a later seq of their key.
    pub order_violations: u64,
    /// Invalid or too large on purpose, and without a dead letter or with a delivery; set aside, and not meant to be.
    pub fate_violations: u64,
    /// The first lost events, by id.
    pub lost_examples: Vec<EventId>,
}

/// How many lost ids are named.
const EXAMPLES: usize = 20;

/// Holds the three sides against each other.
pub fn verify(produced: &Produced, deliveries: &Deliveries, dead_letters: &DeadLetters) -> Proof {
    let mut proof = Proof {
        duplicates_delivered: deliveries.duplicates(),
        order_violations: deliveries.order_violations(),
        dead_lettered: dead_letters.events(),
        dead_letters_repeated: dead_letters.duplicates(),
        delivered: deliveries.first_deliveries(),
        rejected: dead_letters.first_deliveries(),
        ..Proof::default()
    };
    let mut keys: Vec<_> = produced.keys().collect();
    keys.sort_by_key(|(key, _)| *key);
    let empty = SeqSet::default();
    for (key, sent) in keys {
        let arrived = deliveries.seqs(key).unwrap_or(&empty);
        let dead = dead_letters.seqs(key).unwrap_or(&empty);
        proof.add(key, sent, arrived, dead);
    }
    proof.unknown = unknown(produced, deliveries) + unknown(produced, dead_letters);
    proof
}

impl Proof {
    fn add(&mut self, key: &LedgerKey, sent: &ProducedKey, arrived: &SeqSet, dead: &SeqSet) {
        let lost = sent.acknowledged.minus(arrived).minus(dead);
        self.offered += sent.offered.count();
        self.acknowledged += sent.acknowledged.count();
        self.lost += lost.count();
        self.unsent += sent.offered.minus(&sent.acknowledged).minus(&sent.dead_lettered).count();
        let only_aside = sent.dead_lettered.minus(&sent.acknowledged).minus(dead).minus(arrived);
        self.set_aside += only_aside.count();
        self.repeated += sent.repeated.both(&sent.acknowledged).count();
        let (invalid, too_large) = (&sent.expect_rejected, &sent.expect_dead_letter);
        let rejected = invalid.both(&sent.acknowledged);
        let amiss = [
            rejected.minus(dead),
            rejected.both(arrived),
            too_large.both(&sent.acknowledged),
            too_large.both(arrived),
            dead.minus(invalid).minus(too_large),
            only_aside.minus(too_large),
        ];
        self.fate_violations += amiss.iter().map(SeqSet::count).sum::<u64>();
        let room = EXAMPLES.saturating_sub(self.lost_examples.len());
        self.lost_examples.extend(lost.iter().take(room).map(|seq| EventId {
            run: key.run.clone(),
            truck_id: key.truck_id.clone(),
            codigo: key.codigo,
            seq,
        }));
    }

    /// Every offered event has exactly one end: delivered, rejected or set aside by the producer; nothing lost, no key out of
    /// order, every fate as meant. Repeats (of deliveries, of dead letters) are counted and not judged: only who knows what
    /// died can.
    pub fn holds(&self) -> bool {
        self.offered == self.delivered + self.rejected + self.set_aside
            && [self.lost, self.unsent, self.unknown, self.order_violations, self.fate_violations] == [0; 5]
    }
}

fn unknown(produced: &Produced, side: &Deliveries) -> u64 {
    let offered: std::collections::HashMap<_, _> = produced.keys().collect();
    let stray = |(key, seqs): (&LedgerKey, &SeqSet)| match offered.get(key) {
        Some(sent) => seqs.minus(&sent.offered).count(),
        None => seqs.count(),
    };
    side.keys().map(stray).sum()
}

#[cfg(test)]
mod tests {
    use super::{Deliveries, LedgerKey, Produced, verify};
    use crate::event::EventId;

    fn id(seq: u64) -> EventId {
        EventId { run: "r".into(), truck_id: "BR1".into(), codigo: 4, seq }
    }

    fn produced(last: u64, invalid: &[u64]) -> Produced {
        let mut produced = Produced::default();
        let key = produced.key(LedgerKey::from(&id(1)));
        key.offered = (1..=last).collect();
        key.acknowledged = key.offered.clone();
        key.expect_rejected = invalid.iter().copied().collect();
        produced
    }

    fn seen(seqs: &[u64]) -> Deliveries {
        let mut deliveries = Deliveries::default();
        for seq in seqs {
            deliveries.record(&id(*seq));
        }
        deliveries
    }

    #[test]
    fn a_whole_run_holds_with_duplicates_counted() {
        let proof = verify(&produced(5, &[3]), &seen(&[1, 2, 2, 4, 5]), &seen(&[3]));
        assert!(proof.holds(), "{proof:?}");
        assert_eq!((proof.delivered, proof.rejected, proof.duplicates_delivered), (4, 1, 1));
    }

    #[test]
    fn each_fault_breaks_it_and_is_named() {
        let lost = verify(&produced(5, &[]), &seen(&[1, 2, 4, 5]), &seen(&[]));
        assert_eq!((lost.lost, lost.lost_examples.as_slice(), lost.holds()), (1, &[id(3)][..], false));
        let disorder = verify(&produced(3, &[]), &seen(&[1, 3, 2]), &seen(&[]));
        assert_eq!((disorder.order_violations, disorder.holds()), (1, false));
        let twice_dead = verify(&produced(3, &[3]), &seen(&[1, 2]), &seen(&[3, 3]));
        assert_eq!((twice_dead.rejected, twice_dead.dead_lettered, twice_dead.dead_letters_repeated), (1, 2, 1));
        assert!(twice_dead.holds(), "repeats are for those to judge who know what died: {twice_dead:?}");
        let good_set_aside = verify(&produced(3, &[]), &seen(&[1, 2]), &seen(&[3]));
        assert_eq!((good_set_aside.lost, good_set_aside.fate_violations), (0, 1));
        let delivered_although_invalid = verify(&produced(3, &[3]), &seen(&[1, 2, 3]), &seen(&[]));
        assert!(!delivered_although_invalid.holds());
        let stranger = verify(&produced(2, &[]), &seen(&[1, 2, 9]), &seen(&[]));
        assert_eq!((stranger.unknown, stranger.holds()), (1, false));
    }

    #[test]
    fn what_is_too_large_on_purpose_is_set_aside_by_the_producer_and_by_nobody_else() {
        let with = |change: fn(&mut super::ProducedKey)| {
            let mut produced = produced(4, &[]);
            change(produced.key(LedgerKey::from(&id(1))));
            produced
        };
        let oversize = with(|key| {
            key.acknowledged = [1, 2, 4].into_iter().collect();
            key.dead_lettered.insert(3);
            key.expect_dead_letter.insert(3);
        });
        let in_the_file = verify(&oversize, &seen(&[1, 2, 4]), &seen(&[]));
        assert!(in_the_file.holds(), "{in_the_file:?}");
        assert_eq!((in_the_file.set_aside, in_the_file.unsent), (1, 0));
        let on_the_topic = verify(&oversize, &seen(&[1, 2, 4]), &seen(&[3]));
        assert!(on_the_topic.holds() && on_the_topic.rejected == 1, "{on_the_topic:?}");
        let fits_after_all = with(|key| key.expect_dead_letter = [3].into_iter().collect());
        assert_eq!(verify(&fits_after_all, &seen(&[1, 2, 3, 4]), &seen(&[])).fate_violations, 2);
        let good_one_set_aside = with(|key| {
            key.acknowledged = [1, 2, 4].into_iter().collect();
            key.dead_lettered.insert(3);
        });
        assert_eq!(verify(&good_one_set_aside, &seen(&[1, 2, 4]), &seen(&[])).fate_violations, 1);
    }

    #[test]
    fn what_is_sent_twice_on_purpose_is_counted() {
        let mut produced = produced(4, &[]);
        produced.key(LedgerKey::from(&id(1))).repeated = [2, 4].into_iter().collect();
        let proof = verify(&produced, &seen(&[1, 2, 2, 3, 4, 4]), &seen(&[]));
        assert_eq!((proof.repeated, proof.duplicates_delivered, proof.holds()), (2, 2, true));
    }
}
