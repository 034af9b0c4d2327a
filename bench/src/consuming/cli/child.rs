//! What the bench starts itself, each in a process of its own: it says one line of JSON at its end.

use crate::consuming::rival::Rival;
use crate::consuming::{collect, flow, no_op, refetch, settings, streams, unchecked};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use consumer::config::Config;
use serde::Serialize;
use std::path::PathBuf;
use std::time::Duration;

/// One process of ours.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// One run of a rival
    #[command(hide = true)]
    Rival {
        #[arg(value_enum)]
        rival: Rival,
        #[command(flatten)]
        from: Origin,
        #[arg(long)]
        records: u64,
    },
    /// The consumer with functions inside this process
    #[command(hide = true)]
    Flow {
        #[command(flatten)]
        from: Origin,
        #[command(flatten)]
        look: Look,
        #[arg(long, default_value_t = 1)]
        lanes: u32,
    },
    /// The poll thread with slow answers, and the client's statistics
    #[command(hide = true)]
    Refetch {
        #[command(flatten)]
        from: Origin,
        #[command(flatten)]
        look: Look,
    },
    /// Lambda's client with many calls at once; ends when it is killed
    #[command(hide = true)]
    Streams {
        #[arg(long)]
        endpoint: String,
        #[arg(long)]
        in_flight: u32,
    },
}

/// What is read, and as who.
#[derive(Debug, Args)]
pub struct Origin {
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    group: String,
}

/// How long a function takes, and how long it is looked at.
#[derive(Debug, Args)]
pub struct Look {
    #[arg(long)]
    latency_ms: u64,
    #[arg(long)]
    seconds: u64,
}

impl Command {
    /// Runs it to its end.
    ///
    /// # Errors
    /// What it is made of fails.
    pub fn run(&self) -> Result<()> {
        match self {
            Self::Rival { rival, from, records } => {
                let config = from.config(&[])?;
                say(&match rival {
                    Rival::NoOp => no_op::run(&config, *records)?,
                    Rival::Unchecked => unchecked::run(&config, *records)?,
                    Rival::Collect => collect::run(&config, *records)?,
                    Rival::C | Rival::Java => bail!("{rival} is a program of its own"),
                })
            }
            Self::Flow { from, look, lanes } => {
                let config = from.config(&[("CONSUMER__LANES", lanes.to_string())])?;
                say(&flow::run(config, look.latency(), look.seconds)?)
            }
            Self::Refetch { from, look } => {
                let config = from.config(&[("KAFKA__STATISTICS_INTERVAL", "1s".into())])?;
                say(&refetch::run(&config, look.latency(), look.seconds)?)
            }
            Self::Streams { endpoint, in_flight } => streams::call(endpoint, *in_flight),
        }
    }
}

impl Origin {
    fn config(&self, changes: &[(&str, String)]) -> Result<Config> {
        let group = [("CONSUMER__GROUP", self.group.clone())];
        settings::read(&self.config, &[&group[..], changes].concat())
    }
}

impl Look {
    fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }
}

fn say(told: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(told)?);
    Ok(())
}
