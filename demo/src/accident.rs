//! What a consumer held when it died or stood still: only this may come again.

use crate::kafka_view::TopicPartition;
use localenv::collector::Snapshot;
use std::collections::BTreeMap;
use std::ops::Range;

/// What an accident may explain.
#[derive(Debug, Clone, Default)]
pub struct Accident {
    /// Its name in sentences: "the kill".
    pub name: &'static str,
    /// Of each partition of its consumer the offsets that may come again: from the committed one on.
    pub windows: BTreeMap<TopicPartition, Range<i64>>,
}

impl Accident {
    /// `committed` and `until` are next offsets: what was committed when it happened, and where what the consumer held ends.
    pub fn new(
        name: &'static str,
        committed: &BTreeMap<TopicPartition, i64>,
        until: impl Fn(&TopicPartition) -> i64,
    ) -> Self {
        let window = |(at, next): (&TopicPartition, &i64)| (at.clone(), *next..until(at).max(*next));
        Self { name, windows: committed.iter().map(window).collect() }
    }

    /// The most records that may come again.
    pub fn in_flight(&self) -> u64 {
        self.windows.values().map(|window| window.end.abs_diff(window.start)).sum()
    }

    /// Batches with duplicates that hold nothing of what the consumer held, and how many: it does not explain these.
    pub fn duplicates_elsewhere(&self, seen: &Snapshot) -> BTreeMap<String, u64> {
        let explained = |id: &str| batch(id).is_some_and(|(at, offsets)| self.touches(&at, &offsets));
        let elsewhere = seen.duplicate_batches.iter().filter(|(id, _)| !explained(id));
        elsewhere.map(|(id, count)| (id.clone(), *count)).collect()
    }

    fn touches(&self, at: &TopicPartition, offsets: &Range<i64>) -> bool {
        self.windows.get(at).is_some_and(|window| offsets.start < window.end && window.start < offsets.end)
    }

    /// Of the repeated dead letters those that it explains: their record was its consumer's, and not yet committed.
    pub fn explains(&self, repeated: &[(TopicPartition, i64)]) -> u64 {
        let own =
            |(at, offset): &&(TopicPartition, i64)| self.windows.get(at).is_some_and(|window| *offset >= window.start);
        repeated.iter().filter(own).count() as u64
    }
}

/// Partition and offsets in a batch id, `topic/partition/first-last`.
fn batch(id: &str) -> Option<(TopicPartition, Range<i64>)> {
    let mut parts = id.rsplitn(3, '/');
    let (offsets, partition, topic) = (parts.next()?, parts.next()?, parts.next()?);
    let (first, last) = offsets.split_once('-')?;
    Some(((topic.to_owned(), partition.parse().ok()?), first.parse().ok()?..last.parse::<i64>().ok()? + 1))
}

#[cfg(test)]
mod tests {
    use super::{Accident, batch};
    use localenv::collector::Snapshot;

    #[test]
    fn duplicates_are_told_apart_by_the_records_that_were_held() {
        let at = |partition| ("mt-c400".to_owned(), partition);
        assert_eq!(batch("mt-c400/7/120-619"), Some((at(7), 120..620)));
        let accident =
            Accident::new("the kill", &[(at(7), 120), (at(9), 40)].into(), |at| if at.1 == 7 { 150 } else { 3 });
        assert_eq!(accident.in_flight(), 30, "nothing of a partition of which nothing arrived");
        let mut seen = Snapshot::default();
        for (id, count) in [("100-120", 2), ("149-160", 1), ("0-119", 4), ("150-160", 8)] {
            seen.duplicate_batches.insert(format!("mt-c400/7/{id}"), count);
        }
        seen.duplicate_batches.insert("mt-c400/8/120-130".into(), 16);
        assert_eq!(accident.duplicates_elsewhere(&seen).values().sum::<u64>(), 28);
        assert_eq!(accident.explains(&[(at(7), 120), (at(7), 119), (at(8), 500)]), 1);
    }
}
