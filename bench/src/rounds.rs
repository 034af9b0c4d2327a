//! The rivals in turn, round after round: what the machine does to one of them it does to all.

use crate::events;
use crate::figures::Runs;
use crate::launch::Launcher;
use crate::rival::Rival;
use crate::settings::{self, SettingsFiles};
use crate::warm;
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

/// The brokers are not warmed up for longer than so many rounds.
const WARM_UP_ROUNDS: u32 = 7;

/// Warms the brokers up, and then runs all rounds on one topic.
///
/// # Errors
/// A rival or a broker fails, or the brokers count other records than the rival's.
pub fn run(plan: &Plan, world: &mut World, folder: &Path) -> Result<(Runs, SettingsFiles)> {
    let (events, jars) = (events::write(folder)?, Jars::find()?);
    settings::join_for_java(&world.identity)?;
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
        for rival in order(&plan.rivals, round) {
            runs.0.push(counted(&launcher, world, (rival, round, plan.records))?);
        }
    }
    Ok((runs, settings))
}

/// Nobody is always the first, and nobody always comes after the same one: what a run leaves behind (pages to write, replicas
/// to follow) weighs on the next.
fn order(rivals: &[Rival], round: u32) -> Vec<Rival> {
    let mut order = rivals.to_vec();
    let by = (round as usize).saturating_sub(1) / 2 % order.len().max(1);
    order.rotate_left(by);
    // Two rounds mirror each other.
    if round % 2 == 1 {
        order.reverse();
    }
    order
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

#[cfg(test)]
mod tests {
    use super::order;
    use crate::rival::Rival;

    #[test]
    fn over_the_rounds_everybody_runs_and_nobody_is_always_before_another() {
        let orders: Vec<_> = (1..=6).map(|round| order(&Rival::ALL, round)).collect();
        for order in &orders {
            assert!(Rival::ALL.iter().all(|rival| order.contains(rival)) && order.len() == Rival::ALL.len());
        }
        for (a, b) in Rival::ALL.iter().flat_map(|a| Rival::ALL.iter().map(move |b| (a, b))).filter(|(a, b)| a != b) {
            let place = |order: &[Rival], rival| order.iter().position(|other| other == rival);
            let first = orders.iter().filter(|order| place(order, a) < place(order, b)).count();
            assert_eq!(first, 3, "{a} is before {b} in {first} of 6 rounds");
        }
    }
}
