//! The partitions owned now, each with the generation in which it was assigned.

use std::fmt;
use std::sync::Arc;

/// One partition of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: &str, partition: i32) -> Self {
        Self { topic: Arc::from(topic), partition }
    }
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// Counts the assignments of this process; a partition that leaves and comes back has a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Generation(pub u64);

/// A partition as it is owned in one generation. Whatever is said about another generation of it counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Held {
    pub at: TopicPartition,
    pub generation: Generation,
}

/// One ordered queue inside an owned partition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LaneId {
    pub held: Held,
    /// From 0, below the configured number of lanes.
    pub lane: u32,
}

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.held.at, self.lane)
    }
}
