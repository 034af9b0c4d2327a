//! A broker, what is put into it, and the consumers beside it.

use crate::recorder::Recorder;
use crate::sending::Sending;
use crate::{DEADLINE, PARTITIONS, TOPIC};
use consumer::app;
use consumer::config::{Config, Raw};
use consumer::invoke::Invoker;
use kafka_client::context::ObservedContext;
use kafka_client::settings::{ConsumerTuning, ProducerTuning};
use localenv::authority::Identity;
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use localenv::broker::topic::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{BorrowedMessage, OwnedHeaders};
use rdkafka::producer::BaseRecord;
use rdkafka::{Offset, TopicPartitionList};
use runtime::clock::{Clock, SystemClock};
use runtime::config::load;
use runtime::exit::Failure;
use runtime::shutdown::Shutdown;
use std::any::Any;
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

pub struct World {
    /// How to reach the broker.
    pub connection: Vec<(&'static str, String)>,
    /// Ends when it is dropped.
    pub broker: Box<dyn Any>,
    pub next_seq: HashMap<i64, i64>,
    /// Of every record that is produced.
    pub headers: OwnedHeaders,
}

pub struct Running {
    pub shutdown: Shutdown,
    pub end: JoinHandle<Result<(), Failure>>,
}

impl World {
    pub fn new() -> Self {
        Self::embedded(&topics())
    }

