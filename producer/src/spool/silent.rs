//! Partitions that do not answer: of each one event is tried, the others wait behind it on the disk and hold nobody else up.
//!
//! Which key goes to which partition is Kafka's and the client's matter. It is learned here from records that came back, and
//! only for partitions that are silent.

use std::collections::HashMap;
use twox_hash::XxHash3_64;

/// A partition, by the number of its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lane {
    pub topic: u16,
    pub partition: i32,
}

/// The silent partitions, and the keys that are known to go there.
#[derive(Debug, Default)]
pub struct Silent {
    /// With the number of the event that is tried, when there is one.
    lanes: HashMap<Lane, Option<u64>>,
    keys: HashMap<u64, Lane>,
}

/// The number by which the keys of a topic are known here.
fn key_in(topic: u16, key: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(u64::from(topic), key)
}

impl Silent {
    /// The partition does not answer; true when that is new.
    pub fn add(&mut self, lane: Lane) -> bool {
        let known = self.lanes.contains_key(&lane);
        self.lanes.entry(lane).or_default();
        !known
    }

    /// This key goes to that partition.
    pub fn learn(&mut self, lane: Lane, key: &[u8]) {
        if self.lanes.contains_key(&lane) {
            self.keys.insert(key_in(lane.topic, key), lane);
        }
    }

    /// True when this key goes to a silent partition, as far as is known.
    pub fn holds(&self, topic: u16, key: &[u8]) -> bool {
        !self.keys.is_empty() && self.keys.contains_key(&key_in(topic, key))
    }

    /// True when the spool's event `number` may be sent: no silent partition is known for its key, or it is the one that is tried.
    pub fn may_go(&mut self, (topic, key): (u16, &[u8]), number: u64) -> bool {
        if self.keys.is_empty() {
            return true;
        }
        let lane = self.keys.get(&key_in(topic, key));
        let Some(tried) = lane.and_then(|lane| self.lanes.get_mut(lane)) else { return true };
        *tried.get_or_insert(number) == number
    }

    /// True for the event that is tried for its partition.
    pub fn is_tried(&self, number: u64) -> bool {
        self.lanes.values().any(|tried| *tried == Some(number))
    }

    /// Everything is sent anew: of each partition its oldest event is tried.
    pub fn try_anew(&mut self) {
        self.lanes.values_mut().for_each(|tried| *tried = None);
    }

    /// So many events are tried.
    pub fn tried(&self) -> u64 {
        self.lanes.values().flatten().count() as u64
    }

    /// Events that were set aside: those that were tried say nothing of their partitions, others are tried for them. True
    /// when there were any.
    pub fn gave_way(&mut self, numbers: &[u64]) -> bool {
        let mut any = false;
        for tried in self.lanes.values_mut().filter(|tried| tried.is_some_and(|tried| numbers.contains(&tried))) {
            (*tried, any) = (None, true);
        }
        any
    }

    /// Events that Kafka holds; the partitions that are silent no more.
    pub fn answered(&mut self, numbers: &[u64]) -> Vec<Lane> {
        if self.lanes.is_empty() {
            return Vec::new();
        }
        let tried: HashMap<u64, Lane> =
            self.lanes.iter().filter_map(|(lane, tried)| Some(((*tried)?, *lane))).collect();
        let awake: Vec<Lane> = numbers.iter().filter_map(|number| tried.get(number).copied()).collect();
        if !awake.is_empty() {
            self.lanes.retain(|lane, _| !awake.contains(lane));
            self.keys.retain(|_, lane| !awake.contains(lane));
        }
        awake
    }
}

#[cfg(test)]
mod tests {
    use super::{Lane, Silent};

    #[test]
    fn of_a_silent_partition_one_event_goes_and_its_end_lets_all_go() {
        let (a, b) = (Lane { topic: 1, partition: 0 }, Lane { topic: 1, partition: 5 });
        let mut silent = Silent::default();
        silent.learn(a, b"k");
        assert!(!silent.holds(1, b"k"), "only silent partitions have keys");
        assert!(silent.add(a) && !silent.add(a) && silent.add(b));
        [(a, b"k"), (a, b"l"), (b, b"m")].into_iter().for_each(|(lane, key)| silent.learn(lane, key));
        assert!(silent.holds(1, b"k") && !silent.holds(2, b"k") && !silent.holds(1, b"x"));
        assert!(silent.may_go((1, b"x"), 7) && silent.may_go((2, b"k"), 8));
        assert!(silent.may_go((1, b"l"), 9) && !silent.may_go((1, b"k"), 10) && silent.may_go((1, b"l"), 9));
        assert!(silent.may_go((1, b"m"), 11) && silent.is_tried(9) && silent.is_tried(11) && !silent.is_tried(10));
        assert_eq!((silent.answered(&[10, 7]), silent.tried()), (vec![], 2));
        assert!(!silent.gave_way(&[7, 10]) && silent.gave_way(&[10, 11]) && silent.tried() == 1);
        assert!(silent.may_go((1, b"m"), 12) && !silent.may_go((1, b"l"), 10));
        silent.try_anew();
        assert!(silent.may_go((1, b"k"), 6) && !silent.is_tried(9));
        assert_eq!(silent.answered(&[10, 6]), [a]);
        assert!(!silent.holds(1, b"k") && silent.may_go((1, b"l"), 9) && silent.holds(1, b"m"));
    }
}
