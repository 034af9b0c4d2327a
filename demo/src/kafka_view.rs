//! Reads a group's committed offsets, a topic's ends and dead letters, as an outsider that joins no group.

use anyhow::{Context, Result, bail};
use domain::event::EventId;
use domain::headers;
use domain::ledger::DeadLetters;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// A partition of a topic.
pub type TopicPartition = (String, i32);

/// The dead letters of a run.
#[derive(Debug, Default)]
pub struct DeadLetterRead {
    pub letters: DeadLetters,
    /// Records that have more than one dead letter, once for each beyond the first.
    pub repeated: Vec<(TopicPartition, i64)>,
    records: BTreeSet<(TopicPartition, i64)>,
}

const ANSWER: Duration = Duration::from_secs(10);

/// A reader of one cluster; all calls block and have a deadline.
pub struct KafkaView {
    config: ClientConfig,
    group: String,
    /// Kept, because every new connection costs a TLS handshake.
    looker: BaseConsumer,
}

impl KafkaView {
    /// `config` holds the address and rights; `group` is only looked at, never joined.
    ///
    /// # Errors
    /// When librdkafka refuses `config`.
    pub fn new(config: ClientConfig, group: &str) -> Result<Self> {
        let looker = reader(&config, group)?;
        Ok(Self { config, group: group.to_owned(), looker })
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
        let found = self.looker.committed_offsets(list, ANSWER).context("cannot read the committed offsets")?;
        let next = |offset| if let Offset::Offset(next) = offset { next } else { 0 };
        Ok(found.elements().iter().map(|e| ((e.topic().to_owned(), e.partition()), next(e.offset()))).collect())
    }

    /// The offset that the next record of each partition will have.
    ///
    /// # Errors
    /// When the brokers do not answer in time.
    pub fn ends(&self, partitions: &[TopicPartition]) -> Result<BTreeMap<TopicPartition, i64>> {
        partitions.iter().map(|partition| Ok((partition.clone(), ends(&self.looker, partition)?.1))).collect()
    }

    /// Records that the group has not finished, over all `partitions`.
    ///
    /// # Errors
    /// As [`Self::committed`].
    pub fn lag(&self, partitions: &[TopicPartition]) -> Result<i64> {
        let committed = self.committed(partitions)?;
        let mut lag = 0;
        for (partition, next) in &committed {
            let (low, high) = ends(&self.looker, partition)?;
            lag += high - (*next).max(low);
        }
        Ok(lag)
    }

    /// All records of `topics`, by their event id: from the header of an event that is invalid on purpose, else from the value.
    ///
    /// # Errors
    /// When the brokers do not answer in time, or a record has no readable id.
    pub fn dead_letters(&self, topics: &[String], partitions: i32) -> Result<DeadLetterRead> {
        let mut read = DeadLetterRead::default();
        for topic in topics {
            for partition in 0..partitions {
                self.read_all(&(topic.clone(), partition), &mut read)?;
            }
        }
        Ok(read)
    }

    fn read_all(&self, partition: &TopicPartition, read: &mut DeadLetterRead) -> Result<()> {
        let consumer = reader(&self.config, &self.group)?;
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
                read.note(&record)?;
                next = record.offset() + 1;
            }
        }
        Ok(())
    }
}

impl DeadLetterRead {
    fn note(&mut self, record: &BorrowedMessage<'_>) -> Result<()> {
        self.letters.record(&event_id(record)?);
        // A dead letter of the producer has no coordinates: its record never was in Kafka.
        if let Some(place) = coordinates(record)
            && !self.records.insert(place.clone())
        {
            self.repeated.push(place);
        }
        Ok(())
    }
}

fn reader(config: &ClientConfig, group: &str) -> Result<BaseConsumer> {
    let mut config = config.clone();
    config.set("group.id", group).set("enable.auto.commit", "false").set("auto.offset.reset", "earliest");
    // Partitions may be added while we look.
    config.set("topic.metadata.refresh.interval.ms", "1000");
    config.create().context("cannot create a Kafka reader")
}

/// Where the record stood that became this dead letter.
fn coordinates(record: &BorrowedMessage<'_>) -> Option<(TopicPartition, i64)> {
    let text = |name| header(record, name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let partition = text(headers::dead_letter::PARTITION)?.parse().ok()?;
    Some(((text(headers::dead_letter::TOPIC)?, partition), text(headers::dead_letter::OFFSET)?.parse().ok()?))
}

fn header(record: &BorrowedMessage<'_>, name: &str) -> Option<Vec<u8>> {
    let headers = record.headers()?;
    headers.iter().find(|header| header.key == name).and_then(|header| header.value.map(<[u8]>::to_vec))
}

fn ends(consumer: &BaseConsumer, (topic, partition): &TopicPartition) -> Result<(i64, i64)> {
    consumer
        .fetch_watermarks(topic, *partition, ANSWER)
        .with_context(|| format!("cannot read the ends of {topic}/{partition}"))
}

fn event_id(record: &BorrowedMessage<'_>) -> Result<EventId> {
    let text = match header(record, headers::EVENT_ID) {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => {
            domain::event::check(record.payload().unwrap_or_default()).map(|e| e.id.into_owned()).unwrap_or_default()
        }
    };
    let place = || format!("the dead letter at {}/{}/{}", record.topic(), record.partition(), record.offset());
    EventId::parse(&text).with_context(|| format!("{} has no readable event id", place()))
}
