//! A consumer dies by SIGKILL and a new one joins; what was in flight is measured from outside.

use crate::kafka_view::{KafkaView, TopicPartition};
use crate::services::Service;
use crate::watch;
use anyhow::{Context, Result};
use localenv::collector::{Collector, Snapshot};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What the kill may explain.
#[derive(Debug, Clone, Default)]
pub struct Accident {
    /// The partitions of the consumer that died, each with the next offset that it had committed.
    pub partitions: BTreeMap<TopicPartition, i64>,
    /// Records that reached the destination and were not committed when it died: only these may come again.
    pub in_flight: u64,
}

/// How long an invocation that the dead consumer had started may still take to reach the collector. Shorter than the
/// session timeout, so nobody else owns the partitions yet.
const SETTLE: Duration = Duration::from_secs(2);

/// Kills `victim` and measures what it leaves.
///
/// # Errors
/// When it does not answer before, cannot be killed, or Kafka cannot be read.
pub async fn kill(victim: Service, kafka: Arc<KafkaView>, collector: &Collector) -> Result<Accident> {
    let status = victim.status().await.with_context(|| format!("{} gave no status before its kill", victim.name()))?;
    let wanted = watch::assignment(&status);
    victim.kill()?;
    let committed = tokio::task::spawn_blocking(move || kafka.committed(&wanted)).await??;
    tokio::time::sleep(SETTLE).await;
    let seen = collector.snapshot();
    let beyond = |(partition, next): (&TopicPartition, &i64)| {
        let key = format!("{}/{}", partition.0, partition.1);
        let reached = seen.partitions.get(&key).map_or(0, |p| p.high_water + 1);
        u64::try_from(reached - next).unwrap_or(0)
    };
    let in_flight = committed.iter().map(beyond).sum();
    Ok(Accident { partitions: committed, in_flight })
}

impl Accident {
    /// Duplicates of partitions that the dead consumer did not own: its death does not explain these.
    pub fn duplicates_elsewhere(&self, seen: &Snapshot) -> u64 {
        let elsewhere = |(id, _): &(&String, &u64)| partition_of(id).is_none_or(|p| !self.partitions.contains_key(&p));
        seen.duplicate_batches.iter().filter(elsewhere).map(|(_, count)| count).sum()
    }

    /// Of the repeated dead letters those that its death explains: their record was its own, and not yet committed.
    pub fn explains(&self, repeated: &[(TopicPartition, i64)]) -> u64 {
        let own = |(partition, offset): &&(TopicPartition, i64)| {
            self.partitions.get(partition).is_some_and(|committed| offset >= committed)
        };
        repeated.iter().filter(own).count() as u64
    }
}

/// The partition in a batch id, `topic/partition/first-last`.
fn partition_of(batch_id: &str) -> Option<TopicPartition> {
    let mut parts = batch_id.rsplitn(3, '/');
    let (_, partition, topic) = (parts.next()?, parts.next()?, parts.next()?);
    Some((topic.to_owned(), partition.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Accident, partition_of};
    use localenv::collector::Snapshot;

    #[test]
    fn duplicates_are_told_apart_by_partition() {
        assert_eq!(partition_of("mt-c400/7/120-619"), Some(("mt-c400".to_owned(), 7)));
        let accident = Accident { partitions: [(("mt-c400".to_owned(), 7), 120)].into(), in_flight: 0 };
        let mut seen = Snapshot::default();
        seen.duplicate_batches.insert("mt-c400/7/0-1".into(), 2);
        seen.duplicate_batches.insert("mt-c400/8/0-1".into(), 3);
        assert_eq!(accident.duplicates_elsewhere(&seen), 3);
        let at = |partition, offset| (("mt-c400".to_owned(), partition), offset);
        assert_eq!(accident.explains(&[at(7, 120), at(7, 119), at(8, 500)]), 1);
    }
}
