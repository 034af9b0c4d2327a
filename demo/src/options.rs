//! What a person chooses: story, broker, rate, duration, consumers, fault.

use clap::{Parser, ValueEnum};
use std::fmt;
use std::path::PathBuf;

/// Real processes carry truck telemetry from a producer through Kafka and a consumer group into a Rust Lambda; on the way
/// something happens to one of them (the story); at the end a ledger proves what arrived.
///
/// Exit codes: 0 the proof holds, 1 it does not or the journey failed, 64 bad usage.
#[derive(Debug, Clone, Parser)]
#[command(name = "comboio-demo", version)]
pub struct Options {
    /// What happens on the way
    #[arg(long, value_enum, default_value_t = Story::Kill)]
    pub story: Story,
    /// Which Kafka: a mock inside this process, real Apache Kafka (three brokers, mTLS, ACLs). The story kill takes either, all
    /// others need kafka [default: embedded for kill, else kafka]
    #[arg(long, value_enum)]
    pub broker: Option<BrokerKind>,
    /// Events per second [default: 13000 for kill, else 5000]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub rate: Option<u32>,
    /// Seconds of load; a story but kill goes on for as long as it takes, and at least for so long [default: 60 for kill, else 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(4..=3600))]
    pub duration: Option<u32>,
    /// Consumers in the group; at its largest in the story scaling [default: 3, 6 for scaling]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36))]
    pub consumers: Option<u32>,
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

/// What happens on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Story {
    /// A consumer is killed half-way, and a new one joins
    Kill,
    /// A consumer stands still for longer than the group waits for it, and then goes on
    Freeze,
    /// All consumers are restarted, one after the other
    Rolling,
    /// From one consumer to six and back, twice
    Scaling,
    /// One of three brokers is killed and comes back
    Broker,
    /// The broker that coordinates the group is stopped
    Coordinator,
    /// The largest topic gets twice its partitions
    Partitions,
    /// The incident: consumers restarted all at once while the function is slow, and then one at a time
    Sev2,
}

/// Which Kafka the journey runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BrokerKind {
    Embedded,
    Kafka,
}

/// A fault of the outside world, of an operator or of a test-only consumer; the proof must find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fault {
    None,
    /// The collector forgets a few deliveries
    DropDelivery,
    /// One consumer commits before the answer; it is the one that the story kills, freezes or stops first
    CommitEarly,
    /// Partitions are added while the producer sends
    NoHold,
}

/// The word on the command line.
fn word<T: ValueEnum>(choice: &T, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    choice.to_possible_value().map_or(Ok(()), |value| f.write_str(value.get_name()))
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        word(self, f)
    }
}

impl fmt::Display for BrokerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        word(self, f)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        word(self, f)
    }
}

impl Story {
    /// True when the load lasts exactly as long as was asked for, and not until the story has come to its end.
    pub fn has_fixed_load(self) -> bool {
        self == Self::Kill
    }
}

impl Options {
    /// Reads a command line.
    ///
    /// # Errors
    /// What clap says, and what does not fit together.
    pub fn read<T: Into<std::ffi::OsString> + Clone>(line: impl IntoIterator<Item = T>) -> Result<Self, clap::Error> {
        let options = Self::try_parse_from(line)?;
        let refuse = |why: &str| {
            let mut command = <Self as clap::CommandFactory>::command();
            Err(command.error(clap::error::ErrorKind::ArgumentConflict, why))
        };
        if options.story != Story::Kill && options.broker() == BrokerKind::Embedded {
            return refuse(&format!("the story {} needs --broker kafka", options.story));
        }
        if options.story != Story::Partitions && options.fault == Fault::NoHold {
            return refuse("the fault no-hold belongs to the story partitions");
        }
        if matches!(options.story, Story::Freeze | Story::Rolling | Story::Scaling | Story::Sev2)
            && options.consumers() < 2
        {
            return refuse(&format!("the story {} needs two consumers or more", options.story));
        }
        Ok(options)
    }

    pub fn broker(&self) -> BrokerKind {
        let usual = if self.story == Story::Kill { BrokerKind::Embedded } else { BrokerKind::Kafka };
        self.broker.unwrap_or(usual)
    }

    /// Events per second.
    pub fn rate(&self) -> u32 {
        self.rate.unwrap_or(if self.story == Story::Kill { 13_000 } else { 5_000 })
    }

    /// Seconds of load.
    pub fn duration(&self) -> u32 {
        self.duration.unwrap_or(if self.story == Story::Kill { 60 } else { 10 })
    }

    /// Consumers in the group, at its largest.
    pub fn consumers(&self) -> u32 {
        self.consumers.unwrap_or(if self.story == Story::Scaling { 6 } else { 3 })
    }

    /// Where the JSON report goes.
    pub fn report_file(&self) -> PathBuf {
        self.report.clone().unwrap_or_else(|| self.folder.join("report.json"))
    }
}

#[cfg(test)]
mod tests {
    use super::{BrokerKind, Options};

    fn read(line: &str) -> Result<Options, String> {
        Options::read(line.split(' ')).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_story_has_its_own_defaults() {
        let kill = read("comboio-demo").unwrap();
        assert_eq!((kill.broker(), kill.rate(), kill.duration()), (BrokerKind::Embedded, 13_000, 60));
        let scaling = read("comboio-demo --story scaling").unwrap();
        assert_eq!((scaling.broker(), scaling.rate(), scaling.consumers()), (BrokerKind::Kafka, 5_000, 6));
    }

    #[test]
    fn what_does_not_fit_together_is_refused_in_a_sentence() {
        for (line, says) in [
            ("comboio-demo --story freeze --broker embedded", "the story freeze needs --broker kafka"),
            ("comboio-demo --fault no-hold", "belongs to the story partitions"),
            ("comboio-demo --story rolling --consumers 1", "needs two consumers or more"),
        ] {
            let refusal = read(line).unwrap_err();
            assert!(refusal.contains(says), "{line}: {refusal}");
        }
    }
}
