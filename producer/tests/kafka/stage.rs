//! The real binary beside three real brokers (or one) with mutual TLS; every story has topics and an identity of its own.

use crate::reader;
use domain::ledger::{Deliveries, Produced, Proof, verify};
use localenv::authority::Identity;
use localenv::broker::grant::Grant;
use localenv::broker::kafka::{KafkaCluster, KafkaOptions};
use localenv::broker::topic::Topic;
use localenv::process::Guarded;
use producer::report::Report;
use serde_json::Value;
use std::io::{BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// For anything that comes within seconds on a machine that does nothing else.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Route and topic (its name follows the story's), and partitions.
pub type Routes = &'static [(&'static str, &'static str, i32)];
pub const ROUTES: Routes = &[("400-499", "c400", 6), ("*", "rest", 4)];

/// How much of a story is played; the full length is said in docs/producer-failures.md.
pub fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |number| number.parse().unwrap())
}

/// What a proof counted, for [`Stage::showed`].
pub fn counted(proof: &Proof) -> String {
    let Proof { delivered, lost, order_violations, duplicates_delivered, .. } = proof;
    format!("{delivered} delivered, {lost} lost, {order_violations} out of order, {duplicates_delivered} twice")
}

/// The most memory that a process had until now, bytes.
pub fn peak_memory(process: &Guarded) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Stories that run or wait for their turn; the last one takes the broker down.
static STORIES: AtomicUsize = AtomicUsize::new(0);
static BROKER: Mutex<Option<KafkaCluster>> = Mutex::new(None);

/// Three brokers with three replicas of every topic, or one.
fn brokers() -> usize {
    from_environment("BROKERS", 3) as usize
}

pub struct Stage {
    broker: MutexGuard<'static, Option<KafkaCluster>>,
    folder: tempfile::TempDir,
    pub identity: Identity,
    story: &'static str,
    routes: Routes,
}

impl Stage {
    pub fn new(story: &'static str) -> Self {
        Self::with(story, ROUTES, Grant::produce)
    }

    /// Topics by `routes`, each with its dead-letter topic, and the rights that `grant` gives on each.
    pub fn with(story: &'static str, routes: Routes, grant: impl Fn(&str) -> Grant) -> Self {
        STORIES.fetch_add(1, Ordering::SeqCst);
        let mut broker = BROKER.lock().unwrap_or_else(PoisonError::into_inner);
        let options = KafkaOptions { forwarded: true, ..KafkaOptions::brokers(brokers()) };
        let cluster = broker.get_or_insert_with(|| KafkaCluster::start(&options).unwrap());
        let identity = cluster.authority().issue(story).unwrap();
        let names = routes.iter().flat_map(|(_, name, partitions)| {
            [(format!("{story}-{name}"), *partitions), (format!("{story}-{name}.dlq"), 1)]
        });
        let topics: Vec<Topic> = names.map(|(name, partitions)| Topic::new(name, partitions)).collect();
        cluster.create_topics(&topics).unwrap();
        let grants: Vec<Grant> = topics.iter().map(|topic| grant(&topic.name)).collect();
        cluster.allow(&identity.principal(), &grants).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let stage = Self { broker, folder, identity, story, routes };
        stage.put("ca.crt", &stage.identity.ca);
        stage.put_identity(&stage.identity);
        stage
    }

    pub fn broker(&mut self) -> &mut KafkaCluster {
        self.broker.as_mut().unwrap()
    }

    pub fn freeze_all(&mut self) {
        (1..=brokers()).for_each(|id| self.broker().freeze(id).unwrap());
    }

    pub fn thaw_all(&mut self) {
        (1..=brokers()).for_each(|id| self.broker().thaw(id).unwrap());
    }

