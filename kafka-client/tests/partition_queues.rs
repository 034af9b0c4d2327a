//! Partitions read by queues of their own, on the embedded broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kafka_client::partition_queues::PartitionQueues;
use kafka_client::settings::{ConsumerTuning, Kafka, KafkaRaw};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, TopicPartitionList};
use runtime::config::Settings;
use std::time::{Duration, Instant};

const TOPIC: &str = "telemetry";
const DEADLINE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Queued(PartitionQueues);

impl ClientContext for Queued {}

impl ConsumerContext for Queued {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.0.open(consumer.client(), list);
            consumer.incremental_assign(list).unwrap();
        } else {
            self.0.close(list);
            consumer.incremental_unassign(list).unwrap();
        }
    }
}

/// A reader of a topic with two partitions; its queues go before its client.
struct Stage {
    queues: PartitionQueues,
    consumer: BaseConsumer<Queued>,
    producer: BaseProducer,
    /// Offsets as they came.
    seen: [Vec<i64>; 2],
    _broker: EmbeddedBroker,
}

impl Stage {
    fn start() -> Self {
        let broker = EmbeddedBroker::start(1, &[Topic::new(TOPIC, 2)]).unwrap();
        let raw = KafkaRaw { bootstrap_servers: vec![broker.bootstrap()], ..KafkaRaw::default() };
        let kafka = Kafka::validate(&Settings::of(&raw), &raw).unwrap();
        let context = Queued::default();
        let queues = context.0.clone();
        let consumer: BaseConsumer<Queued> =
            kafka.consumer(&ConsumerTuning::for_group("g")).create_with_context(context).unwrap();
        consumer.subscribe(&[TOPIC]).unwrap();
        let producer = rdkafka::ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create().unwrap();
        Self { queues, consumer, producer, seen: Default::default(), _broker: broker }
    }

    fn send(&self, partition: i32, records: usize) {
        self.begin_to_send(partition, records);
        self.producer.flush(DEADLINE).unwrap();
    }

    fn begin_to_send(&self, partition: i32, records: usize) {
        for nth in 0..records {
            let value = nth.to_string();
            let record = BaseRecord::<(), str>::to(TOPIC).partition(partition).payload(&value);
            self.producer.send(record).unwrap();
        }
    }

    /// Takes what there is, without looking at queues that gave no signal; false when there was nothing.
    fn step(&mut self) -> bool {
        assert!(self.consumer.poll(Duration::ZERO).is_none(), "a record or an error came by the main queue");
        let Some(chunk) = self.queues.take() else { return false };
        let seen = &mut self.seen[chunk.partition() as usize];
        for record in chunk.records() {
            seen.push(record.unwrap().offset());
        }
        true
    }

    /// Until so many records of both partitions were seen.
    fn read_until(&mut self, counts: [usize; 2]) {
        let start = Instant::now();
        while self.seen[0].len() < counts[0] || self.seen[1].len() < counts[1] {
            assert!(start.elapsed() < DEADLINE, "{:?} of {counts:?} came", [self.seen[0].len(), self.seen[1].len()]);
            if !self.step() {
                self.queues.wait(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.queues.clear();
    }
}

#[test]
fn a_partition_that_is_stopped_goes_on_at_the_very_next_record_and_the_others_never_stop() {
    let mut stage = Stage::start();
    (0..2).for_each(|partition| stage.send(partition, 3_000));
    stage.read_until([1, 0]);
    stage.queues.stop(TOPIC, 0);
    let before = stage.seen[0].len();
    assert!(before < 3_000, "all of it came at once");
    stage.read_until([before, 3_000]);
    stage.send(1, 10);
    stage.read_until([before, 3_010]);
    assert_eq!(stage.seen[0].len(), before, "it is stopped");
    stage.queues.go_on(TOPIC, 0);
    stage.read_until([3_000, 3_010]);
    assert_eq!(stage.seen[0], (0..3_000).collect::<Vec<i64>>());
    assert_eq!(stage.seen[1], (0..3_010).collect::<Vec<i64>>());
}

#[test]
fn a_record_ends_the_wait_for_it() {
    let mut stage = Stage::start();
    stage.send(0, 1);
    stage.read_until([1, 0]);
    let started = Instant::now();
    stage.begin_to_send(0, 1);
    while stage.queues.take().is_none() {
        // Nobody looks at queues that gave no signal.
        stage.queues.wait(DEADLINE);
    }
    assert!(started.elapsed() < DEADLINE / 2, "{:?}", started.elapsed());
}

#[test]
fn nothing_is_read_when_all_are_stopped_and_a_look_at_all_changes_nothing() {
    let mut stage = Stage::start();
    (0..2).for_each(|partition| stage.send(partition, 500));
    stage.read_until([1, 1]);
    stage.queues.stop_all();
    stage.queues.look_at_all();
    assert!(!stage.step());
    (0..2).for_each(|partition| stage.queues.go_on(TOPIC, partition));
    stage.read_until([500, 500]);
}
