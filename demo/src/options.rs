//! What a person chooses: broker, rate, duration, consumers, fault.

use clap::{Parser, ValueEnum};
use std::fmt;
use std::path::PathBuf;

/// Real processes carry truck telemetry from a producer through Kafka and a consumer group into a Rust Lambda; half-way one
/// consumer is killed; at the end a ledger proves what arrived.
///
/// Exit codes: 0 the proof holds, 1 it does not or the journey failed, 64 bad usage.
#[derive(Debug, Clone, Parser)]
#[command(name = "comboio-demo", version)]
pub struct Options {
    /// Which Kafka: a mock inside this process, real Apache Kafka (three brokers, mTLS, ACLs)
    #[arg(long, value_enum, default_value_t = BrokerKind::Embedded)]
    pub broker: BrokerKind,
    /// Events per second
    #[arg(long, default_value_t = 13_000, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub rate: u32,
    /// Seconds of load
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(4..=3600))]
    pub duration: u32,
    /// Consumers in the group
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=36))]
    pub consumers: u32,
    /// Break it on purpose and see the proof fail
    #[arg(long, value_enum, default_value_t = Fault::None)]
    pub fault: Fault,
    /// Folder for the report, logs and configuration of this run
    #[arg(long, default_value = "target/demo")]
    pub folder: PathBuf,
    /// Where the report goes [default: report.json in the folder]
    #[arg(long)]
    pub report: Option<PathBuf>,
    /// Print the report as JSON instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Which Kafka the journey runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BrokerKind {
    Embedded,
    Kafka,
}

/// A fault of the outside world or of a test-only consumer; the proof must find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    None,
    /// The collector forgets a few deliveries
    DropDelivery,
    /// One consumer commits before the answer, and is then killed
    CommitEarly,
}

impl fmt::Display for BrokerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::Kafka => "kafka",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::DropDelivery => "drop-delivery",
            Self::CommitEarly => "commit-early",
        })
    }
}

impl Options {
    /// Where the JSON report goes.
    pub fn report_file(&self) -> PathBuf {
        self.report.clone().unwrap_or_else(|| self.folder.join("report.json"))
    }
}
