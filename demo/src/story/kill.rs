//! A consumer is killed half-way, and a new one joins: others inherit its partitions, and only what it had in flight comes again.

use super::seconds;
use crate::accident::Accident;
use crate::kafka_view::TopicPartition;
use crate::stage::{PATIENCE, Stage};
use crate::watch::assignment;
use anyhow::Result;
use localenv::collector::Snapshot;
use std::time::{Duration, Instant};

/// After so long without anything new from a dead consumer's partitions, nothing more will come of what it had started.
const QUIET: Duration = Duration::from_secs(1);
/// Nobody else owns the partitions before the session timeout is over, so what comes until then is the dead one's.
const SETTLED: Duration = Duration::from_secs(4);

pub(super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    let half = Duration::from_secs(u64::from(stage.options.duration()) / 2);
    stage.until("half of the load", half + PATIENCE, async |stage| Ok(stage.elapsed() >= half)).await?;
    let victim = "consumer-1";
    let owned = assignment(&stage.status(victim).await?);
    stage.note(&format!("{victim} is killed (SIGKILL); it owns {} partitions. A new consumer joins", owned.len()));
    let killed = Instant::now();
    stage.kill_member(victim).await?;
    stage.accident = measure(stage, &owned).await?;
    stage.start_member(stage.options.consumers() + 1)?;
    let inherited = async |stage: &mut Stage<'_>| {
        let owners = stage.owners().await;
        Ok(owned.iter().all(|at| owners.contains_key(at)))
    };
    stage.until("the killed consumer's partitions have other owners", PATIENCE, inherited).await?;
    stage.note(&format!(
        "others own its partitions, {} after the kill; {} records were in flight",
        seconds(killed.elapsed()),
        stage.accident.in_flight()
    ));
    stage.chronicle.check("it owned partitions", !owned.is_empty(), owned.len().to_string());
    Ok(())
}

/// What it leaves: from what is committed to what reaches the collector of invocations that it had started.
async fn measure(stage: &mut Stage<'_>, owned: &[TopicPartition]) -> Result<Accident> {
    let committed = stage.committed(owned).await?;
    let (since, mut still, mut last) = (Instant::now(), Instant::now(), 0);
    while still.elapsed() < QUIET && since.elapsed() < SETTLED {
        let arrived = owned.iter().map(|at| reached(&stage.world.collector.snapshot(), at)).sum::<i64>();
        if arrived != last {
            (still, last) = (Instant::now(), arrived);
        }
        stage.breathe().await?;
    }
    let seen = stage.world.collector.snapshot();
    Ok(Accident::new("the kill", &committed, |at| reached(&seen, at)))
}

/// The offset after the highest that has arrived.
fn reached(seen: &Snapshot, (topic, partition): &TopicPartition) -> i64 {
    seen.partitions.get(&format!("{topic}/{partition}")).map_or(0, |seen| seen.high_water + 1)
}
