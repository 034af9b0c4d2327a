//! The real binary with source ingest, an embedded broker, and what a test asks of both.

use crate::client::{Client, Reply};
use kafka_client::context::ObservedContext;
use kafka_client::settings::{ConsumerTuning, Kafka, KafkaRaw};
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use localenv::process::Guarded;
use producer::report::Report;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use runtime::config::Settings;
use serde_json::Value;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

pub const DEADLINE: Duration = Duration::from_secs(60);
pub const PRODUCER: &str = env!("CARGO_BIN_EXE_comboio-producer");
const TOPICS: [(&str, i32); 2] = [("mt-c400", 6), ("mt-c300", 4)];

/// A record as a test compares it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    pub topic: String,
    pub key: Vec<u8>,
    pub value: String,
    pub timestamp: i64,
}

pub struct Stage {
    broker: EmbeddedBroker,
    folder: tempfile::TempDir,
}

impl Stage {
    pub fn new() -> Self {
        let topics = TOPICS.map(|(topic, partitions)| Topic::new(topic, partitions));
        Self { broker: EmbeddedBroker::start(2, &topics).unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the producer; `ingest` goes into its section, `more` behind everything.
    pub fn start(&self, ingest: &str, more: &str) -> Guarded {
        self.start_by(Command::new(PRODUCER), ingest, more)
    }

    /// The same by a command that becomes the producer: its arguments come behind the command's own.
    pub fn start_by(&self, mut command: Command, ingest: &str, more: &str) -> Guarded {
        let listen = if ingest.contains("listen") { "" } else { "listen = \"127.0.0.1:0\"\n" };
        let config = format!(
            "[source]\nkind = \"ingest\"\n[[routes]]\ncodigo = \"400-499\"\ntopic = \"mt-c400\"\n\
             [[routes]]\ncodigo = \"300-399\"\ntopic = \"mt-c300\"\n[kafka]\nbootstrap_servers = [{:?}]\n\
             [admin]\naddress_file = {:?}\n[dead_letter]\nfile = {:?}\n\
             [ingest]\n{listen}address_file = {:?}\n{ingest}\n{more}\n",
            self.broker.bootstrap().split(',').next().unwrap(),
            self.path("admin"),
            self.path("aside.ndjson"),
            self.path("ingest"),
        );
        std::fs::write(self.path("producer.toml"), config).unwrap();
        // A producer that was killed has left its own.
        for old in ["admin", "ingest"] {
            let _none = std::fs::remove_file(self.path(old));
        }
        command.arg("run").arg("--config").arg(self.path("producer.toml"));
        command.arg("--report").arg(self.path("report.json")).arg("--ledger").arg(self.path("ledger.ndjson"));
        Guarded::spawn("producer", command, &self.path("log")).unwrap()
    }

    /// Where it takes events, once it does.
    pub fn address(&self, producer: &mut Guarded) -> SocketAddr {
        let file = self.path("ingest");
        let address = self.until(producer, "the ingest address", || std::fs::read_to_string(&file).ok());
        address.trim().parse().unwrap()
    }

    pub fn admin(&self) -> Client<TcpStream> {
        Client::to(std::fs::read_to_string(self.path("admin")).unwrap().trim().parse().unwrap())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    pub fn report(&self) -> Report {
        serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap()
    }

    /// Ends it by SIGTERM; its report.
    pub fn stop(&self, producer: &mut Guarded) -> Report {
        assert_eq!(producer.stop(DEADLINE).unwrap().code(), Some(0), "{}", self.log());
        self.report()
    }

    /// Waits until `found` finds something, as long as the producer lives.
    pub fn until<T>(&self, producer: &mut Guarded, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(Instant::now() < end, "{what} never came:\n{}", self.log());
            let ended = producer.wait_exit(Duration::from_millis(5)).unwrap();
            assert_eq!(ended, None, "the producer ended before {what} came:\n{}", self.log());
        }
    }

    /// Waits until everything is in Kafka: nothing in the spool, and nothing on its way.
    pub fn until_empty(&self, producer: &mut Guarded) {
        let empty = |status: Value| status["spool"]["events"] == 0 && status["queue"] == 0;
        self.until(producer, "an empty spool", || empty(self.admin().get("/status").json()).then_some(()));
    }

    /// Waits until readiness fails; what it says.
    pub fn until_unready(&self, producer: &mut Guarded) -> Reply {
        let failed = || Some(self.admin().get("/readyz")).filter(|reply| reply.status == 503);
        self.until(producer, "readiness to fail", failed)
    }

    /// All brokers away, or back.
    pub fn brokers(&self, up: bool) {
        let mock = self.broker.mock().unwrap();
        (1..=2).for_each(|broker| if up { mock.broker_up(broker) } else { mock.broker_down(broker) }.unwrap());
    }

    fn consumer(&self) -> BaseConsumer<ObservedContext> {
        let bootstrap_servers = self.broker.bootstrap().split(',').map(str::to_owned).collect();
        let raw = KafkaRaw { bootstrap_servers, ..KafkaRaw::default() };
        let kafka = Kafka::validate(&Settings::default(), &raw).unwrap();
        kafka.consumer(&ConsumerTuning::for_group("test")).create_with_context(ObservedContext::default()).unwrap()
    }

    /// Reads everything that is there now, per partition in order.
    pub fn read_all(&self) -> Vec<Record> {
        let consumer = self.consumer();
        let partitions = TOPICS.iter().flat_map(|(topic, count)| (0..*count).map(move |number| (topic, number)));
        let held = |(topic, number): (&&str, i32)| {
            let (low, high) = consumer.fetch_watermarks(topic, number, DEADLINE).unwrap();
            (high - low) as usize
        };
        self.read(partitions.map(held).sum())
    }

    /// Reads `count` records, per partition in order.
    pub fn read(&self, count: usize) -> Vec<Record> {
        let consumer = self.consumer();
        let mut all = TopicPartitionList::new();
        for (topic, partitions) in TOPICS {
            (0..partitions).for_each(|partition| {
                all.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
            });
        }
        consumer.assign(&all).unwrap();
        let (mut records, end) = (Vec::new(), Instant::now() + DEADLINE);
        while records.len() < count {
            assert!(Instant::now() < end, "only {} of {count} records came", records.len());
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) else { continue };
            records.push(Record {
                topic: message.topic().to_owned(),
                key: message.key().unwrap().to_vec(),
                value: String::from_utf8(message.payload().unwrap().to_vec()).unwrap(),
                timestamp: message.timestamp().to_millis().unwrap(),
            });
        }
        records
    }
}
