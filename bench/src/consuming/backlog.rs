//! The records that everybody reads: written once, by the C sender with the settings of our producer.

use crate::events::{self, EventFiles};
use crate::meter;
use crate::producing::launch::SENDER;
use crate::producing::settings;
use crate::world::World;
use anyhow::{Context, Result, ensure};
use domain::headers::dead_letter_topic;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// For the whole backlog, on a machine that is busy with other things.
const DEADLINE: Duration = Duration::from_secs(900);

/// Creates `topic` and its dead-letter topic with so many partitions, without records.
///
/// # Errors
/// The brokers refuse.
pub fn create(world: &World, topic: &str, partitions: i32) -> Result<()> {
    world.create_lasting(topic, partitions)?;
    world.create_lasting(&dead_letter_topic(topic), 1)
}

/// The same with `records` records in it.
///
/// # Errors
/// The brokers refuse, or do not hold them all in the end.
pub fn fill(world: &World, (topic, partitions): (&str, i32), records: u64, folder: &Path) -> Result<()> {
    create(world, topic, partitions)?;
    let EventFiles { values, keys } = events::write(folder)?;
    let settings = settings::write(world, topic, folder)?;
    let mut command = Command::new(SENDER);
    command.arg(&settings.c).arg(topic).arg(records.to_string()).arg(values).arg(keys);
    meter::run("backlog", command, &folder.join(format!("{topic}.log")), DEADLINE)
        .with_context(|| format!("cannot fill {topic}"))?;
    let held = world.records_of(topic, partitions)?;
    ensure!(held == records, "{topic} should hold {records} records and holds {held}");
    Ok(())
}
