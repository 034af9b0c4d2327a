//! The whole consumer against a broker: everything delivered, offsets exact, and (on Kafka itself) partitions handed over without a duplicate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use consumer::app;
use consumer::config::{Config, Raw};
use consumer::invoke::{InvokeFailure, Invoker};
use domain::contract::{Request, Response};
use domain::headers::dead_letter as header;
use domain::verdict::Verdict;
use kafka_client::context::ObservedContext;
use kafka_client::settings::{ConsumerTuning, ProducerTuning};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use localenv::broker::topic::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use runtime::config::load;
use runtime::exit::Failure;
use runtime::shutdown::Shutdown;
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const TOPIC: &str = "mt-c400";
const PARTITIONS: i32 = 4;
const DEADLINE: Duration = Duration::from_secs(60);

/// A function that remembers every record it was given, in order. Values are `{"key":K,"seq":S}`; seq 0 modulo 1000 is rejected.
#[derive(Clone, Default)]
struct Recorder {
    /// Shared by the instances of one test.
    seen: watch::Sender<Vec<Seen>>,
    latency: Duration,
    instance: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Seen {
    instance: u32,
    partition: i32,
    offset: i64,
    key: i64,
    seq: i64,
}

impl Invoker for Recorder {
    async fn invoke(&self, _: &str, payload: Vec<u8>) -> Result<Bytes, InvokeFailure> {
        // The function is busy for so long.
        let _ = tokio::time::timeout(self.latency, std::future::pending::<()>()).await;
        let request = Request::decode(&payload).unwrap();
        let mut verdicts = Vec::new();
        for record in request.records() {
            let value: serde_json::Value = serde_json::from_str(record.value).unwrap();
            let (key, seq) = (value["key"].as_i64().unwrap(), value["seq"].as_i64().unwrap());
            let rejected = Verdict::Rejected { reason: "schema".into(), detail: "on purpose".into() };
            verdicts.push((record.offset, if seq % 1_000 == 0 { rejected } else { Verdict::Delivered }));
            self.seen.send_modify(|seen| {
                seen.push(Seen {
                    instance: self.instance,
                    partition: request.partition,
                    offset: record.offset.0,
                    key,
                    seq,
                })
            });
        }
        Ok(Bytes::from(serde_json::to_vec(&Response::from_verdicts(&request.batch_id, verdicts)).unwrap()))
    }

    async fn check(&self, _: &str) -> Result<(), InvokeFailure> {
        Ok(())
    }
}

impl Recorder {
    fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    async fn wait_for(&self, records: usize) {
        self.wait_until(|seen| seen.len() >= records).await;
    }

    async fn wait_until(&self, enough: impl FnMut(&Vec<Seen>) -> bool) {
        let mut seen = self.seen.subscribe();
        let in_time = tokio::time::timeout(DEADLINE, seen.wait_for(enough)).await.is_ok();
        assert!(in_time, "{} records after {DEADLINE:?}", self.seen().len());
    }

    fn of_instance(&self, instance: u32) -> Self {
        Self { instance, ..self.clone() }
    }
}

struct World {
    /// How to reach the broker.
    connection: Vec<(&'static str, String)>,
    /// Ends when it is dropped.
    _broker: Box<dyn Any>,
    next_seq: HashMap<i64, i64>,
}

struct Running {
    shutdown: Shutdown,
    end: JoinHandle<Result<(), Failure>>,
}

impl World {
    fn new() -> Self {
        Self::embedded(&topics())
    }

