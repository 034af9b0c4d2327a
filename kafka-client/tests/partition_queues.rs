//! Partitions read by queues of their own, on the embedded broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use kafka_client::context::{Observer, Statistics};
use kafka_client::main_queue;
use kafka_client::partition_queues::{NoQueue, PartitionQueues};
use kafka_client::settings::{ConsumerTuning, Kafka, KafkaRaw};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{ClientContext, TopicPartitionList};
use runtime::config::{Settings, Span};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TOPIC: &str = "telemetry";
const DEADLINE: Duration = Duration::from_secs(30);
const BOTH: [i32; 2] = [0, 1];

#[derive(Default)]
struct Queued {
    queues: PartitionQueues,
    observer: Observer,
}

impl ClientContext for Queued {
    fn stats_raw(&self, json: &[u8]) {
        self.observer.stats_raw(json);
    }
}

impl ConsumerContext for Queued {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            self.queues.open(consumer.client(), list).unwrap();
            consumer.incremental_assign(list).unwrap();
        } else {
            self.queues.close(list);
            consumer.incremental_unassign(list).unwrap();
        }
    }
}

/// One member of the group; its queues go before its client.
struct Member {
    queues: PartitionQueues,
    observer: Observer,
    consumer: BaseConsumer<Queued>,
    /// Offsets as they came.
    seen: [Vec<i64>; 2],
    /// How many errors came of each partition.
    faults: [usize; 2],
}

impl Member {
    fn join(bootstrap: String) -> Self {
        let statistics_interval = Span::from_millis(100);
        let raw = KafkaRaw { bootstrap_servers: vec![bootstrap], statistics_interval, ..KafkaRaw::default() };
        let kafka = Kafka::validate(&Settings::of(&raw), &raw).unwrap();
        let context = Queued::default();
        let (queues, observer) = (context.queues.clone(), context.observer.clone());
        // The embedded broker lets a rebalance last as long as a session.
        let tuning = ConsumerTuning { session_timeout: Duration::from_secs(6), ..ConsumerTuning::for_group("g") };
        let consumer: BaseConsumer<Queued> = kafka.consumer(&tuning).create_with_context(context).unwrap();
        consumer.subscribe(&[TOPIC]).unwrap();
        Self { queues, observer, consumer, seen: Default::default(), faults: [0, 0] }
    }

    /// Takes what there is, without looking at queues that gave no signal; false when there was nothing. A fault is mended at once.
    fn step(&mut self) -> bool {
        assert!(self.consumer.poll(Duration::ZERO).is_none(), "a record or an error came by the main queue");
        let Some(chunk) = self.queues.take() else { return false };
        let place = chunk.partition() as usize;
        self.seen[place].extend(chunk.records().map(|record| record.offset()));
        if let Some(fault) = chunk.fault() {
            self.faults[place] += 1;
            let read = self.seen[place].last().map(|last| last + 1);
            assert_eq!(fault.offset, Some(read.unwrap_or(0)), "the next record is meant");
            self.queues.mend(&self.consumer, (TOPIC, chunk.partition()), read).unwrap();
        }
        true
    }

    fn until(&mut self, what: &str, mut enough: impl FnMut(&mut Self) -> bool) {
        let start = Instant::now();
        while !enough(self) {
            assert!(start.elapsed() < DEADLINE, "{what}: {:?} of both came", self.seen.each_ref().map(Vec::len));
            if !self.step() {
                self.queues.wait(Duration::from_millis(20));
            }
        }
    }

    /// Until so many records of both partitions were seen.
    fn read_until(&mut self, counts: [usize; 2]) {
        self.until("too few", |member| member.seen.iter().zip(counts).all(|(seen, count)| seen.len() >= count));
    }

    fn owned(&self) -> usize {
        self.consumer.assignment().unwrap().count()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.queues.clear();
    }
}

/// A reader of a topic with two partitions.
struct Stage {
    member: Member,
    producer: BaseProducer,
    broker: EmbeddedBroker,
}

impl Stage {
    fn start() -> Self {
        let broker = EmbeddedBroker::start(1, &[Topic::new(TOPIC, 2)]).unwrap();
        let member = Member::join(broker.bootstrap());
        let producer = rdkafka::ClientConfig::new().set("bootstrap.servers", broker.bootstrap()).create().unwrap();
        Self { member, producer, broker }
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

    /// Kafka refuses the right to read until [`Self::allow`], and has said so of both partitions.
    fn refuse(&mut self) {
        let refusals = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 1_000];
        self.broker.mock().unwrap().request_errors(RDKafkaApiKey::Fetch, &refusals);
        self.member.until("no errors", |member| member.faults.iter().all(|faults| *faults > 0));
    }

    fn allow(&self) {
        self.broker.mock().unwrap().clear_request_errors(RDKafkaApiKey::Fetch);
    }
}

fn up_to(end: i64) -> Vec<i64> {
    (0..end).collect()
}