    pub fn story(&self) -> &'static str {
        self.story
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.story)
    }

    /// Replaces a file as an operator does: all of it at once.
    pub fn put(&self, name: &str, from: &Path) {
        std::fs::copy(from, self.path("beside")).unwrap();
        std::fs::rename(self.path("beside"), self.path(name)).unwrap();
    }

    pub fn put_identity(&self, identity: &Identity) {
        self.put("client.crt", &identity.certificate);
        self.put("client.key", &identity.key);
    }

    /// A profile of a constant rate.
    pub fn generator(&self, rate: u32, seconds: u32) -> String {
        let profile = format!(
            "purpose = \"t\"\nseed = 3\nduration = \"{seconds}s\"\nshape = {{ kind = \"constant\", rate = {rate} }}\n\
             codes = {{ share = 0.8, of = 0.2, groups = [{{ first = 400, count = 2 }}, {{ first = 300, count = 8 }}] }}\n\
             fleet = {{ trucks = 200 }}\n"
        );
        std::fs::write(self.path("load.toml"), profile).unwrap();
        format!("[source]\nprofile = {:?}\n", self.path("load.toml"))
    }

    /// Starts the producer; `more` holds its source and what else the story needs.
    pub fn start(&self, more: &str) -> Guarded {
        let route = |(codigo, name, _): &(&str, &str, i32)| {
            format!("[[routes]]\ncodigo = {codigo:?}\ntopic = {:?}\n", self.topic(name))
        };
        let run =
            if more.contains("[run]") { "" } else { "[run]\nstart_deadline = \"30s\"\nshutdown_deadline = \"60s\"\n" };
        let aside = format!("[dead_letter]\nfile = {:?}\n", self.path("aside.ndjson"));
        let aside = if more.contains("[dead_letter]") { "" } else { &aside };
        let files = [self.path("ca.crt"), self.path("client.crt"), self.path("client.key")];
        let [ca, certificate, key] = &files;
        let tls = format!("[kafka.tls]\nca = {ca:?}\ncertificate = {certificate:?}\nkey = {key:?}\n");
        let tls = if more.contains("[kafka.tls]") { "" } else { &format!("{tls}check_every = \"1s\"\n") };
        let config = format!(
            "{}{run}{aside}[kafka]\nbootstrap_servers = {:?}\n{tls}[admin]\naddress_file = {:?}\n{more}\n",
            self.routes.iter().map(route).collect::<String>(),
            self.broker.as_ref().unwrap().bootstrap().split(',').collect::<Vec<_>>(),
            self.path("admin"),
        );
        std::fs::write(self.path("producer.toml"), config).unwrap();
        let _gone = std::fs::remove_file(self.path("admin"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
        command.arg("run").arg("--config").arg(self.path("producer.toml"));
        command.arg("--report").arg(self.path("report.json")).arg("--ledger").arg(self.path("ledger.ndjson"));
        Guarded::spawn("producer", command, &self.path("log")).unwrap()
    }

    /// `/status`, when the admin port answers.
    pub fn status(&self) -> Option<Value> {
        let mut stream = TcpStream::connect(std::fs::read_to_string(self.path("admin")).ok()?.trim()).ok()?;
        stream.set_read_timeout(Some(DEADLINE)).ok()?;
        stream.write_all(b"GET /status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// Waits until the status shows it.
    pub fn shows(&self, producer: &mut Guarded, what: &str, found: impl Fn(&Value) -> bool) -> Value {
        self.until(producer, what, || self.status().filter(&found))
    }

    /// Waits until `found` finds something, as long as the producer lives.
    pub fn until<T>(&self, producer: &mut Guarded, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = found() {
                return found;
            }
            assert!(Instant::now() < end, "{what} never came: {:?}\n{}", self.status(), self.log());
            let ended = producer.wait_exit(Duration::from_millis(20)).unwrap();
            assert_eq!(ended, None, "the producer ended before {what} came:\n{}", self.log());
        }
    }

    /// Lets time pass until `span` after `begin`, which is how long an outage takes; the producer must live through it.
    pub fn hold(&self, producer: &mut Guarded, begin: Instant, span: Duration) {
        let ended = producer.wait_exit(span.saturating_sub(begin.elapsed())).unwrap();
        assert_eq!(ended, None, "the producer ended:\n{}", self.log());
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap()
    }

    /// Waits for its end by itself; the report of a good run.
    pub fn ended(&self, producer: &mut Guarded) -> Report {
        let ended = producer.wait_exit(DEADLINE).unwrap().expect("it ends");
        assert_eq!(ended.code(), Some(0), "{}", self.log());
        serde_json::from_slice(&std::fs::read(self.path("report.json")).unwrap()).unwrap()
    }

    /// Ends it by SIGTERM; the report of a good run.
    pub fn stop(&self, producer: &mut Guarded) -> Report {
        producer.signal(nix::sys::signal::Signal::SIGTERM).unwrap();
        self.ended(producer)
    }

    /// One line of what the story has shown, now that all of it holds; `make prove-producer` collects them.
    pub fn showed(&self, what: &str) {
        eprintln!("proved  {} ({} brokers): {what}", self.story, brokers());
    }

    /// What Kafka holds of this story's events.
    pub fn deliveries(&self) -> Deliveries {
        let topics: Vec<_> = self.routes.iter().map(|(_, name, partitions)| (self.topic(name), *partitions)).collect();
        reader::deliveries(self.broker.as_ref().unwrap(), &topics)
    }

    /// The run's ledger against what Kafka holds: nothing lost, no key out of order; how it adds up.
    pub fn proof(&self) -> Proof {
        let mut produced = Produced::default();
        produced.read(BufReader::new(std::fs::File::open(self.path("ledger.ndjson")).unwrap())).unwrap();
        let proof = verify(&produced, &self.deliveries(), &Deliveries::default());
        assert!(proof.holds(), "{proof:?}\n{}", self.log());
        proof
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A story that failed may have left the broker in any state.
        if STORIES.fetch_sub(1, Ordering::SeqCst) == 1 || std::thread::panicking() {
            drop(self.broker.take());
        }
    }
}
