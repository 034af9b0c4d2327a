//! The steady load: our producer sends 13,000 records/s, the whole consumer takes them.

use crate::consuming::backlog;
use crate::consuming::flow_figures::{Path as Figures, RATE};
use crate::consuming::path::Whole;
use crate::consuming::settings;
use crate::events::profile;
use crate::producing::{launch, settings as senders};
use crate::world::{PARTITIONS, World};
use anyhow::{Result, ensure};
use localenv::process::Guarded;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const TOPIC: &str = "bench-consumer-steady";
const LATENCY_MS: u64 = 50;
/// The load goes on for so long beside the look at it: start, settling, end.
const MARGIN: u64 = 12;

/// Looks at the consumer for `seconds` of the load.
///
/// # Errors
/// The producer, the consumer or a broker fails.
pub fn run(world: &mut World, seconds: u64, folder: &Path) -> Result<Figures> {
    backlog::create(world, TOPIC, PARTITIONS)?;
    let (ours, theirs) = (settings::write(world, TOPIC, folder)?, senders::write(world, TOPIC, folder)?);
    let mut whole = Whole::start(&ours.ours, "bench-steady", Duration::from_millis(LATENCY_MS), 1)?;
    let mut load = Command::new(launch::producer()?);
    load.args(["run", "--duration", &format!("{}s", seconds + MARGIN), "--rate", &RATE.to_string()]);
    load.arg("--profile").arg(profile()).arg("--config").arg(&theirs.ours);
    let mut load = Guarded::spawn("steady load", load, &folder.join("consumer-steady-load.log"))?;
    whole.settle()?;
    let seen = whole.watch(Duration::from_secs(seconds))?;
    ensure!(load.exited()?.is_none(), "the load ended before its time:\n{}", load.log_tail(8));
    let status = load.stop(Duration::from_secs(40))?;
    ensure!(status.success(), "the producer ended with {status}:\n{}", load.log_tail(8));
    world.check()?;
    Ok(Figures { latency_ms: LATENCY_MS, lanes: 1, seen, peak_bytes: whole.end()? })
}
