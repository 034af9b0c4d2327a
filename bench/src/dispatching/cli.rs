//! The command line: which packages, how often, and where the figures go.

use crate::dispatching::deployed;
use crate::dispatching::package::Package;
use crate::dispatching::report::Report;
use crate::dispatching::speed::{self, RECORDS};
use crate::events::DISTINCT;
use crate::outcome;
use anyhow::{Result, ensure};
use clap::Parser;
use runtime::exit::Failure;
use std::fs;
use std::path::{Path, PathBuf};

const MOST_BATCHES: u64 = (DISTINCT / RECORDS) as u64;

/// Says how large the dispatcher's packages are, deploys the one for this machine to an emulator of AWS and invokes it there,
/// and measures its process: cold start, batches of 500 records, memory.
///
/// Exit codes: 0 every bound holds, 1 one is missed (it is named) or a part failed, 64 bad usage.
#[derive(Debug, Parser)]
#[command(name = "comboio-bench-dispatcher", version)]
pub struct Cli {
    /// The packages, as `make package-dispatcher` builds them
    #[arg(required = true, value_name = "ZIP")]
    packages: Vec<PathBuf>,
    /// Cold starts that are measured
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    starts: u64,
    /// Batches that are measured; at 200 the memory of the dedupe is full
    #[arg(long, default_value_t = MOST_BATCHES, value_parser = clap::value_parser!(u64).range(2..=MOST_BATCHES))]
    batches: u64,
    /// Where the figures go as JSON [default: bench/dispatcher.json in the target folder]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Does what the command line asks for.
///
/// # Errors
/// A bound that is missed, or a part that failed.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let report = all(&cli).map_err(|error| Failure::failed(format!("{error:#}")))?;
    outcome::tell(&report, &report.missed(), &outcome::json(cli.json.as_deref(), "dispatcher"))
}

fn all(cli: &Cli) -> Result<Report> {
    let temporary = tempfile::tempdir()?;
    let mut report = Report {
        processors: std::thread::available_parallelism().map_or(0, usize::from),
        load_before: outcome::load().unwrap_or_default(),
        ..Report::default()
    };
    for (number, zip) in cli.packages.iter().enumerate() {
        report.packages.push(Package::open(zip, &temporary.path().join(number.to_string()))?);
    }
    let here = report.packages.iter().filter(|package| package.runs_here()).collect::<Vec<_>>();
    ensure!(here.len() < 2, "there are {} packages for this machine, give one", here.len());
    if let Some(package) = here.first() {
        eprintln!("bench: deploying to an emulator of AWS");
        let deployed = deployed::run(&laid_out(package, temporary.path())?, temporary.path())?;
        eprintln!("bench: {} starts, {} batches", cli.starts, cli.batches);
        let (starts, batches) = (cli.starts as usize, cli.batches as usize);
        let speed = speed::measure(&package.bootstrap, starts, batches, temporary.path())?;
        (report.deployed, report.speed) = (Some(deployed), Some(speed));
    }
    report.judge();
    Ok(report)
}

/// A folder with the package where cargo-lambda looks for it, whatever its own name and place.
fn laid_out(package: &Package, folder: &Path) -> Result<PathBuf> {
    let packages = folder.join("packages");
    fs::create_dir_all(packages.join("bootstrap"))?;
    fs::copy(&package.zip, packages.join("bootstrap/bootstrap.zip"))?;
    Ok(packages)
}
