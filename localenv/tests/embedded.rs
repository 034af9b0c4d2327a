//! The embedded broker: groups form at once, and its limits are where we say they are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::{Duration, Instant};

use localenv::broker::Broker;
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::embedded::room::{Room, room};
use localenv::broker::grant::Grant;
use localenv::broker::topic::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Message};

const PATIENCE: Duration = Duration::from_secs(30);

fn config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

fn produce(bootstrap: &str, topic: &str, count: usize, bytes: usize) {
    let producer: BaseProducer = config(bootstrap).set("linger.ms", "5").create().unwrap();
    let payload = vec![b'x'; bytes];
    for key in (0..count).map(|number| number.to_string()) {
        producer.send(BaseRecord::to(topic).key(&key).payload(&payload)).map_err(|(error, _)| error).unwrap();
        producer.poll(Duration::ZERO);
    }
    producer.flush(PATIENCE).unwrap();
}

fn group_consumer(bootstrap: &str, topic: &str) -> BaseConsumer {
    let mut config = config(bootstrap);
    config.set("group.id", "group").set("auto.offset.reset", "earliest");
    let consumer: BaseConsumer = config.create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    consumer
}

#[test]
fn what_is_produced_is_consumed_by_a_group_at_once() {
    let broker = Broker::Embedded(EmbeddedBroker::start(3, &[Topic::new("first", 6)]).unwrap());
    broker.create_topics(&[Topic::new("first", 6), Topic::new("second", 2)]).unwrap();
    assert!(broker.client("producer", &[Grant::produce("first")]).unwrap().is_none(), "it is plaintext");
    let bootstrap = broker.bootstrap();
    assert_eq!(bootstrap.split(',').count(), 3);
    produce(&bootstrap, "first", 500, 200);

    let consumer = group_consumer(&bootstrap, "first");
    let (begin, mut first, mut seen) = (Instant::now(), None, [false; 500]);
    while seen.contains(&false) {
        assert!(begin.elapsed() < PATIENCE);
        if let Some(message) = consumer.poll(Duration::from_millis(20)) {
            first.get_or_insert(begin.elapsed());
            let message = message.unwrap();
            seen[message.key_view::<str>().unwrap().unwrap().parse::<usize>().unwrap()] = true;
        }
    }
    assert!(first.unwrap() < Duration::from_millis(2900), "the group waited: {first:?}");
    let metadata = consumer.fetch_metadata(Some("second"), PATIENCE).unwrap();
    assert_eq!(metadata.topics()[0].partitions().len(), 2);
}

/// If librdkafka keeps more or less one day, `room` has to be told.
#[test]
fn records_are_dropped_where_room_says_so_and_not_before() {
    const BYTES: usize = 200;
    let broker = EmbeddedBroker::start(1, &[Topic::new("t", 1)]).unwrap();
    let bootstrap = broker.bootstrap();
    let consumer: BaseConsumer = config(&bootstrap).create().unwrap();
    let oldest = || consumer.fetch_watermarks("t", 0, PATIENCE).unwrap().0;

    produce(&bootstrap, "t", 20_000, BYTES);
    assert!(matches!(room(20_000, BYTES as u64), Room::NearLimit(80..)));
    assert_eq!(oldest(), 0, "dropped before the limit");
    produce(&bootstrap, "t", 10_000, BYTES);
    assert_eq!(room(30_000, BYTES as u64), Room::Exceeded);
    assert!(oldest() > 0, "nothing was dropped beyond the limit");
}
