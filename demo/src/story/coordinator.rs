//! The broker that coordinates the group is stopped (SIGTERM), as a rolling restart of the cluster does: another one takes the group over.

use super::{seconds, settle};
use crate::stage::{PATIENCE, Stage};
use anyhow::Result;
use std::time::Instant;

pub(super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    settle(stage).await?;
    let group = stage.world.group.clone();
    let owners = stage.owners().await;
    let before = stage.cluster(|kafka| kafka.coordinator(&group))?;
    stage.note(&format!("broker {before} coordinates the group; it is stopped (SIGTERM)"));
    let since = Instant::now();
    stage.cluster(|kafka| kafka.stop(before))?;
    // Nobody coordinates it for a moment.
    let moved = async |stage: &mut Stage<'_>| {
        stage.cluster(|kafka| Ok(kafka.coordinator(&group).is_ok_and(|now| now != before)))
    };
    stage.until("another broker coordinates the group", PATIENCE, moved).await?;
    let after = stage.cluster(|kafka| kafka.coordinator(&group))?;
    stage.note(&format!("broker {after} coordinates it, {} later", seconds(since.elapsed())));
    commits_again(stage).await?;
    stage.note(&format!("the group commits again, {} after the stop", seconds(since.elapsed())));
    let kept = owners == stage.owners().await;
    stage.bring_back(before)?;
    stage.note(&format!("broker {before} is back and all replicas are in sync"));
    stage.until_acknowledged(u64::from(stage.options.rate())).await?;
    stage.until_shared_out().await?;
    let moved = format!("from broker {before} to broker {after}");
    stage.chronicle.check("the coordinator moved", before != after, moved);
    stage.chronicle.check("no partition moved for it", kept, if kept { "same owners" } else { "other owners" });
    Ok(())
}

/// Waits until each partition's commit has passed where all partitions end now.
async fn commits_again(stage: &mut Stage<'_>) -> Result<()> {
    let partitions = stage.world.partitions();
    let ends = stage.ends(&partitions).await?;
    let passed = async |stage: &mut Stage<'_>| {
        // The new coordinator reads the group's commits before it answers.
        let Ok(committed) = stage.committed(&partitions).await else { return Ok(false) };
        Ok(ends.iter().all(|(at, end)| committed.get(at) >= Some(end)))
    };
    stage.until("the group commits what has come since", PATIENCE, passed).await.map(drop)
}
