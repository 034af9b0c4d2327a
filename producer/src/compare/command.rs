//! `comboio-producer compare A.json B.json`.

use super::compare;
use crate::report::Report;
use clap::Args;
use runtime::exit::Failure;
use runtime::stdout;
use std::path::{Path, PathBuf};

/// What the command line says.
#[derive(Debug, Args)]
pub struct Compare {
    /// The report that the other one is held against, as `run --report` writes it.
    #[arg(value_name = "A.json")]
    a: PathBuf,
    /// The report that is judged.
    #[arg(value_name = "B.json")]
    b: PathBuf,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Ends with 1 if B is worse than A by more than this many per cent of A's value in: failed events, dead letters, the worst
    /// second's rate error, acknowledgement p99, CPU per event.
    #[arg(long, value_name = "PERCENT", value_parser = per_cent)]
    fail_if_worse: Option<f64>,
}

fn per_cent(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim_end_matches('%').trim_end().parse().ok();
    number.filter(|number| number.is_finite() && *number >= 0.0).ok_or("allowed is a number from 0 on".into())
}

/// Prints the comparison.
///
/// # Errors
/// A file that is no report (exit 64), or B is worse than allowed (exit 1): one sentence.
pub fn run(args: &Compare) -> Result<(), Failure> {
    let compared = compare(&read(&args.a)?, &read(&args.b)?);
    if args.json {
        stdout::say(format_args!("{}\n", serde_json::to_string_pretty(&compared)?))?;
    } else {
        stdout::say(&compared)?;
    }
    let Some(most) = args.fail_if_worse else { return Ok(()) };
    let worse: Vec<String> = compared.worse_by(most).iter().map(|figure| figure.named()).collect();
    if worse.is_empty() {
        return Ok(());
    }
    Err(Failure::failed(format!("B is worse than A by more than {most} %: {}", worse.join(", "))))
}

fn read(path: &Path) -> Result<Report, Failure> {
    let refused = |why: String| {
        Failure::usage(format!("{} is no report of a run ({why}): name a file that run --report wrote", path.display()))
    };
    // A pipe that nobody writes to would never end.
    let found = std::fs::metadata(path).map_err(|error| refused(error.to_string()))?;
    if !found.is_file() {
        return Err(refused("it is no regular file".into()));
    }
    let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))
}
