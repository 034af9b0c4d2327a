//! Lag over time, in records and in seconds, as an outsider sees it: from committed offsets and ends alone.

use crate::kafka_view::TopicPartition;
use serde::Serialize;
use std::collections::BTreeMap;

/// One look at all partitions.
pub type Offsets = BTreeMap<TopicPartition, i64>;

/// Lag at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sample {
    /// Since the load began.
    pub at_seconds: f64,
    pub records: i64,
    /// Age of the oldest record that is not finished, to the time between two looks.
    pub late_seconds: f64,
}

/// A lag over time. Ends that were seen before tell how old the first unfinished record is.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LagCurve {
    pub samples: Vec<Sample>,
    #[serde(skip)]
    ends: Vec<(f64, Offsets)>,
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

impl LagCurve {
    /// Adds a look: the group's committed next offsets, and the ends of the partitions.
    pub fn add(&mut self, at_seconds: f64, committed: &Offsets, ends: Offsets) -> Sample {
        let behind = |(at, end): (&TopicPartition, &i64)| end - committed.get(at).copied().unwrap_or(0).min(*end);
        let records = ends.iter().map(behind).sum();
        self.ends.push((at_seconds, ends));
        let late_seconds = committed.iter().map(|(at, next)| self.age(at_seconds, at, *next)).fold(0.0, f64::max);
        let sample = Sample { at_seconds, records, late_seconds };
        self.samples.push(sample);
        sample
    }

    /// Since when something lies beyond `next`.
    fn age(&self, now: f64, at: &TopicPartition, next: i64) -> f64 {
        let reached = |ends: &Offsets| ends.get(at).is_some_and(|end| *end <= next);
        match self.ends.iter().rev().find(|(_, ends)| reached(ends)) {
            Some((seen, _)) => now - seen,
            None => now - self.ends.first().map_or(now, |(first, _)| *first),
        }
    }

    /// The samples from `since` on, as a curve of its own.
    pub fn from(&self, since: f64) -> Self {
        let samples = self.samples.iter().filter(|sample| sample.at_seconds >= since).copied().collect();
        Self { samples, ends: Vec::new() }
    }

    /// The most records behind.
    pub fn peak(&self) -> i64 {
        self.samples.iter().map(|sample| sample.records).max().unwrap_or(0)
    }

    /// The most seconds behind.
    pub fn latest(&self) -> f64 {
        self.samples.iter().map(|sample| sample.late_seconds).fold(0.0, f64::max)
    }

    /// A bar for each sample, against `full` records.
    pub fn bars(&self, full: i64) -> String {
        let top = BARS.len() as i64 - 1;
        let bar = |sample: &Sample| BARS[(sample.records.max(0) * top / full.max(1)).min(top) as usize];
        self.samples.iter().map(bar).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{LagCurve, Offsets};

    fn offsets(of: &[i64]) -> Offsets {
        (0..).zip(of).map(|(partition, offset)| (("t".to_owned(), partition), *offset)).collect()
    }

    #[test]
    fn the_oldest_unfinished_record_is_as_old_as_the_last_look_at_which_nothing_was_left() {
        let mut curve = LagCurve::default();
        curve.add(0.0, &offsets(&[10, 10]), offsets(&[10, 10]));
        curve.add(1.0, &offsets(&[10, 15]), offsets(&[20, 15]));
        curve.add(2.0, &offsets(&[10, 25]), offsets(&[30, 25]));
        curve.add(3.0, &offsets(&[20, 35]), offsets(&[40, 35]));
        let seen: Vec<_> = curve.samples.iter().map(|sample| (sample.records, sample.late_seconds)).collect();
        assert_eq!(seen, [(0, 0.0), (10, 1.0), (20, 2.0), (20, 2.0)]);
        assert_eq!((curve.peak(), curve.latest(), curve.bars(20).as_str()), (20, 2.0, "▁▄██"));
        assert_eq!(curve.from(2.0).samples.len(), 2);
    }
}
