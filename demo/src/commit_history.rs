//! Every commit that Kafka took of a group, in the order in which it took them: read from the topic where Kafka keeps them.
//!
//! The records' form is Kafka's own (OffsetCommitKey and OffsetCommitValue in its group coordinator's schemas): big-endian
//! numbers and strings with two bytes of length; a record without a value takes the partition's commits back.

use crate::kafka_view::TopicPartition;
use anyhow::{Context, Result, bail};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What the commits of one group say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CommitHistory {
    /// Commits of single partitions.
    pub commits: u64,
    /// Those that moved a partition's offset back.
    pub backwards: u64,
    /// The first of these, as `topic/partition: from -> to`.
    pub examples: Vec<String>,
    /// All of them, in order.
    pub taken: Vec<Taken>,
    #[serde(skip)]
    last: BTreeMap<TopicPartition, i64>,
}

/// One commit of one partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// When Kafka took it, ms since the epoch.
    pub at_ms: i64,
    pub topic: String,
    pub partition: i32,
    pub next: i64,
}

const ANSWER: Duration = Duration::from_secs(10);
const EXAMPLES: usize = 5;
/// Newer kinds of keys are of the group itself.
const NEWEST_OFFSET_KEY: i16 = 1;

/// Reads `partition` of `topic`, which holds what `group` commits, to its present end.
///
/// # Errors
/// When the brokers do not answer in time, or the reader may not read it.
pub fn read(config: &ClientConfig, group: &str, topic: &str, partition: i32) -> Result<CommitHistory> {
    let mut config = config.clone();
    config.set("group.id", "commit-history").set("enable.auto.commit", "false");
    let consumer: BaseConsumer = config.create().context("cannot create a reader of commits")?;
    let (low, high) = consumer.fetch_watermarks(topic, partition, ANSWER).context("cannot read the ends of commits")?;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(low))?;
    consumer.assign(&list)?;
    let (mut history, deadline) = (CommitHistory::default(), Instant::now() + 3 * ANSWER);
    let mut reached = low;
    while reached < high {
        if Instant::now() > deadline {
            bail!("the commits of {group} were read up to {reached} of {high} in time");
        }
        if let Some(record) = consumer.poll(Duration::from_millis(100)) {
            let record = record.context("cannot read commits")?;
            let at_ms = record.timestamp().to_millis().unwrap_or(0);
            history.note(group, at_ms, record.key().unwrap_or_default(), record.payload());
        }
        reached = position(&consumer, topic, partition)?.unwrap_or(reached);
    }
    Ok(history)
}

/// Where the reader stands; it also passes what is compacted away.
fn position(consumer: &BaseConsumer, topic: &str, partition: i32) -> Result<Option<i64>> {
    let position = consumer.position()?;
    let found = position.find_partition(topic, partition).map(|element| element.offset());
    Ok(if let Some(Offset::Offset(next)) = found { Some(next) } else { None })
}

impl CommitHistory {
    fn note(&mut self, group: &str, at_ms: i64, key: &[u8], value: Option<&[u8]>) {
        let Some((of, at)) = committed_key(key) else { return };
        if of != group {
            return;
        }
        match value.and_then(committed_value) {
            Some(next) => self.commit(at_ms, at, next),
            None => drop(self.last.remove(&at)),
        }
    }

    fn commit(&mut self, at_ms: i64, at: TopicPartition, next: i64) {
        self.commits += 1;
        self.taken.push(Taken { at_ms, topic: at.0.clone(), partition: at.1, next });
        let before = self.last.insert(at.clone(), next).unwrap_or(0);
        if next < before {
            self.backwards += 1;
            if self.examples.len() < EXAMPLES {
                self.examples.push(format!("{}/{}: {before} -> {next}", at.0, at.1));
            }
        }
    }
}

/// Group and partition of a commit.
fn committed_key(mut bytes: &[u8]) -> Option<(String, TopicPartition)> {
    let version = i16::from_be_bytes(take(&mut bytes)?);
    if version > NEWEST_OFFSET_KEY {
        return None;
    }
    let (group, topic) = (string(&mut bytes)?, string(&mut bytes)?);
    Some((group, (topic, i32::from_be_bytes(take(&mut bytes)?))))
}

/// The committed offset; all versions begin with it.
fn committed_value(mut bytes: &[u8]) -> Option<i64> {
    let _version: [u8; 2] = take(&mut bytes)?;
    Some(i64::from_be_bytes(take(&mut bytes)?))
}

fn string(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::from(u16::from_be_bytes(take(bytes)?));
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::CommitHistory;

    fn key(group: &str, topic: &str, partition: i32) -> Vec<u8> {
        let mut key = vec![0, 1];
        for text in [group, topic] {
            key.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
            key.extend(text.as_bytes());
        }
        key.extend(partition.to_be_bytes());
        key
    }

    fn value(next: i64) -> Vec<u8> {
        [vec![0, 3], next.to_be_bytes().to_vec(), vec![0xff; 4]].concat()
    }

    #[test]
    fn a_commit_that_goes_back_is_found_and_another_group_s_is_not_ours() {
        let mut history = CommitHistory::default();
        let mut see =
            |group: &str, partition, next| history.note("g", 0, &key(group, "t", partition), Some(&value(next)));
        ["g", "g", "h", "g", "g"]
            .iter()
            .zip([(0, 10), (1, 7), (0, 3), (0, 9), (1, 7)])
            .for_each(|(g, (p, n))| see(g, p, n));
        assert_eq!((history.commits, history.backwards), (4, 1));
        assert_eq!(history.examples, ["t/0: 10 -> 9"]);
    }

    #[test]
    fn what_is_no_commit_is_passed_over() {
        let mut history = CommitHistory::default();
        let mut member = key("g", "", 0);
        member[1] = 2;
        history.note("g", 0, &member, Some(&value(4)));
        history.note("g", 0, b"", None);
        assert_eq!(history, CommitHistory::default());
        history.note("g", 0, &key("g", "t", 0), Some(&value(4)));
        history.note("g", 0, &key("g", "t", 0), None);
        history.note("g", 0, &key("g", "t", 0), Some(&value(1)));
        assert_eq!((history.commits, history.backwards), (2, 0), "the topic is another one by now");
    }
}
