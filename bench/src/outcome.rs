//! The end of a bench: a table on standard output, figures as JSON, and the names of missed bounds.

use anyhow::{Context, Result};
use runtime::exit::Failure;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// Shows the report and writes it to `json`.
///
/// # Errors
/// The file cannot be written, or bounds are missed.
pub fn tell(report: &(impl fmt::Display + Serialize), missed: &[String], json: &Path) -> Result<(), Failure> {
    print!("{report}");
    write(json, report).map_err(|error| Failure::failed(format!("{error:#}")))?;
    println!("\n  figures: {}", json.display());
    if missed.is_empty() { Ok(()) } else { Err(Failure::failed(format!("missed: {}", missed.join("; ")))) }
}

/// Where the figures go: what was asked for, or a file of the target folder.
pub fn json(asked: Option<&Path>, bench: &str) -> PathBuf {
    let target = || std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    asked.map_or_else(|| target().join(format!("bench/{bench}.json")), Path::to_path_buf)
}

/// The load of the last minute.
pub fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

fn write(path: &Path, report: &impl Serialize) -> Result<()> {
    let told = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(told)?;
    }
    std::fs::write(path, serde_json::to_string_pretty(report)? + "\n").with_context(told)
}
