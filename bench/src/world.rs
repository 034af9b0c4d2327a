//! Brokers, topic and identity of one run.

use crate::meter;
use anyhow::{Context, Result, ensure};
use localenv::authority::Identity;
use localenv::broker::grant::{Grant, Operation, Resource};
use localenv::broker::kafka::{KafkaCluster, KafkaOptions, Speed};
use localenv::broker::topic::Topic;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The partitions of every topic.
pub const PARTITIONS: i32 = 12;
const ANSWER: Duration = Duration::from_secs(20);

/// Three brokers with mutual TLS, and a listener in plain text.
pub struct World {
    cluster: KafkaCluster,
    pub identity: Identity,
    reader: BaseConsumer,
}

impl World {
    /// Starts the brokers in `folder` and lets one identity write and read every topic.
    ///
    /// # Errors
    /// Java is missing, or the brokers do not start.
    pub fn start(folder: &Path) -> Result<Self> {
        let options = KafkaOptions {
            dir: Some(folder.join("kafka")),
            plaintext: true,
            speed: Speed::Throughput,
            ..KafkaOptions::brokers(3)
        };
        let cluster = KafkaCluster::start(&options)?;
        let identity = cluster.authority().issue("bench")?;
        let topics = [Operation::Read, Operation::Write, Operation::Describe, Operation::DescribeConfigs];
        let grants = [Grant::on(Resource::Topic("*".into()), &topics), Grant::group("*")];
        cluster.allow(&identity.principal(), &grants)?;
        let mut config = cluster.client_config(cluster.admin());
        let reader = config.set("group.id", "bench-onlooker").create().context("cannot create a reader")?;
        Ok(Self { cluster, identity, reader })
    }

    /// Three replicas, two of them in sync for an acknowledgement.
    ///
    /// # Errors
    /// The brokers refuse.
    pub fn create_topic(&self, name: &str) -> Result<()> {
        // What counts was counted at once: the disk need not hold all rounds.
        let bounded =
            [("segment.bytes", "33554432"), ("retention.bytes", "67108864"), ("file.delete.delay.ms", "1000")];
        self.create(bounded.into_iter().fold(topic(name, PARTITIONS), |topic, (name, value)| topic.with(name, value)))
    }

    /// A topic of so many partitions that keeps what it is given.
    ///
    /// # Errors
    /// The brokers refuse.
    pub fn create_lasting(&self, name: &str, partitions: i32) -> Result<()> {
        self.create(topic(name, partitions))
    }

    fn create(&self, topic: Topic) -> Result<()> {
        self.cluster.create_topics(&[topic])?;
        self.cluster.wait_in_sync(ANSWER)
    }

    /// Key, certificate and authority of a server on this machine, in one PEM file.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn server_identity(&self) -> Result<PathBuf> {
        self.cluster.authority().issue_server("stand-in")
    }

    /// The mutual TLS listeners.
    pub fn bootstrap(&self) -> String {
        self.cluster.bootstrap()
    }

    /// The plain text listeners.
    ///
    /// # Errors
    /// There are none.
    pub fn plaintext(&self) -> Result<String> {
        self.cluster.plaintext_bootstrap().context("the brokers have no listener in plain text")
    }

    /// How many records a topic has ever taken, counted by its brokers.
    ///
    /// # Errors
    /// They do not answer in time.
    pub fn records(&self, topic: &str) -> Result<u64> {
        self.records_of(topic, PARTITIONS)
    }

    /// The same of a topic with so many partitions.
    ///
    /// # Errors
    /// They do not answer in time.
    pub fn records_of(&self, topic: &str, partitions: i32) -> Result<u64> {
        let ends = |partition| self.reader.fetch_watermarks(topic, partition, ANSWER);
        let each = |partition| ends(partition).map(|(_, high)| high.unsigned_abs());
        (0..partitions).map(each).sum::<Result<u64, _>>().with_context(|| format!("cannot read the ends of {topic}"))
    }

    /// Waits until what the brokers have written is on the disk.
    ///
    /// # Errors
    /// There is no `sync`.
    pub fn settle(&self) -> Result<()> {
        let ended = Command::new("sync").status().context("cannot run sync")?;
        ensure!(ended.success(), "sync ended with {ended}");
        Ok(())
    }

    /// CPU seconds that the brokers' JVMs have spent on compiling themselves.
    pub fn compiling(&self) -> f64 {
        let of = |pid| meter::threads_cpu_seconds(pid, "C1 Comp") + meter::threads_cpu_seconds(pid, "C2 Comp");
        self.cluster.pids().into_iter().map(of).sum()
    }

    /// An error when a broker ended by itself.
    ///
    /// # Errors
    /// Its last lines.
    pub fn check(&mut self) -> Result<()> {
        self.cluster.check()
    }
}

fn topic(name: &str, partitions: i32) -> Topic {
    Topic::new(name, partitions).replicated(3).with("min.insync.replicas", "2")
}
