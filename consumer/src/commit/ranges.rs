//! A set of offsets as closed ranges, keyed by their start.

use std::collections::BTreeMap;

/// Disjoint, non-adjacent closed ranges.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ranges {
    ends: BTreeMap<i64, i64>,
}

impl Ranges {
    /// Adds `offset`; nothing happens when it is there.
    pub(super) fn insert(&mut self, offset: i64) {
        // Records come in order.
        if let Some(mut last) = self.ends.last_entry().filter(|last| *last.get() + 1 == offset) {
            *last.get_mut() = offset;
            return;
        }
        let left = self.ends.range(..=offset).next_back().map(|(start, end)| (*start, *end));
        if left.is_some_and(|(_, end)| end >= offset) {
            return;
        }
        let start = left.filter(|(_, end)| end + 1 == offset).map_or(offset, |(start, _)| start);
        let end = self.ends.remove(&(offset + 1)).unwrap_or(offset);
        self.ends.insert(start, end);
    }

    /// Takes everything from `first` to `last` out, whatever of it is there.
    pub(super) fn remove(&mut self, first: i64, last: i64) {
        while let Some((start, end)) = self.ends.range(..=last).next_back().map(|(start, end)| (*start, *end)) {
            if end < first {
                return;
            }
            self.ends.remove(&start);
            if end > last {
                self.ends.insert(last + 1, end);
            }
            if start < first {
                self.ends.insert(start, first - 1);
                return;
            }
        }
    }

    pub(super) fn first(&self) -> Option<i64> {
        self.ends.first_key_value().map(|(start, _)| *start)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn joins_and_splits() {
        let mut ranges = Ranges::default();
        for offset in [1, 2, 5, 4, 3, 9, 3] {
            ranges.insert(offset);
        }
        assert_eq!((ranges.len(), ranges.first()), (2, Some(1)));
        ranges.remove(3, 3);
        ranges.remove(3, 3);
        ranges.remove(7, 7);
        assert_eq!(ranges.len(), 3);
        ranges.remove(1, 2);
        assert_eq!((ranges.len(), ranges.first()), (2, Some(4)));
    }

    proptest! {
        #[test]
        fn is_the_set_that_it_stands_for(steps in prop::collection::vec((any::<bool>(), 0_i64..40, 0_i64..10), 1..200)) {
            let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
            for (insert, first, more) in steps {
                if insert {
                    (first..=first + more).for_each(|offset| ranges.insert(offset));
                    set.extend(first..=first + more);
                } else {
                    ranges.remove(first, first + more);
                    set.retain(|offset| !(first..=first + more).contains(offset));
                }
                let runs = set.iter().filter(|offset| !set.contains(&(**offset - 1))).count();
                prop_assert_eq!((ranges.len(), ranges.first()), (runs, set.first().copied()));
                prop_assert!(ranges.ends.iter().all(|(start, end)| (*start..=*end).all(|offset| set.contains(&offset))));
            }
        }
    }
}
