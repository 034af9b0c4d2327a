//! Starts the processes that are held against functions that take their time.

use crate::consuming::backlog;
use crate::consuming::flow_figures::{Fetched, Flow, Refetch, Seen};
use crate::consuming::settings::{self, SettingsFiles};
use crate::meter;
use crate::world::{PARTITIONS, World};
use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The latencies at which all partitions are looked at.
const LATENCIES_MS: [u64; 3] = [20, 100, 500];
/// One partition, alone and with lanes.
const ONE: &str = "bench-one";
const LANES: [u32; 2] = [1, 8];
const LANES_MS: u64 = 100;
/// Eight lanes take 40,000 records/s of it.
const ONE_RECORDS_A_SECOND: u64 = 50_000;
/// Beside the seconds that are looked at.
const MARGIN: u64 = 90;

/// Throughput against latency, and lanes of one partition.
///
/// # Errors
/// A part fails.
pub fn flows(world: &World, (settings, folder): (&SettingsFiles, &Path), seconds: u64) -> Result<Vec<Flow>> {
    backlog::fill(world, (ONE, 1), (seconds + 5) * ONE_RECORDS_A_SECOND, folder)?;
    let one = settings::write(world, ONE, folder)?;
    let batch = settings::read(&settings.ours, &[])?.desk.limits.records as u32;
    let wide =
        LATENCIES_MS.iter().map(|latency_ms| (settings.ours.as_path(), PARTITIONS.unsigned_abs(), 1u32, *latency_ms));
    let narrow = LANES.iter().map(|lanes| (one.ours.as_path(), 1, *lanes, LANES_MS));
    let flow = |(config, partitions, lanes, latency_ms): (&Path, u32, u32, u64)| {
        let name = format!("flow-{partitions}x{lanes}-{latency_ms}");
        let lanes_text = lanes.to_string();
        let seen: Seen = child(&name, (config, folder), (latency_ms, seconds), &["flow", "--lanes", &lanes_text])?;
        let flow = Flow { latency_ms, partitions, lanes, batch, seen };
        eprintln!("  {name}: {:.0} records/s, {:.3} of the possible", seen.throughput(), flow.part());
        Ok(flow)
    };
    wide.chain(narrow).map(flow).collect()
}

/// Bytes fetched a record, without and with pauses.
///
/// # Errors
/// A part fails.
pub fn refetch(settings: &SettingsFiles, folder: &Path, seconds: u64) -> Result<Refetch> {
    let fetched = |latency_ms: u64| -> Result<Fetched> {
        child(&format!("refetch-{latency_ms}"), (&settings.ours, folder), (latency_ms, seconds), &["refetch"])
    };
    Ok(Refetch { free: fetched(0)?, paused: fetched(LANES_MS)? })
}

fn child<T: DeserializeOwned>(
    name: &str,
    (config, folder): (&Path, &Path),
    (latency_ms, seconds): (u64, u64),
    words: &[&str],
) -> Result<T> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words).args(["--group", &format!("bench-{name}"), "--config"]).arg(config);
    command.args(["--latency-ms", &latency_ms.to_string(), "--seconds", &seconds.to_string()]);
    let log = folder.join(format!("{name}.log"));
    let used = meter::run(name, command, &log, Duration::from_secs(seconds + MARGIN))?;
    let line = used.output.lines().last().unwrap_or_default();
    serde_json::from_str(line).with_context(|| format!("{name} said: {}", used.output))
}
