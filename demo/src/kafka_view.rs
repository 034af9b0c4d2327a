//! Reads a group's committed offsets, a topic's ends and dead letters, as an outsider that joins no group.

use anyhow::{Context, Result, bail};
use domain::event::EventId;
use domain::headers;
use domain::ledger::DeadLetters;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A partition of a topic.
pub type TopicPartition = (String, i32);

const ANSWER: Duration = Duration::from_secs(10);

/// A reader of one cluster; all calls block and have a deadline.
pub struct KafkaView {
    config: ClientConfig,
    group: String,
}

impl KafkaView {
    /// `config` holds the address and rights; `group` is only looked at, never joined.
    pub fn new(config: ClientConfig, group: &str) -> Self {
        Self { config, group: group.to_owned() }
    }

    fn consumer(&self) -> Result<BaseConsumer> {
        let mut config = self.config.clone();
        config.set("group.id", &self.group).set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
        config.create().context("cannot create a Kafka reader")
    }

    /// The committed next offsets of `partitions`; 0 where nothing was committed.
    ///
    /// # Errors
    /// When the brokers do not answer in time.
    pub fn committed(&self, partitions: &[TopicPartition]) -> Result<BTreeMap<TopicPartition, i64>> {
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            list.add_partition(topic, *partition);
        }
        let found = self.consumer()?.committed_offsets(list, ANSWER).context("cannot read the committed offsets")?;
        let next = |offset| if let Offset::Offset(next) = offset { next } else { 0 };
        Ok(found.elements().iter().map(|e| ((e.topic().to_owned(), e.partition()), next(e.offset()))).collect())
    }

    /// Records that the group has not finished, over all `partitions`.
    ///
    /// # Errors
    /// As [`Self::committed`].
    pub fn lag(&self, partitions: &[TopicPartition]) -> Result<i64> {
        let committed = self.committed(partitions)?;
        let consumer = self.consumer()?;
        let mut lag = 0;
        for (partition, next) in &committed {
            let (low, high) = ends(&consumer, partition)?;
            lag += high - (*next).max(low);
        }
        Ok(lag)
    }

    /// All records of `topics`, by their event id: from the header of an event that is invalid on purpose, else from the value.
    ///
    /// # Errors
    /// When the brokers do not answer in time, or a record has no readable id.
    pub fn dead_letters(&self, topics: &[String], partitions: i32) -> Result<DeadLetters> {
        let mut letters = DeadLetters::default();
        for topic in topics {
            for partition in 0..partitions {
                self.read_all(&(topic.clone(), partition), &mut letters)?;
            }
        }
        Ok(letters)
    }

    fn read_all(&self, partition: &TopicPartition, letters: &mut DeadLetters) -> Result<()> {
        let consumer = self.consumer()?;
        let (low, high) = ends(&consumer, partition)?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&partition.0, partition.1, Offset::Offset(low))?;
        consumer.assign(&list)?;
        let deadline = Instant::now() + 3 * ANSWER;
        let mut next = low;
        while next < high {
            if Instant::now() > deadline {
                bail!("{}/{} gave {} of {} dead letters in time", partition.0, partition.1, next - low, high - low);
            }
            if let Some(Ok(record)) = consumer.poll(Duration::from_millis(200)) {
                letters.record(&event_id(&record)?);
                next = record.offset() + 1;
            }
        }
        Ok(())
    }
}

fn ends(consumer: &BaseConsumer, (topic, partition): &TopicPartition) -> Result<(i64, i64)> {
    consumer
        .fetch_watermarks(topic, *partition, ANSWER)
        .with_context(|| format!("cannot read the ends of {topic}/{partition}"))
}

fn event_id(record: &BorrowedMessage<'_>) -> Result<EventId> {
    let header = record.headers().and_then(|headers| {
        headers
            .iter()
            .find(|header| header.key == headers::EVENT_ID)
            .and_then(|header| header.value.map(<[u8]>::to_vec))
    });
    let text = match header {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => {
            domain::event::check(record.payload().unwrap_or_default()).map(|e| e.id.into_owned()).unwrap_or_default()
        }
    };
    let place = || format!("the dead letter at {}/{}/{}", record.topic(), record.partition(), record.offset());
    EventId::parse(&text).with_context(|| format!("{} has no readable event id", place()))
}
