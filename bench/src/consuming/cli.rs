//! The command line: what is measured, and where the figures go.

/// What the bench starts itself, each in a process of its own.
mod child;

use crate::consuming::report::Report;
use crate::consuming::rival::Rival;
use crate::consuming::rounds::{self, Plan};
use crate::consuming::settings::{self, SettingsFiles};
use crate::consuming::{backlog, bounds, path, steady, streams, waiting};
use crate::outcome;
use crate::world::{PARTITIONS, World};
use anyhow::{Context, Result};
use child::Command;
use clap::{Parser, ValueEnum};
use runtime::exit::Failure;
use std::path::{Path, PathBuf};

/// Beyond what a rival reads: nobody comes to the end of a partition.
const SPARE: u64 = 100_000;
/// The parts without rivals read so many records a second at most, for so many seconds of settling.
const FASTEST: u64 = 400_000;
const TOPIC: &str = "bench";
const IN_FLIGHT: u32 = 512;

/// Holds the consumer against librdkafka's rdkafka_performance and Java's client on three local Kafka brokers with mutual TLS; then
/// against functions that take their time, and lets it run at 13,000 records/s.
///
/// Exit codes: 0 every bound holds, 1 one is missed (it is named) or a part failed, 64 bad usage.
#[derive(Debug, Parser)]
#[command(name = "comboio-bench-consumer", version)]
pub struct Cli {
    #[command(subcommand)]
    child: Option<Command>,
    /// Rounds that count; as many runs as it takes go before them to warm the brokers up
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Records of each run of a rival
    #[arg(long, default_value_t = 6_000_000, value_parser = clap::value_parser!(u64).range(10_000..=50_000_000))]
    records: u64,
    /// Seconds of each look at throughput and CPU
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=600))]
    seconds: u64,
    /// Seconds of the steady load
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(4..=3_600))]
    steady_seconds: u64,
    /// Only these parts
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
    /// Only these rivals; bounds that need another one are not judged
    #[arg(long, value_enum, value_delimiter = ',')]
    rivals: Vec<Rival>,
    /// Where the figures go as JSON [default: bench/consumer.json in the target folder]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keeps certificates, settings, logs and brokers' data in this empty folder
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// A part of the bench.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The rivals, as fast as they can
    Rivals,
    /// Throughput against latency, lanes, calls at once, pauses
    Latency,
    /// CPU of the whole consumer at two latencies
    Path,
    /// 13,000 records/s
    Steady,
}

/// Does what the command line asks for.
///
/// # Errors
/// A bound that is missed, or a part that failed.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let failed = |error: anyhow::Error| Failure::failed(format!("{error:#}"));
    if let Some(child) = &cli.child {
        return child.run().map_err(failed);
    }
    let report = all(&cli).map_err(failed)?;
    outcome::tell(&report, &crate::bound::missed(&report.bounds), &outcome::json(cli.json.as_deref(), "consumer"))
}

impl Cli {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// What the parts that read the large topic need.
    fn backlog(&self) -> u64 {
        let rivals = if self.wants(Part::Rivals) { self.records } else { 0 };
        let looks = if self.wants(Part::Latency) || self.wants(Part::Path) { (self.seconds + 5) * FASTEST } else { 0 };
        rivals.max(looks)
    }
}

fn all(cli: &Cli) -> Result<Report> {
    let temporary = tempfile::tempdir()?;
    let folder = cli.folder.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder).with_context(|| format!("cannot use {}", folder.display()))?;
    let folder = std::path::absolute(folder)?;
    let mut report = Report {
        processors: std::thread::available_parallelism().map_or(0, usize::from),
        load_before: outcome::load().unwrap_or_default(),
        rounds: cli.rounds,
        records: cli.records,
        ..Report::default()
    };
    eprintln!("bench: starting three brokers");
    let mut world = World::start(&folder)?;
    if cli.backlog() > 0 {
        eprintln!("bench: writing {} records", cli.backlog() + SPARE);
        backlog::fill(&world, (TOPIC, PARTITIONS), cli.backlog() + SPARE, &folder)?;
        world.settle()?;
        let settings = settings::write(&world, TOPIC, &folder)?;
        report.settings.clone_from(&settings.shared);
        read(cli, &mut world, (&settings, &folder), &mut report)?;
    }
    if cli.wants(Part::Steady) {
        eprintln!("bench: the steady load, {} s", cli.steady_seconds);
        let steady = steady::run(&mut world, cli.steady_seconds, &folder)?;
        report.bounds.extend(bounds::of_steady(&steady, crate::consuming::flow_figures::RATE));
        report.steady = Some(steady);
    }
    Ok(report)
}

/// The parts that read the large topic.
fn read(cli: &Cli, world: &mut World, (settings, folder): (&SettingsFiles, &Path), report: &mut Report) -> Result<()> {
    if cli.wants(Part::Rivals) {
        let rivals = if cli.rivals.is_empty() { Rival::ALL.to_vec() } else { cli.rivals.clone() };
        let plan = Plan { topic: TOPIC, rounds: cli.rounds, records: cli.records, rivals };
        let runs = rounds::run(&plan, world, (settings, folder))?;
        report.bounds.extend(bounds::of_rivals(&runs));
        report.take(runs);
    }
    if cli.wants(Part::Latency) {
        eprintln!("bench: functions that take their time");
        report.flows = waiting::flows(world, (settings, folder), cli.seconds)?;
        report.bounds.extend(bounds::of_flows(&report.flows));
        let refetch = waiting::refetch(settings, folder, cli.seconds)?;
        report.bounds.extend(bounds::of_refetch(&refetch));
        report.refetch = Some(refetch);
        let streams = streams::run(world, IN_FLIGHT, cli.seconds, folder)?;
        report.bounds.extend(bounds::of_streams(&streams));
        report.streams = Some(streams);
    }
    if cli.wants(Part::Path) {
        eprintln!("bench: the whole consumer");
        report.paths = path::runs(&settings.ours, cli.seconds)?;
        report.bounds.extend(bounds::of_paths(&report.paths));
    }
    Ok(())
}
