//! The command line: what is measured, and where the figures go.

use crate::events::{EventFiles, Events};
use crate::outcome;
use crate::producing::bounds;
use crate::producing::report::Report;
use crate::producing::rival::Rival;
use crate::producing::rounds::{self, Plan};
use crate::producing::{futures, send_stage, settings, steady};
use crate::world::World;
use anyhow::{Context, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use runtime::exit::Failure;
use std::path::PathBuf;

/// Holds the producer against librdkafka from C, Java's client and FutureProducer, on three local Kafka brokers with mutual
/// TLS; then lets it run at 13,000 events/s.
///
/// Exit codes: 0 every bound holds, 1 one is missed (it is named) or a part failed, 64 bad usage.
#[derive(Debug, Parser)]
#[command(name = "comboio-bench-producer", version)]
pub struct Cli {
    #[command(subcommand)]
    rival: Option<Command>,
    /// Rounds that count; as many runs as it takes go before them to warm the brokers up
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Records of each run
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    records: u64,
    /// Seconds of the steady load
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(4..=3_600))]
    steady_seconds: u64,
    /// Only one of the two parts
    #[arg(long, value_enum)]
    only: Option<Part>,
    /// Only these rivals; bounds that need another one are not judged
    #[arg(long, value_enum, value_delimiter = ',')]
    rivals: Vec<Rival>,
    /// Where the figures go as JSON [default: bench/producer.json in the target folder]
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
    /// 13,000 events/s
    Steady,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One run of a rival of ours, started by the bench itself
    #[command(hide = true)]
    Rival(RivalArgs),
}

#[derive(Debug, Args)]
struct RivalArgs {
    #[arg(value_enum)]
    rival: Rival,
    #[arg(long)]
    config: PathBuf,
    #[arg(long)]
    records: u64,
    #[arg(long)]
    values: PathBuf,
    #[arg(long)]
    keys: PathBuf,
}

/// Does what the command line asks for.
///
/// # Errors
/// A bound that is missed, or a part that failed.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match &cli.rival {
        Some(Command::Rival(args)) => be(args).map_err(failed),
        None => measure(&cli),
    }
}

fn failed(error: anyhow::Error) -> Failure {
    Failure::failed(format!("{error:#}"))
}

fn be(args: &RivalArgs) -> Result<()> {
    let config = settings::read(&args.config)?;
    let events = Events::read(&EventFiles { values: args.values.clone(), keys: args.keys.clone() })?;
    let told = match args.rival {
        Rival::Futures => futures::run(&config, events, args.records)?,
        _ => send_stage::run(&config, &events, args.records)?,
    };
    println!("{}", serde_json::to_string(&told)?);
    Ok(())
}

fn measure(cli: &Cli) -> Result<(), Failure> {
    let report = all(cli).map_err(failed)?;
    outcome::tell(&report, &report.missed(), &outcome::json(cli.json.as_deref(), "producer"))
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
    let (runs, settings) = rounds::run(&plan(cli), &mut world, &folder)?;
    if cli.only != Some(Part::Steady) {
        report.bounds.extend(bounds::of_rivals(&runs));
        report.take(runs);
        report.settings = settings.shared;
    }
    if cli.only != Some(Part::Rivals) {
        eprintln!("bench: the steady load, {} s", cli.steady_seconds);
        let steady = steady::run(&mut world, cli.steady_seconds, &folder)?;
        report.bounds.extend(bounds::of_steady(&steady));
        report.steady = Some(steady);
    }
    Ok(report)
}

/// The steady load alone needs warm brokers as well, and nothing else.
fn plan(cli: &Cli) -> Plan {
    let (rounds, rivals) = match (cli.only, cli.rivals.as_slice()) {
        (Some(Part::Steady), _) => (0, vec![Rival::C]),
        (_, []) => (cli.rounds, Rival::ALL.to_vec()),
        (_, some) => (cli.rounds, some.to_vec()),
    };
    Plan { rounds, records: cli.records, rivals }
}