    fn embedded(topics: &[Topic]) -> Self {
        let broker = EmbeddedBroker::start(1, topics).unwrap();
        let connection = vec![("KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap())];
        Self { connection, _broker: Box::new(broker), next_seq: HashMap::new() }
    }

    fn on_kafka() -> Self {
        let cluster = KafkaCluster::start(&KafkaOptions::default()).unwrap();
        cluster.create_topics(&topics()).unwrap();
        let text = |path: &Path| path.display().to_string();
        let identity = cluster.admin();
        let connection = vec![
            ("KAFKA__BOOTSTRAP_SERVERS", cluster.bootstrap()),
            ("KAFKA__TLS__CA", text(&identity.ca)),
            ("KAFKA__TLS__CERTIFICATE", text(&identity.certificate)),
            ("KAFKA__TLS__KEY", text(&identity.key)),
        ];
        Self { connection, _broker: Box::new(cluster), next_seq: HashMap::new() }
    }

    fn config(&self, instance: &str) -> Config {
        let settings = [
            ("KAFKA__STATISTICS_INTERVAL", "1s".into()),
            ("CONSUMER__GROUP", "g".into()),
            ("CONSUMER__TOPICS", TOPIC.into()),
            ("CONSUMER__INSTANCE_ID", instance.into()),
            ("CONSUMER__SESSION_TIMEOUT", "6s".into()),
            ("BATCH__RECORDS", "100".into()),
            ("BATCH__AGE", "100ms".into()),
            ("FUNCTION__NAME", "dispatcher".into()),
        ];
        let settings = self.connection.iter().cloned().chain(settings);
        let loaded = load::<Raw>(None, settings.map(|(key, value)| (format!("COMBOIO_{key}"), value))).unwrap();
        Config::validate(&loaded).unwrap()
    }

    /// Starts a consumer inside this process.
    fn start(&self, instance: &str, recorder: &Recorder) -> Running {
        let shutdown = Shutdown::new();
        let end = tokio::spawn(app::run(self.config(instance), shutdown.clone(), recorder.clone()));
        Running { shutdown, end }
    }

    /// Produces `count` records over 20 keys, each key's seq growing by one, and `bad` values that are no JSON.
    fn produce(&mut self, count: i64, bad: i64) {
        let producer: BaseProducer<ObservedContext> = self
            .config("")
            .kafka
            .producer(&ProducerTuning::default())
            .create_with_context(ObservedContext::default())
            .unwrap();
        for n in 0..count {
            let key = n % 20;
            let seq = self.next_seq.entry(key).or_default();
            *seq += 1;
            let (name, value) = (format!("key-{key}"), format!("{{\"key\":{key},\"seq\":{seq}}}"));
            producer.send(BaseRecord::to(TOPIC).key(&name).payload(&value)).map_err(|(error, _)| error).unwrap();
        }
        for n in 0..bad {
            let name = format!("key-{n}");
            producer
                .send(BaseRecord::to(TOPIC).key(&name).payload(b"\xff{no json".as_slice()))
                .map_err(|(error, _)| error)
                .unwrap();
        }
        producer.flush(DEADLINE).unwrap();
    }

    /// Keeps records coming until `instance` was given one.
    async fn produce_until_met(&mut self, recorder: &Recorder, instance: u32) {
        let mut paces = tokio::time::interval(Duration::from_millis(100));
        let until = Instant::now() + DEADLINE;
        while !recorder.seen().iter().any(|record| record.instance == instance) {
            assert!(Instant::now() < until, "instance {instance} was given nothing");
            paces.tick().await;
            // More than the function takes, so that there is always something in flight.
            self.produce(600, 0);
        }
    }

    fn produced(&self) -> usize {
        self.next_seq.values().map(|seq| usize::try_from(*seq).unwrap()).sum()
    }

    fn client(&self, group: &str) -> BaseConsumer<ObservedContext> {
        self.config("")
            .kafka
            .consumer(&ConsumerTuning::for_group(group))
            .create_with_context(ObservedContext::default())
            .unwrap()
    }

    /// Committed offset and end of every partition.
    fn committed_and_ends(&self) -> Vec<(i64, i64)> {
        let client = self.client("g");
        let mut list = TopicPartitionList::new();
        list.add_partition_range(TOPIC, 0, PARTITIONS - 1);
        let committed = client.committed_offsets(list, DEADLINE).unwrap();
        let pair = |partition| {
            let (_, end) = client.fetch_watermarks(TOPIC, partition, DEADLINE).unwrap();
            let next = match committed.find_partition(TOPIC, partition).unwrap().offset() {
                Offset::Offset(next) => next,
                _ => 0,
            };
            (next, end)
        };
        (0..PARTITIONS).map(pair).collect()
    }

    /// Waits until every partition is committed up to its end, with the consumers still running.
    async fn wait_committed(&self) {
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        let committed = async {
            while !self.committed_and_ends().iter().all(|(next, end)| next == end) {
                looks.tick().await;
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, committed).await.is_ok();
        assert!(in_time, "{:?}", self.committed_and_ends());
    }

    /// The first `count` dead letters.
    fn dead_letters<T>(&self, count: usize, read: impl Fn(&BorrowedMessage<'_>) -> T) -> Vec<T> {
        let client = self.client("reader");
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&format!("{TOPIC}.dlq"), 0, Offset::Beginning).unwrap();
        client.assign(&list).unwrap();
        let until = Instant::now() + DEADLINE;
        let mut letters = Vec::new();
        while letters.len() < count {
            assert!(Instant::now() < until, "{} of {count} dead letters", letters.len());
            if let Some(Ok(message)) = client.poll(Duration::from_millis(100)) {
                letters.push(read(&message));
            }
        }
        letters
    }
}

fn topics() -> [Topic; 2] {
    [Topic::new(TOPIC, PARTITIONS), Topic::new(format!("{TOPIC}.dlq"), 1)]
}

impl Running {
    async fn stop(self) {
        self.shutdown.trigger("test");
        tokio::time::timeout(DEADLINE, self.end).await.expect("ends in time").unwrap().unwrap();
    }
}

fn text(message: &BorrowedMessage<'_>, name: &str) -> String {
    let headers = message.headers().unwrap();
    let found = headers.iter().find(|header| header.key == name).and_then(|header| header.value);
    String::from_utf8(found.unwrap().to_vec()).unwrap()
}

fn first_offsets(seen: &[Seen]) -> BTreeMap<i32, i64> {
    let mut first = BTreeMap::new();
    for record in seen {
        first.entry(record.partition).or_insert(record.offset);
    }
    first
}

fn assert_order_per_key(seen: &[Seen]) {
    let mut last = HashMap::new();
    for record in seen {
        let before = last.insert(record.key, record.seq).unwrap_or(0);
        assert_eq!(record.seq, before + 1, "key {} goes from {before} to {}", record.key, record.seq);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_delivered_and_a_restart_goes_on_at_the_very_next_record() {
    let mut world = World::new();
    world.produce(2_000, 8);
    let first = Recorder::default();
    let running = world.start("a", &first);
    first.wait_for(2_000).await;
    let letters = world.dead_letters(8, |message| {
        let words = [header::TOPIC, header::REASON, header::CLASS, header::ATTEMPTS].map(|name| text(message, name));
        (
            words.join(" "),
            message.payload().unwrap().to_vec(),
            String::from_utf8(message.key().unwrap().to_vec()).unwrap(),
        )
    });
    for (words, value, key) in &letters {
        assert_eq!((words.as_str(), value.as_slice()), ("mt-c400 not-json rejected 0", b"\xff{no json".as_slice()));
        assert!(key.starts_with("key-"));
    }
    world.wait_committed().await;
    world.produce(200, 0);
    first.wait_for(2_200).await;
    // Not only the first commit: each one's answer makes way for the next.
    world.wait_committed().await;
    running.stop().await;
    assert_eq!(first.seen().len(), 2_200);
    assert_order_per_key(&first.seen());
    let committed = world.committed_and_ends();
    assert!(committed.iter().all(|(next, end)| next == end && *end > 0), "{committed:?}");

    world.produce(400, 0);
    let second = Recorder::default();
    let running = world.start("a", &second);
    second.wait_for(400).await;
    running.stop().await;
    let expected: BTreeMap<i32, i64> = (0..PARTITIONS).zip(committed.iter().map(|(next, _)| *next)).collect();
    assert_eq!(first_offsets(&second.seen()), expected);
    assert_eq!(second.seen().len(), 400);
    let committed = world.committed_and_ends();
    assert!(committed.iter().all(|(next, end)| next == end), "{committed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_between_members_without_loss_or_duplicate() {
    // Not the embedded broker: it refuses commits while members join, which Kafka does not.
    let mut world = World::on_kafka();
    let recorder = Recorder { latency: Duration::from_millis(100), ..Recorder::default() };
    let first = world.start("", &recorder.of_instance(1));
    world.produce_until_met(&recorder, 1).await;
    let second = world.start("", &recorder.of_instance(2));
    world.produce_until_met(&recorder, 2).await;
    let third = world.start("", &recorder.of_instance(3));
    // The group is moving when the first one goes.
    first.stop().await;
    world.produce_until_met(&recorder, 3).await;
    let produced = world.produced();
    recorder.wait_for(produced).await;
    world.wait_committed().await;
    second.stop().await;
    third.stop().await;
    let seen = recorder.seen();
    assert_eq!(seen.len(), produced, "a duplicate although every hand-over was drained");
    assert_order_per_key(&seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_dead_letter_topic_is_named_before_anything_is_read() {
    let world = World::embedded(&[Topic::new(TOPIC, 1)]);
    let recorder = Recorder::default();
    let end = tokio::time::timeout(DEADLINE, world.start("", &recorder).end).await.unwrap().unwrap();
    let failure = end.unwrap_err();
    assert!(failure.to_string().contains("mt-c400.dlq"), "{failure}");
    assert_eq!(failure.exit(), runtime::exit::Exit::Failed);
}
