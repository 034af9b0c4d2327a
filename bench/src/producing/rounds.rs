//! The rivals in turn, round after round: what the machine does to one of them it does to all.

use crate::events;
use crate::figures::{Run, Runs};
use crate::producing::launch::Launcher;
use crate::producing::rival::Rival;
use crate::producing::settings::{self, SettingsFiles};
use crate::world::World;
use crate::{java, turns, warm};
use anyhow::{Context, Result, ensure};
use localenv::jars::Jars;
use std::path::Path;

/// Records of the run that shows what a start costs.
const START: u64 = 100;

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    pub rounds: u32,
    pub records: u64,
    pub rivals: Vec<Rival>,
}

/// The brokers are not warmed up for longer than so many rounds.
const WARM_UP_ROUNDS: u32 = 7;

/// Warms the brokers up, and then runs all rounds on one topic.
///
/// # Errors
/// A rival or a broker fails, or the brokers count other records than the rival's.
pub fn run(plan: &Plan, world: &mut World, folder: &Path) -> Result<(Runs<Rival>, SettingsFiles)> {
    let (events, jars) = (events::write(folder)?, Jars::find()?);
    java::join(&world.identity)?;
    let topic = "bench";
    world.create_topic(topic)?;
    let settings = settings::write(world, topic, folder)?;
    let launcher = Launcher { folder, topic, settings: &settings, events: &events, jars: &jars };
    let all = plan.rivals.len() as u32;
    warm::up("rivals", world, WARM_UP_ROUNDS * all, |world, run| {
        let rival = plan.rivals[run as usize % plan.rivals.len()];
        counted(&launcher, world, (rival, 0, plan.records)).map(drop)
    })?;
    let mut runs = Runs::default();
    for rival in &plan.rivals {
        runs.0.push(counted(&launcher, world, (*rival, 0, START))?);
    }
    for round in 1..=plan.rounds {
        for rival in turns::order(&plan.rivals, round) {
            runs.0.push(counted(&launcher, world, (rival, round, plan.records))?);
        }
    }
    Ok((runs, settings))
}

/// A run whose records the brokers count themselves: who loses some cannot win.
fn counted(
    launcher: &Launcher<'_>,
    world: &mut World,
    (rival, round, records): (Rival, u32, u64),
) -> Result<Run<Rival>> {
    let before = world.records(launcher.topic)?;
    let run = launcher.run(rival, round, records).with_context(|| format!("{rival}, round {round}"))?;
    world.check()?;
    let arrived = world.records(launcher.topic)? - before;
    ensure!(arrived == records, "{rival} sent {records} records and the brokers hold {arrived} of them");
    let (rate, cpu) = (records as f64 / run.seconds, run.cpu_seconds * 1e6 / records as f64);
    eprintln!("  round {round}  {:<18} {rate:>9.0} records/s  {cpu:>6.2} us CPU a record", rival.title());
    Ok(run)
}
