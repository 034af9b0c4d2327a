//! The stage of every test: an embedded broker, a folder for a run's files, and the real binary between them.

use crate::admin::ask;
use crate::reader;
use domain::ledger::Produced;
use localenv::broker::embedded::EmbeddedBroker;
use localenv::broker::topic::Topic;
use localenv::process::Guarded;
use producer::report::Report;
use rdkafka::message::BorrowedMessage;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

pub const DEADLINE: Duration = Duration::from_secs(60);
const BROKERS: i32 = 2;

/// Codigos, topic and partitions.
pub type Routes = &'static [(&'static str, &'static str, i32)];
pub const ROUTES: Routes = &[("900-909", "mt-priority", 2), ("400-499", "mt-c400", 6), ("300-399", "mt-c300", 4)];

/// The local file for dead letters and bad lines.
pub const SET_ASIDE: &str = "aside.ndjson";

/// A broker, and a folder for a run's files.
pub struct Stage {
    broker: Rc<EmbeddedBroker>,
    folder: tempfile::TempDir,
    routes: Routes,
}

impl Stage {
    pub fn new() -> Self {
        Self::with(ROUTES)
    }

    pub fn with(routes: Routes) -> Self {
        let topics: Vec<Topic> = routes.iter().map(|(_, topic, partitions)| Topic::new(*topic, *partitions)).collect();
        let broker = Rc::new(EmbeddedBroker::start(BROKERS, &topics).unwrap());
        Self { broker, folder: tempfile::tempdir().unwrap(), routes }
    }

    /// The same broker and topics, and another folder: for a producer beside this one.
    pub fn beside(&self) -> Self {
        Self { broker: self.broker.clone(), folder: tempfile::tempdir().unwrap(), routes: self.routes }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// Writes a configuration that sends the smoke profile, or what `more` says, to the topics.
    pub fn configure(&self, more: &str) -> PathBuf {
        let route =
            |(codigo, topic, _): &(&str, &str, i32)| format!("[[routes]]\ncodigo = {codigo:?}\ntopic = {topic:?}\n");
        let source =
            if more.contains("[source]") { String::new() } else { format!("[source]\nprofile = {:?}\n", smoke()) };
        let config = format!(
            "{}{source}[kafka]\nbootstrap_servers = [{:?}]\n[admin]\naddress_file = {:?}\n[dead_letter]\nfile = {:?}\n{more}\n",
            self.routes.iter().map(route).collect::<String>(),
            self.broker.bootstrap().split(',').next().unwrap(),
            self.path("admin"),
            self.path(SET_ASIDE),
        );
        self.write("producer.toml", &config)
    }

    /// `run` with what `configure` makes of `more`, and `args` behind.
    pub fn command(&self, more: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
        command.arg("run").arg("--config").arg(self.configure(more)).args(args);
        command.arg("--report").arg(self.path("report.json")).arg("--ledger").arg(self.path("ledger.ndjson"));
        command
    }

    /// Starts it; its output goes to the stage's log.
    pub fn spawn(&self, command: Command) -> Guarded {
        Guarded::spawn("producer", command, &self.path("log")).unwrap()
    }

    pub fn start(&self, more: &str, args: &[&str]) -> Guarded {
        self.spawn(self.command(more, args))
    }

    /// Runs to the end; the exit code.
    pub fn run(&self, more: &str, args: &[&str]) -> Option<i32> {
        let status = self.start(more, args).wait_exit(DEADLINE).unwrap().expect("it ends");
        status.code()
    }

    pub fn report(&self) -> Report {
        serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap()
    }

    pub fn ledger(&self) -> Produced {
        let mut produced = Produced::default();
        produced.read(BufReader::new(std::fs::File::open(self.path("ledger.ndjson")).unwrap())).unwrap();
        produced
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits until `found` finds something, as long as the producer lives.
    pub fn until<T>(&self, producer: &mut Guarded, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(Instant::now() < end, "{what} never came:\n{}", self.log());
            let ended = producer.wait_exit(Duration::from_millis(10)).unwrap();
            assert_eq!(ended, None, "the producer ended before {what} came:\n{}", self.log());
        }
    }

    /// The admin port of a producer whose flow runs.
    pub fn running(&self, producer: &mut Guarded) -> String {
        let file = self.path("admin");
        let address = self.until(producer, "the admin port", || std::fs::read_to_string(&file).ok());
        let address = address.trim().to_owned();
        let runs = || ask(&address, "GET /status", "").contains("\"state\":\"running\"").then_some(());
        self.until(producer, "events", runs);
        address
    }

    /// Shows `count` records of all topics, per partition in order.
    pub fn read(&self, count: u64, see: impl FnMut(&BorrowedMessage<'_>)) {
        reader::each(&self.broker.bootstrap(), self.routes, count, see);
    }

    /// Makes a topic that no route has.
    pub fn create(&self, topic: &str) {
        self.broker.create_topics(&[Topic::new(topic, 1)]).unwrap();
    }

    /// Shows `count` records of a topic that no route has.
    pub fn read_beside(&self, topics: Routes, count: u64, see: impl FnMut(&BorrowedMessage<'_>)) {
        reader::each(&self.broker.bootstrap(), topics, count, see);
    }

    /// The next produce requests get this answer.
    pub fn answer(&self, errors: &[RDKafkaRespErr]) {
        self.broker.mock().unwrap().request_errors(RDKafkaApiKey::Produce, errors);
    }

    /// The partitions that the second broker leads are without one while it is away.
    pub fn second_broker(&self, up: bool) {
        let mock = self.broker.mock().unwrap();
        if up { mock.broker_up(2).unwrap() } else { mock.broker_down(2).unwrap() }
    }

    pub fn all_brokers_down(&self) {
        let mock = self.broker.mock().unwrap();
        (1..=BROKERS).for_each(|broker| mock.broker_down(broker).unwrap());
    }

    /// The first one last: it is asked for the others.
    pub fn all_brokers_up(&self) {
        let mock = self.broker.mock().unwrap();
        (1..=BROKERS).rev().for_each(|broker| mock.broker_up(broker).unwrap());
    }
}

/// The profile of a short run.
pub fn smoke() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen-profiles/smoke.toml")
}
