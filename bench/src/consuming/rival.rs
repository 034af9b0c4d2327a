//! Who is measured against whom.

use clap::ValueEnum;
use serde::Serialize;
use std::fmt;

/// A way to take the same records from the same topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rival {
    /// Our client, polled as the poll thread polls it; records are dropped.
    NoOp,
    /// Batches and requests without the look at each value: what the desk does otherwise, made of its parts.
    Unchecked,
    /// The poll thread and its desk: batches, the JSON check, requests, commits.
    Collect,
    /// librdkafka's own rdkafka_performance.
    C,
    /// Java's ConsumerPerformance.
    Java,
}

impl Rival {
    /// The order of a round.
    pub const ALL: [Self; 5] = [Self::C, Self::NoOp, Self::Unchecked, Self::Collect, Self::Java];

    /// As it stands in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::NoOp => "ours, no-op",
            Self::Unchecked => "ours, batches",
            Self::Collect => "ours, and JSON",
            Self::C => "rdkafka_performance",
            Self::Java => "Java client",
        }
    }

    /// Whether it is a process of ours, whose memory has a bound.
    pub fn is_ours(self) -> bool {
        !matches!(self, Self::C | Self::Java)
    }
}

impl fmt::Display for Rival {
    /// The name on the command line and in file names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoOp => "no-op",
            Self::Unchecked => "unchecked",
            Self::Collect => "collect",
            Self::C => "c",
            Self::Java => "java",
        })
    }
}
