//! How events spread over codes and partitions.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One topic's acknowledged events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TopicSpread {
    pub topic: String,
    /// As Kafka said at the start; in a run that started without it, up to the highest that was acknowledged.
    pub partitions: u32,
    pub acknowledged: u64,
    /// Events of the fullest partition over the mean of all; 1 is perfectly even.
    pub hottest_partition_over_mean: f64,
    /// Acknowledged events of every partition, by its number.
    #[serde(default)]
    pub events: Vec<u64>,
}

/// The share of all events that the `hottest` busiest codes have.
pub fn hottest_share(codes: &HashMap<u32, u64>, hottest: usize) -> f64 {
    let mut counts: Vec<u64> = codes.values().copied().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let (hot, all): (u64, u64) = (counts.iter().take(hottest).sum(), counts.iter().sum());
    if all == 0 { 0.0 } else { hot as f64 / all as f64 }
}

/// The spread over the partitions of a topic; partitions without an event count too.
pub fn spread(topic: &str, partitions: u32, events: &[u64]) -> TopicSpread {
    let acknowledged: u64 = events.iter().sum();
    let partitions = partitions.max(events.len() as u32);
    let mean = acknowledged as f64 / f64::from(partitions.max(1));
    let fullest = events.iter().copied().max().unwrap_or_default() as f64;
    let hottest_partition_over_mean = if mean > 0.0 { fullest / mean } else { 0.0 };
    let mut events = events.to_vec();
    events.resize(partitions as usize, 0);
    TopicSpread { topic: topic.to_owned(), partitions, acknowledged, hottest_partition_over_mean, events }
}
