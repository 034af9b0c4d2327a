//! Who is measured against whom.

use clap::ValueEnum;
use serde::Serialize;
use std::fmt;

/// A way to bring the same events to the same topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rival {
    /// Our send stage with events that are already encoded.
    SendStage,
    /// The whole producer: fleet model, encoding, key, route, rate check, ledger, metrics.
    WholePath,
    /// librdkafka from a small C program.
    C,
    /// The same program with `rd_kafka_produce_batch`, only when asked for: it can give a record no time of its own.
    CBatch,
    /// Java's ProducerPerformance.
    Java,
    /// rdkafka's FutureProducer, an awaited future for each event.
    Futures,
    /// Our send stage without TLS.
    Plaintext,
}

impl Rival {
    /// The order of a round, when nobody says which.
    pub const ALL: [Self; 6] = [Self::SendStage, Self::C, Self::WholePath, Self::Java, Self::Futures, Self::Plaintext];

    /// As it stands in the table.
    pub fn title(self) -> &'static str {
        match self {
            Self::SendStage => "ours, pre-encoded",
            Self::WholePath => "ours, whole path",
            Self::C => "librdkafka from C",
            Self::CBatch => "C, produce_batch",
            Self::Java => "Java client",
            Self::Futures => "FutureProducer",
            Self::Plaintext => "ours, plain text",
        }
    }
}

impl fmt::Display for Rival {
    /// The name on the command line and in file names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SendStage => "send-stage",
            Self::WholePath => "whole-path",
            Self::C => "c",
            Self::CBatch => "c-batch",
            Self::Java => "java",
            Self::Futures => "futures",
            Self::Plaintext => "plaintext",
        })
    }
}
