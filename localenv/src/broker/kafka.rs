//! Real Apache Kafka in KRaft mode, with mutual TLS and ACLs, as child processes of this one. Everything blocks, with a deadline.

mod options;
mod properties;
mod java;
mod node;
mod fleet;
mod archive;
mod faults;
mod leaders;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use rdkafka::ClientConfig;
use tempfile::TempDir;

use super::admin::{Admin, client_config};
use super::grant::Grant;
use super::topic::Topic;
use crate::authority::{Authority, Identity};
use crate::forwarder::Forwarder;
use crate::jars::Jars;
use java::Java;
use node::{Node, Site};

pub use leaders::OFFSETS_TOPIC;
pub use options::{KafkaOptions, Speed};

/// Brokers (numbered from 1, as in Kafka's own metadata), their authority and their data; all gone when dropped.
pub struct KafkaCluster {
    // Dropped in this order: processes first, files last.
    nodes: Vec<Node>,
    forwarders: Vec<Forwarder>,
    site: Site,
    authority: Authority,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl KafkaCluster {
    /// Starts brokers and waits, up to 60 s, until each answers an administrator's request and knows all others.
    ///
    /// # Errors
    /// Java or Maven is missing, the folder is in use, or a broker does not start: its last lines are in the text.
    pub fn start(options: &KafkaOptions) -> anyhow::Result<Self> {
        options.check()?;
        let jars = Jars::find()?;
        let java = Java::new(&jars, options.speed)?.with_archive(archive::find(&jars));
        let temporary = if options.dir.is_none() { Some(tempfile::tempdir()?) } else { None };
        let given = options.dir.as_deref().or(temporary.as_ref().map(TempDir::path));
        let folder = prepared(given.context("no folder")?)?;
        let authority = Authority::create(&folder.join("certificates"))?;
        let nodes = (1..=options.brokers).map(|id| Node::new(id, &folder, options.plaintext));
        let mut nodes = nodes.collect::<anyhow::Result<Vec<_>>>()?;
        let site = Site::new(java, &authority, &nodes)?;
        fleet::start_new(&mut nodes, &site)?;
        let forwarders = if options.forwarded { fleet::forwarders(&nodes)? } else { Vec::new() };
        Ok(Self { nodes, forwarders, site, authority, folder, _temporary: temporary })
    }

    /// What goes into `bootstrap_servers`: the brokers, or (with [`KafkaOptions::forwarded`]) addresses that always stay.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        if self.forwarders.is_empty() {
            joined(self.nodes.iter().map(Node::address))
        } else {
            joined(self.forwarders.iter().map(|forwarder| forwarder.address().to_string()))
        }
    }

    /// The plaintext listeners, if there are any.
    #[must_use]
    pub fn plaintext_bootstrap(&self) -> Option<String> {
        self.nodes.iter().map(Node::plaintext_address).collect::<Option<Vec<_>>>().map(|all| all.join(","))
    }

    /// Who issues certificates that the brokers accept.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// An identity that may do everything.
    #[must_use]
    pub fn admin(&self) -> &Identity {
        &self.site.admin
    }

    /// Where everything is: certificates, and a folder per broker with its settings, data and log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Settings of a librdkafka client that connects as `identity`.
    #[must_use]
    pub fn client_config(&self, identity: &Identity) -> ClientConfig {
        client_config(&self.bootstrap(), Some(identity))
    }

    /// Creates topics and waits until every broker knows their leaders. One that exists is left as it is.
    ///
    /// # Errors
    /// The brokers refuse, or do not answer in time.
    pub fn create_topics(&self, topics: &[Topic]) -> anyhow::Result<()> {
        self.administrator()?.create_topics(topics)?;
        self.running().try_for_each(|node| node.administrator(&self.site)?.wait_for_topics(topics))
    }

    /// Raises the number of partitions of `topic` to `total` and waits until every broker knows their leaders.
    ///
    /// # Errors
    /// The brokers refuse (Kafka can only raise), or do not answer in time.
    pub fn grow_topic(&self, topic: &str, total: i32) -> anyhow::Result<()> {
        self.administrator()?.grow_topic(topic, total)?;
        let grown = [Topic::new(topic, total)];
        self.running().try_for_each(|node| node.administrator(&self.site)?.wait_for_topics(&grown))
    }

    /// Deletes topics and waits until no broker knows them. One that does not exist is no error.
    ///
    /// # Errors
    /// The brokers refuse, or do not answer in time.
    pub fn delete_topics(&self, names: &[String]) -> anyhow::Result<()> {
        self.administrator()?.delete_topics(names)?;
        self.running().try_for_each(|node| node.administrator(&self.site)?.wait_for_absence(names))
    }

    /// Allows `principal` (see [`Identity::principal`]) what `grants` say, and waits until every broker knows.
    ///
    /// # Errors
    /// The brokers refuse, or do not answer in time.
    pub fn allow(&self, principal: &str, grants: &[Grant]) -> anyhow::Result<()> {
        self.administrator()?.allow(principal, grants)
    }

    /// Waits until every replica of every partition is in sync: no broker is missed if another one fails now.
    ///
    /// # Errors
    /// It takes longer than `deadline`; the text names a partition.
    pub fn wait_in_sync(&self, deadline: Duration) -> anyhow::Result<()> {
        self.administrator()?.wait_in_sync(deadline)
    }

    /// The process of each running broker.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.running().filter_map(Node::pid).collect()
    }

    /// Resident memory of each running broker, in bytes.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn memory(&self) -> anyhow::Result<Vec<u64>> {
        self.running().map(Node::memory).collect()
    }

    /// Finds brokers that ended though nobody asked them to.
    ///
    /// # Errors
    /// There is one; its last lines are in the text.
    pub fn check(&mut self) -> anyhow::Result<()> {
        self.nodes.iter_mut().try_for_each(Node::check)
    }

    fn running(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.is_running())
    }

    fn administrator(&self) -> anyhow::Result<Admin> {
        let bootstrap = joined(self.running().map(Node::address));
        ensure!(!bootstrap.is_empty(), "no broker is running");
        Admin::connect(&client_config(&bootstrap, Some(self.admin())))
    }
}

fn joined(addresses: impl Iterator<Item = String>) -> String {
    addresses.collect::<Vec<_>>().join(",")
}

/// An existing, empty folder: data of an earlier cluster would belong to certificates and ports that are gone.
fn prepared(folder: &Path) -> anyhow::Result<PathBuf> {
    let about = || format!("cannot use the folder {}", folder.display());
    std::fs::create_dir_all(folder).with_context(about)?;
    let empty = std::fs::read_dir(folder).with_context(about)?.next().is_none();
    ensure!(empty, "the folder {} is not empty; give one that is, or none for a temporary one", folder.display());
    std::path::absolute(folder).with_context(about)
}
