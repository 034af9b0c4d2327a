//! One of three brokers is killed (SIGKILL) and comes back on its port: leaders move, the load goes on, nothing is lost.

use super::{seconds, settle};
use crate::stage::{PATIENCE, Stage};
use anyhow::{Context, Result};
use std::time::Instant;

/// Seconds of load that must get through while the broker is away.
const AWAY: u32 = 5;

pub(super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    settle(stage).await?;
    let group = stage.world.group.clone();
    let victim = stage.cluster(|kafka| {
        let (all, coordinator) = (kafka.in_service()?, kafka.coordinator(&group)?);
        all.into_iter().find(|id| *id != coordinator).context("there is only one broker")
    })?;
    let leads = |leaders: &[usize]| leaders.iter().filter(|leader| **leader == victim).count();
    let led = leads(&stage.leaders()?);
    let killed = Instant::now();
    stage.cluster(|kafka| kafka.kill(victim))?;
    stage.note(&format!("broker {victim} is killed (SIGKILL); it leads {led} partitions of events"));
    let gone = async |stage: &mut Stage<'_>| {
        let (in_service, leaders) = (stage.cluster(|kafka| kafka.in_service())?, stage.leaders()?);
        let all_led = leaders.len() == stage.world.partitions().len();
        Ok(!in_service.contains(&victim) && leads(&leaders) == 0 && all_led)
    };
    stage.until("the other brokers lead what it led", PATIENCE, gone).await?;
    stage.note(&format!("the other brokers lead all partitions, {} after the kill", seconds(killed.elapsed())));
    stage.until_acknowledged(u64::from(stage.options.rate() * AWAY)).await?;
    stage.note(&format!("{AWAY} seconds of load were acknowledged without it; it is started again"));
    let since = Instant::now();
    stage.bring_back(victim)?;
    stage.note(&format!(
        "broker {victim} is back and all replicas are in sync, {} after its start",
        seconds(since.elapsed())
    ));
    stage.until_acknowledged(u64::from(stage.options.rate())).await?;
    stage.chronicle.check("it led partitions", led > 0, led.to_string());
    Ok(())
}
