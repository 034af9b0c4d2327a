//! A broker, the collector, the Lambda host with the real dispatcher, the front before it, and what is put into the topic.

use crate::brain::Brain;
use crate::consumer::{Consumer, Setting};
use crate::events::Events;
use crate::front::Front;
use crate::programs;
use crate::reader::Reader;
use crate::traffic::Traffic;
use crate::{DEADLINE, RECOVERY};
use consumer::config::{Config, Raw};
use kafka_client::context::ObservedContext;
use kafka_client::settings::ProducerTuning;
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use localenv::broker::topic::Topic;
use localenv::collector::Collector;
use localenv::lambda_host::{Function, HostOptions, LambdaHost};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use runtime::config::load;
use std::any::Any;
use std::path::Path;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub const PARTITIONS: i32 = 3;
const FUNCTION: &str = "dispatcher";
/// The same with two seconds for an invocation.
pub const BRIEF: &str = "brief";

pub struct World {
    pub topic: String,
    pub collector: Collector,
    pub host: LambdaHost,
    pub brain: Brain,
    pub events: Events,
    pub reader: Reader,
    pub producer: BaseProducer<ObservedContext>,
    pub connection: Vec<Setting>,
    front: Front,
    /// Ends when it is dropped, or with the last test that uses it.
    _broker: Box<dyn Any>,
    folder: TempDir,
}

/// One cluster for all tests that run at the same time; each has a topic and a group of its own.
static CLUSTER: Mutex<Weak<KafkaCluster>> = Mutex::new(Weak::new());

fn cluster() -> Arc<KafkaCluster> {
    let mut shared = CLUSTER.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let cluster = Arc::new(KafkaCluster::start(&KafkaOptions::default()).unwrap());
        *shared = Arc::downgrade(&cluster);
        cluster
    })
}

fn topics(topic: &str) -> [Topic; 4] {
    let beside = beside(topic);
    let dead_letters = [topic, &beside].map(|topic| Topic::new(format!("{topic}.dlq"), 1));
    let [first, second] = dead_letters;
    [Topic::new(topic, PARTITIONS), first, Topic::new(beside, PARTITIONS), second]
}

/// A second topic, for tests that want one.
fn beside(topic: &str) -> String {
    format!("{topic}-beside")
}