    pub fn embedded(topics: &[Topic]) -> Self {
        let broker = EmbeddedBroker::start(1, topics).unwrap();
        let connection = vec![("KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap())];
        Self { connection, broker: Box::new(broker), next_seq: HashMap::new(), headers: OwnedHeaders::new() }
    }

    pub fn on_kafka() -> Self {
        Self::on_kafka_with(&topics())
    }

    pub fn on_kafka_with(topics: &[Topic]) -> Self {
        let cluster = KafkaCluster::start(&KafkaOptions::default()).unwrap();
        cluster.create_topics(topics).unwrap();
        let mut connection = vec![("KAFKA__BOOTSTRAP_SERVERS", cluster.bootstrap())];
        connection.extend(cluster.admin().settings());
        Self { connection, broker: Box::new(cluster), next_seq: HashMap::new(), headers: OwnedHeaders::new() }
    }

    pub fn config(&self, instance: &str) -> Config {
        self.config_with(instance, &[])
    }

    fn config_with(&self, instance: &str, more: &[(&'static str, String)]) -> Config {
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
        let by_brokers = more.iter().any(|(key, value)| *key == "CONSUMER__PROTOCOL" && value == "consumer");
        // In such a group the brokers say how long a session is.
        let settings = settings.into_iter().filter(|(key, _)| !by_brokers || *key != "CONSUMER__SESSION_TIMEOUT");
        let settings = self.connection.iter().cloned().chain(settings).chain(more.iter().cloned());
        let loaded = load::<Raw>(None, settings.map(|(key, value)| (format!("COMBOIO_{key}"), value))).unwrap();
        Config::validate(&loaded).unwrap()
    }

    /// Starts a consumer inside this process.
    pub fn start(&self, instance: &str, recorder: &Recorder) -> Running {
        self.start_with(instance, recorder, &[])
    }

    /// Starts a consumer with more settings.
    pub fn start_with<F: Invoker + Clone>(
        &self,
        instance: &str,
        function: &F,
        more: &[(&'static str, String)],
    ) -> Running {
        let shutdown = Shutdown::new();
        let end = tokio::spawn(app::run(self.config_with(instance, more), shutdown.clone(), function.clone()));
        Running { shutdown, end }
    }

    /// Produces `count` records over 20 keys, each key's seq growing by one, and `bad` values that are no JSON.
    pub fn produce(&mut self, count: i64, bad: i64) {
        let sending = self.sending(&ProducerTuning::default());
        for n in 0..count {
            let key = n % 20;
            let seq = self.next_seq.entry(key).or_default();
            *seq += 1;
            let (name, value) = (format!("key-{key}"), format!("{{\"key\":{key},\"seq\":{seq}}}"));
            sending.send(BaseRecord::to(TOPIC).key(&name).payload(&value).headers(self.headers.clone()));
        }
        for n in 0..bad {
            let name = format!("key-{n}");
            sending.send(BaseRecord::to(TOPIC).key(&name).payload(b"\xff{no json".as_slice()));
        }
        sending.finish();
    }

    /// Produces these values with one key, so that they are neighbours in one partition.
    pub fn produce_values(&self, values: &[Vec<u8>]) {
        let sending = self.sending(&ProducerTuning { record_bytes: 16 << 20, ..ProducerTuning::default() });
        for value in values {
            sending.send(BaseRecord::to(TOPIC).key("one").payload(value));
        }
        sending.finish();
    }

    /// Produces one record to each of these partitions, with the time of so long ago.
    pub fn produce_aged(&mut self, ages: &[(i32, Duration)]) {
        let sending = self.sending(&ProducerTuning::default());
        let now_ms = SystemClock.wall_ms();
        for (partition, age) in ages {
            let key = 100 + i64::from(*partition);
            let seq = self.next_seq.entry(key).or_default();
            *seq += 1;
            let (name, value) = (format!("key-{key}"), format!("{{\"key\":{key},\"seq\":{seq}}}"));
            let at_ms = now_ms - i64::try_from(age.as_millis()).unwrap();
            sending.send(BaseRecord::to(TOPIC).partition(*partition).timestamp(at_ms).key(&name).payload(&value));
        }
        sending.finish();
    }

    fn sending(&self, tuning: &ProducerTuning) -> Sending {
        Sending::new(&self.config("").kafka.producer(tuning))
    }

    /// Keeps records coming until `instance` was given one.
    pub async fn produce_until_met(&mut self, recorder: &Recorder, instance: u32) {
        let mut paces = tokio::time::interval(Duration::from_millis(100));
        let until = Instant::now() + DEADLINE;
        while !recorder.seen().iter().any(|record| record.instance == instance) {
            assert!(Instant::now() < until, "instance {instance} was given nothing");
            paces.tick().await;
            // More than the function takes, so that there is always something in flight.
            self.produce(600, 0);
        }
    }

    /// Has the consumers read their certificates from `folder`, where they can be replaced.
    pub fn certificates_in(&mut self, folder: &Path) {
        let (certificate, key) = (folder.join("client.crt"), folder.join("client.key"));
        let identity = Identity { certificate, key, ..self.kafka().admin().clone() };
        self.connection.truncate(1);
        self.connection.extend(identity.settings());
        self.connection.extend([
            ("KAFKA__TLS__CHECK_EVERY", "1s".into()),
            ("ADMIN__ADDRESS_FILE", folder.join("admin").display().to_string()),
        ]);
    }

    /// Of a world on Kafka.
    pub fn kafka(&self) -> &KafkaCluster {
        self.broker.downcast_ref().unwrap()
    }

    pub fn produced(&self) -> usize {
        self.next_seq.values().map(|seq| usize::try_from(*seq).unwrap()).sum()
    }

    pub fn client(&self, group: &str) -> BaseConsumer<ObservedContext> {
        self.config("")
            .kafka
            .consumer(&ConsumerTuning::for_group(group))
            .create_with_context(ObservedContext::default())
            .unwrap()
    }

    /// Committed offset and end of every partition.
    pub fn committed_and_ends(&self) -> Vec<(i64, i64)> {
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
    pub async fn wait_committed(&self) {
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
    pub fn dead_letters<T>(&self, count: usize, read: impl Fn(&BorrowedMessage<'_>) -> T) -> Vec<T> {
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

pub fn topics() -> [Topic; 2] {
    [Topic::new(TOPIC, PARTITIONS), Topic::new(format!("{TOPIC}.dlq"), 1)]
}

impl Running {
    pub async fn stop(self) {
        self.shutdown.trigger("test");
        tokio::time::timeout(DEADLINE, self.end).await.expect("ends in time").unwrap().unwrap();
    }
}