#[test]
fn a_partition_that_is_stopped_goes_on_at_the_very_next_record_and_the_others_never_stop() {
    let mut stage = Stage::start();
    BOTH.into_iter().for_each(|partition| stage.send(partition, 3_000));
    stage.member.read_until([1, 0]);
    stage.member.queues.stop(TOPIC, 0);
    let before = stage.member.seen[0].len();
    assert!(before < 3_000, "all of it came at once");
    stage.member.read_until([before, 3_000]);
    stage.send(1, 10);
    stage.member.read_until([before, 3_010]);
    assert_eq!(stage.member.seen[0].len(), before, "it is stopped");
    stage.member.queues.go_on(TOPIC, 0);
    stage.member.read_until([3_000, 3_010]);
    assert_eq!(stage.member.seen, [up_to(3_000), up_to(3_010)]);
}

#[test]
fn a_record_ends_the_wait_for_it() {
    let mut stage = Stage::start();
    stage.send(0, 1);
    stage.member.read_until([1, 0]);
    let started = Instant::now();
    stage.begin_to_send(0, 1);
    while stage.member.queues.take().is_none() {
        // Nobody looks at queues that gave no signal.
        stage.member.queues.wait(DEADLINE);
    }
    assert!(started.elapsed() < DEADLINE / 2, "{:?}", started.elapsed());
}

#[test]
fn a_rebalance_ends_the_wait_for_records() {
    let mut stage = Stage::start();
    let Member { queues, consumer, .. } = &mut stage.member;
    queues.wake_for(consumer);
    let started = Instant::now();
    while consumer.assignment().unwrap().count() == 0 {
        if main_queue::waiting(consumer) == 0 {
            queues.wait(DEADLINE);
        }
        assert!(consumer.poll(Duration::ZERO).is_none());
    }
    assert!(started.elapsed() < DEADLINE / 2, "{:?}", started.elapsed());
}

#[test]
fn nothing_is_read_when_all_are_stopped_and_a_look_at_all_changes_nothing() {
    let mut stage = Stage::start();
    BOTH.into_iter().for_each(|partition| stage.send(partition, 500));
    stage.member.read_until([1, 1]);
    stage.member.queues.stop_all();
    stage.member.queues.look_at_all();
    assert!(!stage.member.step());
    BOTH.into_iter().for_each(|partition| stage.member.queues.go_on(TOPIC, partition));
    stage.member.read_until([500, 500]);
}

#[test]
fn an_error_and_a_pause_skip_no_record() {
    let mut stage = Stage::start();
    stage.send(0, 10);
    stage.member.read_until([10, 0]);
    stage.refuse();
    let mut both = TopicPartitionList::new();
    both.add_partition_range(TOPIC, 0, 1);
    stage.member.consumer.pause(&both).unwrap();
    BOTH.into_iter().for_each(|partition| stage.send(partition, 10));
    stage.allow();
    stage.member.consumer.resume(&both).unwrap();
    stage.member.read_until([20, 10]);
    assert_eq!(stage.member.seen, [up_to(20), up_to(10)]);
}

/// In a rebalance librdkafka pauses and resumes whatever stays.
#[test]
fn an_error_and_a_rebalance_skip_no_record() {
    let mut stage = Stage::start();
    stage.send(0, 10);
    stage.member.read_until([10, 0]);
    stage.refuse();
    let mut second = Member::join(stage.broker.bootstrap());
    stage.member.until("nothing was given up", |first| {
        second.step();
        (first.owned(), second.owned()) == (1, 1)
    });
    BOTH.into_iter().for_each(|partition| stage.send(partition, 10));
    stage.allow();
    stage.member.until("something is missing", |first| {
        second.step();
        let came = BOTH.map(|partition| {
            let of = |member: &Member| member.seen[partition as usize].clone();
            [of(first), of(&second)].concat().into_iter().collect::<BTreeSet<i64>>()
        });
        came == [(0..20).collect(), (0..10).collect()]
    });
}

#[test]
fn what_was_read_ahead_of_a_partition_goes_with_it() {
    let mut stage = Stage::start();
    BOTH.into_iter().for_each(|partition| stage.send(partition, 3_000));
    stage.member.read_until([1, 1]);
    stage.member.queues.stop_all();
    let lies = |statistics: Option<Arc<Statistics>>| {
        let all = statistics.map(|all| all.partitions.iter().map(|partition| partition.queue_records).sum::<u64>());
        all.unwrap_or(u64::MAX)
    };
    stage
        .member
        .until("nothing is read ahead", |member| (1_000..u64::MAX).contains(&lies(member.observer.statistics())));
    stage.member.consumer.unsubscribe();
    stage.member.until("it lies there for ever", |member| {
        member.queues.look_at_all();
        member.owned() == 0 && lies(member.observer.statistics()) == 0
    });
}

#[test]
fn a_partition_without_a_queue_is_named() {
    let stage = Stage::start();
    let mut list = TopicPartitionList::new();
    list.add_partition(TOPIC, 1);
    let refused = PartitionQueues::default().open(stage.producer.client(), &list).unwrap_err();
    assert_eq!(refused, NoQueue { topic: TOPIC.to_owned(), partition: 1 });
}