impl World {
    pub async fn embedded(topic: &str) -> Self {
        let broker = EmbeddedBroker::start(1, &topics(topic)).unwrap();
        let connection = vec![("KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap())];
        Self::around(topic, connection, Box::new(broker)).await
    }

    pub async fn on_kafka(topic: &'static str) -> Self {
        let cluster = tokio::task::spawn_blocking(move || {
            let cluster = cluster();
            cluster.create_topics(&topics(topic)).unwrap();
            cluster
        });
        let cluster = cluster.await.unwrap();
        let mut connection = vec![("KAFKA__BOOTSTRAP_SERVERS", cluster.bootstrap())];
        connection.extend(cluster.admin().settings());
        Self::around(topic, connection, Box::new(cluster)).await
    }

    async fn around(topic: &str, connection: Vec<Setting>, broker: Box<dyn Any>) -> Self {
        let (collector, folder) = (Collector::start().await.unwrap(), TempDir::new().unwrap());
        let host = LambdaHost::start(HostOptions::default()).await.unwrap();
        for (name, seconds) in [(FUNCTION, 10), (BRIEF, 2)] {
            host.deploy(dispatcher(name, Duration::from_secs(seconds), &collector)).unwrap();
        }
        for (name, end) in [("exits", "exit 3"), ("killed", "kill -9 $$")] {
            let mut function = Function::new(name, programs::crashes(folder.path()));
            function.env.insert("END".into(), end.into());
            host.deploy(function).unwrap();
        }
        let brain = Brain::new(&host.endpoint());
        let front = Front::start(brain.clone()).await;
        let config = config(topic, &connection);
        let tuning = ProducerTuning { linger: Duration::from_millis(1), ..ProducerTuning::default() };
        let producer = config.kafka.producer(&tuning).create_with_context(ObservedContext::default()).unwrap();
        let reader = Reader::new(&config, topic);
        let (topic, events) = (topic.to_owned(), Events::default());
        Self { topic, collector, host, brain, events, reader, producer, connection, front, _broker: broker, folder }
    }

    /// What every consumer of this world is told.
    fn settings(&self, more: &[Setting]) -> Vec<Setting> {
        let own = [
            ("CONSUMER__GROUP", format!("{}-group", self.topic)),
            ("CONSUMER__TOPICS", self.topic.clone()),
            ("CONSUMER__SESSION_TIMEOUT", "6s".into()),
            ("BATCH__AGE", "50ms".into()),
            ("FUNCTION__NAME", FUNCTION.into()),
            ("FUNCTION__ENDPOINT_URL", self.front.endpoint()),
        ];
        self.connection.iter().cloned().chain(own).chain(more.iter().cloned()).collect()
    }

    pub fn start(&self, more: &[Setting]) -> Consumer {
        Consumer::start(&self.settings(more), &[])
    }

    pub fn start_with(&self, more: &[Setting], variables: &[(&str, String)]) -> Consumer {
        Consumer::start(&self.settings(more), variables)
    }

    /// The setting by which a consumer takes the second topic too.
    pub fn both_topics(&self) -> Setting {
        ("CONSUMER__TOPICS", format!("{},{}", self.topic, beside(&self.topic)))
    }

    /// Good events for the second topic, all the time.
    pub fn traffic_beside(&self) -> Traffic {
        Traffic::start(&self.config(), &beside(&self.topic))
    }

    /// The same for the topic itself.
    pub fn traffic(&self) -> Traffic {
        Traffic::start(&self.config(), &self.topic)
    }

    fn config(&self) -> Config {
        config(&self.topic, &self.connection)
    }

    /// A folder that lives as long as this.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts the next `count` events into the topic.
    pub fn produce(&mut self, count: usize) {
        for _ in 0..count {
            let (key, value) = self.events.next();
            self.send(&key, &value);
        }
        self.flush();
    }

    /// The same, and does not wait until Kafka has them.
    pub fn offer(&mut self, count: usize) {
        for _ in 0..count {
            let (key, value) = self.events.next();
            self.send(&key, &value);
        }
        // Without a span it serves one answer, and there are dozens a second.
        self.producer.poll(Duration::from_millis(20));
    }

    pub fn send(&self, key: &str, value: &[u8]) {
        self.producer.send(BaseRecord::to(&self.topic).key(key).payload(value)).map_err(|(error, _)| error).unwrap();
    }

    pub fn flush(&self) {
        self.producer.flush(DEADLINE).unwrap();
    }

    /// Keeps events coming for a while, so many every tenth of a second.
    pub async fn produce_for(&mut self, span: Duration, count: usize) {
        let until = Instant::now() + span;
        let mut paces = tokio::time::interval(Duration::from_millis(100));
        while Instant::now() < until {
            paces.tick().await;
            self.produce(count);
        }
    }

    /// Waits until every partition is committed up to its end.
    pub async fn wait_committed(&self, deadline: Duration) {
        let begun = Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        while !self.reader.committed_and_ends().iter().all(|(next, end)| next == end) {
            assert!(begun.elapsed() < deadline, "after {deadline:?}: {:?}", self.reader.committed_and_ends());
            looks.tick().await;
        }
    }

    /// All of it arrived, in order per key, and nothing became a dead letter; within the time in which a fault must be over.
    pub async fn assert_recovered(&self) {
        self.wait_committed(RECOVERY).await;
        self.assert_delivered(self.events.made());
        assert_eq!(self.reader.dead_letters(), 0, "good records became dead letters");
    }

    /// The same at the beginning, when the consumer is still starting.
    pub async fn assert_recovered_from_start(&self) {
        self.wait_committed(DEADLINE).await;
        self.assert_recovered().await;
    }

    /// So many events arrived, in order per key.
    pub fn assert_delivered(&self, events: u64) {
        let seen = self.collector.snapshot();
        assert_eq!((seen.first_deliveries, seen.order_violations), (events, 0), "{seen:?}");
    }
}

/// What clients of a test are made from.
fn config(topic: &str, connection: &[Setting]) -> Config {
    let own = [
        ("CONSUMER__GROUP", format!("{topic}-group")),
        ("CONSUMER__TOPICS", topic.into()),
        ("FUNCTION__NAME", FUNCTION.into()),
    ];
    let settings = connection.iter().cloned().chain(own);
    let loaded = load::<Raw>(None, settings.map(|(key, value)| (format!("COMBOIO_{key}"), value))).unwrap();
    Config::validate(&loaded).unwrap()
}

/// The real dispatcher, delivering to the collector.
fn dispatcher(name: &str, timeout: Duration, collector: &Collector) -> Function {
    let mut function = Function::new(name, programs::bootstrap());
    function.timeout = timeout;
    let url = format!("{}/v1/deliveries", collector.endpoint());
    function.env.insert("COMBOIO_DESTINATIONS__COLLECTOR__HTTP__URL".into(), url);
    function
}
