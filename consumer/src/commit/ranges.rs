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
        let left = self.ends.range(..=offset).next_back().map(|(start, end)| (*start, *end));
        if left.is_some_and(|(_, end)| end >= offset) {
            return;
        }
        let start = left.filter(|(_, end)| end + 1 == offset).map_or(offset, |(start, _)| start);
        let end = self.ends.remove(&(offset + 1)).unwrap_or(offset);
        self.ends.insert(start, end);
    }

    /// Takes `offset` out; false when it was not there.
    pub(super) fn remove(&mut self, offset: i64) -> bool {
        let Some((start, end)) = self.ends.range(..=offset).next_back().map(|(start, end)| (*start, *end)) else {
            return false;
        };
        if end < offset {
            return false;
        }
        self.ends.remove(&start);
        if start < offset {
            self.ends.insert(start, offset - 1);
        }
        if offset < end {
            self.ends.insert(offset + 1, end);
        }
        true
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

    #[test]
    fn joins_and_splits() {
        let mut ranges = Ranges::default();
        for offset in [1, 2, 5, 4, 3, 9, 3] {
            ranges.insert(offset);
        }
        assert_eq!((ranges.len(), ranges.first()), (2, Some(1)));
        assert!(ranges.remove(3) && !ranges.remove(3) && !ranges.remove(7));
        assert_eq!(ranges.len(), 3);
        assert!(ranges.remove(1) && ranges.remove(2));
        assert_eq!((ranges.len(), ranges.first()), (2, Some(4)));
    }
}
