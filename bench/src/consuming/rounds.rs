//! The rivals in turn, round after round, over one backlog: what the machine does to one of them it does to all.

use crate::consuming::launch::Launcher;
use crate::consuming::rival::Rival;
use crate::consuming::settings::SettingsFiles;
use crate::figures::{Run, Runs};
use crate::world::World;
use crate::{java, turns, warm};
use anyhow::{Context, Result};
use localenv::jars::Jars;
use std::path::Path;

/// Records of the run that shows what a start costs.
const START: u64 = 100;
/// The brokers are not warmed up for longer than so many rounds.
const WARM_UP_ROUNDS: u32 = 3;

/// How much is measured, and of what.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    pub topic: &'a str,
    pub rounds: u32,
    pub records: u64,
    pub rivals: Vec<Rival>,
}

/// Warms the brokers and the page cache up, and then runs all rounds.
///
/// # Errors
/// A rival or a broker fails.
pub fn run(plan: &Plan<'_>, world: &mut World, (settings, folder): (&SettingsFiles, &Path)) -> Result<Runs<Rival>> {
    let jars = Jars::find()?;
    java::join(&world.identity)?;
    let launcher = Launcher { folder, topic: plan.topic, settings, jars: &jars };
    let mut number = 0;
    let mut once = |world: &mut World, rival: Rival, round: u32, records: u64| -> Result<Run<Rival>> {
        number += 1;
        let run = launcher.run(rival, number, (round, records)).with_context(|| format!("{rival}, round {round}"))?;
        world.check()?;
        let (rate, cpu) =
            (run.records as f64 / run.seconds.max(f64::MIN_POSITIVE), run.cpu_seconds * 1e6 / run.records as f64);
        eprintln!("  round {round}  {:<20} {rate:>9.0} records/s  {cpu:>6.3} us CPU a record", rival.title());
        Ok(run)
    };
    warm::up("rivals", world, WARM_UP_ROUNDS * plan.rivals.len() as u32, |world, run| {
        once(world, plan.rivals[run as usize % plan.rivals.len()], 0, plan.records).map(drop)
    })?;
    let mut runs = Runs::default();
    for rival in &plan.rivals {
        runs.0.push(once(world, *rival, 0, START)?);
    }
    for round in 1..=plan.rounds {
        for rival in turns::order(&plan.rivals, round) {
            runs.0.push(once(world, rival, round, plan.records)?);
        }
    }
    Ok(runs)
}
