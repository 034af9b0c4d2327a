//! A set of seq numbers as sorted closed ranges: small when numbers come in order, exact always.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

/// Sorted, disjoint, non-adjacent closed ranges. One range, which is what numbers in order come to, needs no memory beside the
/// set itself: with hundreds of thousands of sets that is half of the cache misses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SeqSet {
    ranges: SmallVec<[(u64, u64); 1]>,
}

impl SeqSet {
    /// Adds `seq`; false when it was there already.
    #[inline]
    pub fn insert(&mut self, seq: u64) -> bool {
        // In order, as almost always.
        if let Some((_, last)) = self.ranges.last_mut()
            && last.checked_add(1) == Some(seq)
        {
            *last = seq;
            return true;
        }
        self.insert_anywhere(seq)
    }

    fn insert_anywhere(&mut self, seq: u64) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < seq);
        if self.ranges.get(at).is_some_and(|(first, _)| *first <= seq) {
            return false;
        }
        let joins_left = at > 0 && self.ranges[at - 1].1 + 1 == seq;
        let joins_right = self.ranges.get(at).is_some_and(|(first, _)| *first - 1 == seq);
        match (joins_left, joins_right) {
            (true, true) => {
                self.ranges[at - 1].1 = self.ranges[at].1;
                self.ranges.remove(at);
            }
            (true, false) => self.ranges[at - 1].1 = seq,
            (false, true) => self.ranges[at].0 = seq,
            (false, false) => self.ranges.insert(at, (seq, seq)),
        }
        true
    }

    pub fn contains(&self, seq: u64) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < seq);
        self.ranges.get(at).is_some_and(|(first, _)| *first <= seq)
    }

    /// How many numbers it holds.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|(first, last)| last - first + 1).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub fn last(&self) -> Option<u64> {
        self.ranges.last().map(|(_, last)| *last)
    }

    /// The ranges, first and last both included.
    pub fn ranges(&self) -> &[(u64, u64)] {
        &self.ranges
    }

    /// Every number, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.ranges.iter().flat_map(|(first, last)| *first..=*last)
    }

    /// What is in `self` and not in `other`.
    pub fn minus(&self, other: &Self) -> Self {
        let mut rest = SmallVec::new();
        let mut others = other.ranges.iter().copied().peekable();
        for (first, last) in self.ranges.iter().copied() {
            let mut start = first;
            while others.next_if(|(_, end)| *end < start).is_some() {}
            while let Some((cut, end)) = others.peek().copied().filter(|(cut, _)| *cut <= last) {
                if cut > start {
                    rest.push((start, cut - 1));
                }
                start = end + 1;
                if end > last {
                    break;
                }
                others.next();
            }
            if start <= last {
                rest.push((start, last));
            }
        }
        Self { ranges: rest }
    }

    /// What is in both.
    pub fn both(&self, other: &Self) -> Self {
        self.minus(&self.minus(other))
    }
}

impl Serialize for SeqSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.ranges.as_slice().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SeqSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(|ranges| Self { ranges: SmallVec::from_vec(ranges) })
    }
}

impl FromIterator<u64> for SeqSet {
    fn from_iter<I: IntoIterator<Item = u64>>(seqs: I) -> Self {
        let mut set = Self::default();
        for seq in seqs {
            set.insert(seq);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::SeqSet;

    #[test]
    fn numbers_join_into_ranges() {
        let set: SeqSet = [1, 2, 5, 4, 9, 3].into_iter().collect();
        assert_eq!(set.ranges(), [(1, 5), (9, 9)]);
        assert_eq!((set.count(), set.last()), (6, Some(9)));
        assert!(set.contains(4) && !set.contains(6));
    }

    #[test]
    fn a_second_insert_is_told() {
        let mut set = SeqSet::default();
        assert!(set.insert(7) && !set.insert(7));
    }

    #[test]
    fn minus_cuts_across_ranges() {
        let a: SeqSet = (1..=20).collect();
        let b: SeqSet = [1, 5, 6, 20, 21, 40].into_iter().collect();
        assert_eq!(a.minus(&b).ranges(), [(2, 4), (7, 19)]);
        assert_eq!(b.minus(&a).ranges(), [(21, 21), (40, 40)]);
        assert_eq!(a.both(&b).ranges(), [(1, 1), (5, 6), (20, 20)]);
    }
}
