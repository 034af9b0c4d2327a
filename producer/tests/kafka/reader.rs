//! Reads whole topics with a plain consumer: everything up to the end that they have when it is asked.

use crate::stage::DEADLINE;
use domain::event::EventId;
use domain::ledger::Deliveries;
use localenv::broker::kafka::KafkaCluster;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use std::time::{Duration, Instant};

/// Shows every record, per partition in order.
pub fn each(cluster: &KafkaCluster, topics: &[(String, i32)], mut see: impl FnMut(&BorrowedMessage<'_>)) {
    let consumer: BaseConsumer =
        cluster.client_config(cluster.admin()).set("group.id", "reader").create().expect("a consumer");
    let (mut all, mut wanted) = (TopicPartitionList::new(), 0);
    for (topic, partition) in topics.iter().flat_map(|(topic, count)| (0..*count).map(move |number| (topic, number))) {
        let (low, high) = consumer.fetch_watermarks(topic, partition, DEADLINE).unwrap();
        all.add_partition_offset(topic, partition, Offset::Offset(low)).unwrap();
        wanted += high - low;
    }
    consumer.assign(&all).unwrap();
    let (mut seen, end) = (0, Instant::now() + DEADLINE);
    while seen < wanted {
        assert!(Instant::now() < end, "only {seen} of {wanted} records came");
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            see(&message);
            seen += 1;
        }
    }
}

/// The events among them.
pub fn deliveries(cluster: &KafkaCluster, topics: &[(String, i32)]) -> Deliveries {
    let mut deliveries = Deliveries::default();
    each(cluster, topics, |message| {
        let event = domain::event::check(message.payload().unwrap()).unwrap();
        deliveries.record(&EventId::parse(&event.id).unwrap());
    });
    deliveries
}
