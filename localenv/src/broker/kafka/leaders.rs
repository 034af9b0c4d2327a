//! Who leads what: asked of the running brokers.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::KafkaCluster;

/// For one request.
const ANSWER: Duration = Duration::from_secs(5);
/// Where Kafka keeps what groups commit; the leader of a partition coordinates the groups in it.
pub const OFFSETS_TOPIC: &str = "__consumer_offsets";

impl KafkaCluster {
    /// The number of the leader of each partition of `topic`; a partition without a leader is missing.
    ///
    /// # Errors
    /// No broker answers in time.
    pub fn leaders(&self, topic: &str) -> anyhow::Result<BTreeMap<i32, usize>> {
        let metadata = self.administrator()?.metadata(Some(topic), ANSWER)?;
        let partitions = metadata.topics().iter().filter(|found| found.name() == topic).flat_map(|t| t.partitions());
        Ok(partitions.filter_map(|p| Some((p.id(), usize::try_from(p.leader()).ok()?))).collect())
    }

    /// The numbers of the brokers that the cluster holds to be in service.
    ///
    /// # Errors
    /// No broker answers in time.
    pub fn in_service(&self) -> anyhow::Result<BTreeSet<usize>> {
        let metadata = self.administrator()?.metadata(None, ANSWER)?;
        Ok(metadata.brokers().iter().filter_map(|broker| usize::try_from(broker.id()).ok()).collect())
    }

    /// The partition of [`OFFSETS_TOPIC`] that holds what `group` commits.
    ///
    /// # Errors
    /// No broker answers in time, or no group has ever been there.
    pub fn offsets_partition(&self, group: &str) -> anyhow::Result<i32> {
        let metadata = self.administrator()?.metadata(Some(OFFSETS_TOPIC), ANSWER)?;
        let topic = metadata.topics().iter().find(|topic| topic.name() == OFFSETS_TOPIC);
        let partitions = topic.map_or(0, |topic| topic.partitions().len());
        ensure!(partitions > 0, "there is no topic {OFFSETS_TOPIC}: no group has ever been there");
        Ok(home(group, i32::try_from(partitions)?))
    }

    /// The number of the broker that coordinates `group`.
    ///
    /// # Errors
    /// No broker answers in time, no group has ever been there, or nobody coordinates it at this moment.
    pub fn coordinator(&self, group: &str) -> anyhow::Result<usize> {
        let partition = self.offsets_partition(group)?;
        let leader = self.leaders(OFFSETS_TOPIC)?.get(&partition).copied();
        leader.with_context(|| format!("nobody coordinates the group {group} at this moment"))
    }
}

/// As in GroupMetadataManager.partitionFor: Java's hash of the name, without its sign.
fn home(group: &str, partitions: i32) -> i32 {
    let hash = group.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    hash.checked_abs().unwrap_or(0) % partitions
}

#[cfg(test)]
mod tests {
    use super::home;

    #[test]
    fn a_group_lives_where_java_puts_it() {
        // Known values of String.hashCode: "hello" is 99162322, "polygenelubricants" is the smallest integer, which Kafka takes for 0.
        assert_eq!(home("hello", 50), 99_162_322 % 50);
        assert_eq!(home("polygenelubricants", 50), 0);
        assert_eq!(home("", 50), 0);
    }
}
