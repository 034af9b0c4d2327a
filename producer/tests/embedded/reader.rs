//! Reads the topics of a stage with a plain consumer.

use crate::stage::{DEADLINE, Routes};
use kafka_client::context::ObservedContext;
use kafka_client::settings::{ConsumerTuning, Kafka, KafkaRaw};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use runtime::config::Settings;
use std::time::{Duration, Instant};

fn consumer(bootstrap: &str) -> BaseConsumer<ObservedContext> {
    let bootstrap_servers = bootstrap.split(',').map(str::to_owned).collect();
    let raw = KafkaRaw { bootstrap_servers, ..KafkaRaw::default() };
    let kafka = Kafka::validate(&Settings::default(), &raw).unwrap();
    kafka.consumer(&ConsumerTuning::for_group("test")).create_with_context(ObservedContext::default()).unwrap()
}

/// Shows `count` records of all topics, per partition in order.
pub fn each(bootstrap: &str, routes: Routes, count: u64, mut see: impl FnMut(&BorrowedMessage<'_>)) {
    let consumer = consumer(bootstrap);
    let mut all = TopicPartitionList::new();
    for (_, topic, partitions) in routes {
        (0..*partitions).for_each(|partition| {
            all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        });
    }
    consumer.assign(&all).unwrap();
    let (mut seen, end) = (0, Instant::now() + DEADLINE);
    while seen < count {
        assert!(Instant::now() < end, "only {seen} of {count} records came");
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
            see(&message);
            seen += 1;
        }
    }
}
