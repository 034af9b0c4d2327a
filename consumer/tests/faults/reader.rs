//! What stands in Kafka, read by somebody who is in no group: offsets, source records and dead letters.

use crate::DEADLINE;
use crate::world::PARTITIONS;
use consumer::config::Config;
use kafka_client::context::ObservedContext;
use kafka_client::settings::ConsumerTuning;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::time::{Duration, Instant};

pub struct Reader {
    topic: String,
    /// With the group of the consumers, to ask for its offsets.
    client: BaseConsumer<ObservedContext>,
}

/// A record as Kafka has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub topic: String,
    pub partition: i32,
    pub offset: i64,
    pub timestamp: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Record {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map(|headers| {
            headers.iter().map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
        });
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            timestamp: message.timestamp().to_millis().unwrap(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: headers.unwrap_or_default(),
        }
    }

    /// The text of a header; of several with that name the last, which is ours.
    pub fn text(&self, name: &str) -> String {
        let found = self.headers.iter().rev().find(|(known, _)| known == name);
        String::from_utf8(found.unwrap_or_else(|| panic!("{name}: {self:?}")).1.clone().unwrap()).unwrap()
    }
}

impl Reader {
    pub fn new(config: &Config, topic: &str) -> Self {
        let tuning = ConsumerTuning::for_group(&config.desk.group);
        let client = config.kafka.consumer(&tuning).create_with_context(ObservedContext::default()).unwrap();
        Self { topic: topic.to_owned(), client }
    }

    /// Committed offset and end of every partition.
    pub fn committed_and_ends(&self) -> Vec<(i64, i64)> {
        let mut list = TopicPartitionList::new();
        list.add_partition_range(&self.topic, 0, PARTITIONS - 1);
        let committed = self.client.committed_offsets(list, DEADLINE).unwrap();
        let next = |partition| match committed.find_partition(&self.topic, partition).unwrap().offset() {
            Offset::Offset(next) => next,
            _ => 0,
        };
        (0..PARTITIONS).map(|partition| (next(partition), self.end(&self.topic, partition))).collect()
    }

    fn end(&self, topic: &str, partition: i32) -> i64 {
        self.client.fetch_watermarks(topic, partition, DEADLINE).unwrap().1
    }

    /// How many dead letters there are.
    pub fn dead_letters(&self) -> i64 {
        self.end(&format!("{}.dlq", self.topic), 0)
    }

    /// All records of the topic.
    pub fn sources(&self) -> Vec<Record> {
        self.read(&self.topic, PARTITIONS)
    }

    /// All dead letters.
    pub fn letters(&self) -> Vec<Record> {
        self.read(&format!("{}.dlq", self.topic), 1)
    }

    fn read(&self, topic: &str, partitions: i32) -> Vec<Record> {
        let wanted: i64 = (0..partitions).map(|partition| self.end(topic, partition)).sum();
        let mut list = TopicPartitionList::new();
        list.add_partition_range(topic, 0, partitions - 1);
        list.set_all_offsets(Offset::Beginning).unwrap();
        self.client.assign(&list).unwrap();
        let (until, mut records) = (Instant::now() + DEADLINE, Vec::new());
        while records.len() < usize::try_from(wanted).unwrap() {
            assert!(Instant::now() < until, "{} of {wanted} records of {topic}", records.len());
            if let Some(message) = self.client.poll(Duration::from_millis(100)) {
                records.push(Record::of(&message.unwrap()));
            }
        }
        self.client.unassign().unwrap();
        records
    }
}
