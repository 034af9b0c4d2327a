//! The rivals in turn, round after round: what the machine does to one of them it does to all.

use crate::events;
use crate::figures::Runs;
use crate::launch::Launcher;
use crate::rival::Rival;
use crate::settings::{self, SettingsFiles};
use crate::world::World;
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

/// Runs all rounds. The first one is not counted: the brokers' JVMs become fast in it.
///
/// # Errors
/// A rival or a broker fails, or the brokers count other records than the rival's.
pub fn run(plan: &Plan, world: &mut World, folder: &Path) -> Result<(Runs, SettingsFiles)> {
    let (events, jars) = (events::write(folder)?, Jars::find()?);
    settings::join_for_java(&world.identity)?;
    let mut runs = Runs::default();
    for round in 0..=plan.rounds {
        // A topic a round, so that what is on the disk from earlier rounds weighs on nobody.
        let topic = format!("bench-{round}");
        world.create_topic(&topic)?;
        let settings = settings::write(world, &topic, folder)?;
        let launcher = Launcher { folder, topic: &topic, settings: &settings, events: &events, jars: &jars };
        for rival in &plan.rivals {
            if round == 0 {
                counted(&launcher, world, (*rival, round, plan.records))?;
                runs.0.push(counted(&launcher, world, (*rival, round, START))?);
            } else {
                runs.0.push(counted(&launcher, world, (*rival, round, plan.records))?);
            }
        }
        if round == plan.rounds {
            return Ok((runs, settings));
        }
    }
    anyhow::bail!("no round was run")
}

/// A run whose records the brokers count themselves: who loses some cannot win.
fn counted(
    launcher: &Launcher<'_>,
    world: &mut World,
    (rival, round, records): (Rival, u32, u64),
) -> Result<crate::figures::Run> {
    let before = world.records(launcher.topic)?;
    let run = launcher.run(rival, round, records).with_context(|| format!("{rival}, round {round}"))?;
    world.check()?;
    let arrived = world.records(launcher.topic)? - before;
    ensure!(arrived == records, "{rival} sent {records} records and the brokers hold {arrived} of them");
    let (rate, cpu) = (records as f64 / run.seconds, run.cpu_seconds * 1e6 / records as f64);
    eprintln!("  round {round}  {:<18} {rate:>9.0} records/s  {cpu:>6.2} us CPU a record", rival.title());
    Ok(run)
}
