//! The largest topic gets twice its partitions while everything runs. Keys move to other partitions then, so the order of a key would
//! hang on luck; the operator holds the producer until everything is finished, adds the partitions, and lets it go on.

use super::{seconds, settle};
use crate::kafka_view::TopicPartition;
use crate::layout::TOPICS;
use crate::options::Fault;
use crate::stage::{PATIENCE, Stage};
use anyhow::Result;
use domain::key::{KeyStrategy, partition_of};
use domain::ledger::Produced;
use std::ops::Range;
use std::time::Instant;

const TOPIC: (&str, i32) = TOPICS[0];
const AFTER: i32 = 2 * TOPIC.1;
/// The codes that the demo's routes send to the topic.
const CODES: Range<u32> = 400..500;
/// Events per second that show where the producer sends them, and are finished before the same key comes again.
const TRICKLE: f64 = 20.0;

pub(super) async fn play(stage: &mut Stage<'_>) -> Result<()> {
    settle(stage).await?;
    let (held, since) = (stage.options.fault != Fault::NoHold, Instant::now());
    if held {
        let drained = stage.hold_load().await?;
        stage.note(&format!("the producer is held; the group has finished everything after {}", seconds(drained)));
    }
    stage.cluster(|kafka| kafka.grow_topic(TOPIC.0, AFTER))?;
    stage.world.topics.insert(TOPIC.0.to_owned(), AFTER);
    stage.note(&format!("{} has {AFTER} partitions instead of {}", TOPIC.0, TOPIC.1));
    let shared = stage.until_shared_out().await?;
    stage.note(&format!("the consumers own the new ones after {}", seconds(shared)));
    if held {
        release(stage).await?;
        stage.chronicle.figure("held for", since.elapsed().as_secs_f64(), "s, catching up included");
    } else {
        until_used(stage).await?;
        stage.note("the producer sends to the new partitions");
    }
    stage.until_acknowledged(u64::from(stage.options.rate())).await
}

/// A trickle shows when the producer knows of the new partitions. Only when that is finished, too, everything may come.
async fn release(stage: &mut Stage<'_>) -> Result<()> {
    stage.limit_load(TRICKLE).await?;
    until_used(stage).await?;
    stage.hold_load().await?;
    stage.note("the producer knows the new partitions, and nothing of the old ones is unfinished: it goes on");
    stage.release_load().await?;
    stage.note("it has caught up");
    Ok(())
}

async fn until_used(stage: &mut Stage<'_>) -> Result<()> {
    let new: Vec<TopicPartition> = (TOPIC.1..AFTER).map(|partition| (TOPIC.0.to_owned(), partition)).collect();
    // A client that has not heard of them yet answers with an error.
    let used =
        async |stage: &mut Stage<'_>| Ok(stage.ends(&new).await.is_ok_and(|ends| ends.values().any(|end| *end > 0)));
    stage.until("the producer uses the new partitions", PATIENCE, used).await.map(drop)
}

/// Which keys have moved, and whether the new partitions were used.
pub(super) fn count_moved_keys(stage: &mut Stage<'_>, produced: &Produced) {
    let (mut keys, mut moved) = (0_u32, 0_u32);
    for (key, _) in produced.keys().filter(|(key, _)| CODES.contains(&key.codigo)) {
        let mut bytes = Vec::new();
        KeyStrategy::default().write(key.codigo, &key.truck_id, &mut bytes);
        keys += 1;
        moved += u32::from(partition_of(&bytes, TOPIC.1.unsigned_abs()) != partition_of(&bytes, AFTER.unsigned_abs()));
    }
    let share = 100.0 * f64::from(moved) / f64::from(keys.max(1));
    stage.chronicle.figure("keys moved", f64::from(moved), &format!("of {keys} keys of {} ({share:.0} %)", TOPIC.0));
    let seen = stage.world.collector.snapshot();
    let new =
        (TOPIC.1..AFTER).filter(|p| seen.partitions.get(&format!("{}/{p}", TOPIC.0)).is_some_and(|p| p.events > 0));
    let used = new.count();
    let all = (TOPIC.1..AFTER).len();
    stage.chronicle.check("events came from every new partition", used == all, format!("from {used} of {all}"));
}
