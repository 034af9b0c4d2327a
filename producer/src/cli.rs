//! The command line: `comboio-producer run|check|plan|compare`.

use crate::app::{self, Outputs};
use crate::compare::{self, Compare};
use crate::config::{self, Config, Overrides, Raw};
use crate::plan;
use clap::{Args, Parser, Subcommand};
use runtime::config::{ConfigError, Loaded, Span, environment, load};
use runtime::exit::Failure;
use runtime::output_file;
use runtime::stdout;
use std::path::PathBuf;

/// Puts telemetry events into Kafka: taken over HTTP, replayed from files, or generated from a load profile.
#[derive(Debug, Parser)]
#[command(name = "comboio-producer", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs until the source ends or SIGTERM comes, then prints the report.
    Run(Run),
    /// Checks configuration, certificates and profile, and prints every setting with its origin. With --profile and no
    /// configuration it checks the profile alone.
    Check(Check),
    /// Shows what a profile makes, without a broker.
    Plan(Plan),
    /// Holds the reports of two runs against each other.
    Compare(Compare),
}

#[derive(Debug, Args)]
struct Common {
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Another profile than the configuration's.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// Events/s: scales the profile's shape to this peak, or replaces the replay's rate.
    #[arg(long, value_name = "EVENTS/S")]
    rate: Option<f64>,
    /// Length of a generated run, for example 30s.
    #[arg(long, value_name = "TIME")]
    duration: Option<Span>,
    /// The run's id, up to 16 of a-z and 0-9.
    #[arg(long, value_name = "ID")]
    run: Option<String>,
}

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    common: Common,
    /// Writes the report as JSON, for programs and for `compare`.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Writes the ledger: for every run, truck and codigo which seqs were offered and acknowledged (NDJSON).
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Writes the acknowledgement latencies of every second in HdrHistogram's log format, while it runs.
    #[arg(long, value_name = "FILE")]
    histogram: Option<PathBuf>,
    /// Writes the report as a page with plots: one file that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Check {
    #[command(flatten)]
    common: Common,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Plan {
    #[command(flatten)]
    common: Common,
    /// Partitions of every topic.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    partitions: u32,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

impl Common {
    fn load(&self) -> Result<Loaded<Raw>, ConfigError> {
        load::<Raw>(self.config.as_deref(), environment())
    }

    fn overrides(&self) -> Overrides {
        Overrides {
            rate: self.rate,
            duration: self.duration.map(Span::get),
            profile: self.profile.clone(),
            run: self.run.clone(),
        }
    }
}

/// Does what the command line asks for.
///
/// # Errors
/// Bad configuration or usage, or the surroundings.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Run(args) => run_flow(args),
        Command::Check(args) => check(&args),
        Command::Plan(args) => show_plan(&args),
        Command::Compare(args) => compare::run(&args),
    }
}

fn run_flow(args: Run) -> Result<(), Failure> {
    let loaded = args.common.load()?;
    let overrides = args.common.overrides();
    let config = Config::validate(&loaded, &overrides)?;
    let outputs = [&args.report, &args.ledger, &args.histogram, &args.html].map(Option::as_deref);
    let outputs: Vec<_> = outputs.into_iter().flatten().collect();
    output_file::check_all(&outputs, &config::kept(&loaded, &overrides)).map_err(Failure::usage)?;
    runtime::logs::init(&config.logs);
    let Run { report, ledger, histogram, html, .. } = args;
    app::run(config, Outputs { report, ledger, histogram, html })
}

fn check(args: &Check) -> Result<(), Failure> {
    let loaded = args.common.load()?;
    let overrides = args.common.overrides();
    if let Some(profile) = config::only_a_profile(&loaded, &overrides)? {
        if args.json {
            return stdout::say(format_args!("{}\n", serde_json::to_string_pretty(&profile)?));
        }
        let (purpose, events, duration) = (&profile.purpose, profile.events(), profile.duration);
        return stdout::say(format_args!("{purpose}\n  {events} events in {duration:?}\n"));
    }
    let config = Config::validate(&loaded, &overrides)?;
    if args.json {
        return stdout::say(format_args!("{}\n", serde_json::to_string_pretty(&loaded.effective())?));
    }
    stdout::say(format_args!("{}{}", loaded.effective(), config.kafka.shown()))?;
    if !config.run.instance.is_alone() {
        stdout::say(format_args!("# instance {} has of these limits {}\n", config.run.instance, config.limits))?;
    }
    Ok(())
}

fn show_plan(args: &Plan) -> Result<(), Failure> {
    let loaded = args.common.load()?;
    let parts = config::to_plan(&loaded, &args.common.overrides())?;
    let plan = plan::plan(&parts, args.partitions).map_err(Failure::usage)?;
    if args.json {
        return stdout::say(format_args!("{}\n", serde_json::to_string_pretty(&plan)?));
    }
    stdout::say(plan)
}
