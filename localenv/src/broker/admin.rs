//! Requests to brokers that are needed here: metadata, topics, ACLs. Everything blocks, with a deadline.

mod acl_request;
mod access_list;
mod block_on;
mod listening;
mod topic_request;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::bail;
use rdkafka::ClientConfig;
use rdkafka::admin::AdminClient;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::metadata::Metadata;

use super::grant::Grant;
use super::topic::Topic;
use crate::authority::Identity;
use access_list::Entry;
use listening::Listening;

/// For one request, or for the brokers to agree on its outcome.
const DEADLINE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(20);

/// Settings of a librdkafka client: `bootstrap`, with mutual TLS as `identity` or in plaintext without one.
#[must_use]
pub fn client_config(bootstrap: &str, identity: Option<&Identity>) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    if let Some(identity) = identity {
        config.set("security.protocol", "ssl");
        config.set("ssl.ca.location", identity.ca.to_string_lossy());
        config.set("ssl.certificate.location", identity.certificate.to_string_lossy());
        config.set("ssl.key.location", identity.key.to_string_lossy());
    }
    config
}

/// A client for administrative requests.
pub struct Admin {
    requests: AdminClient<Listening>,
    // AdminClient never serves librdkafka's log queue, and the reason of a failed connection is told nowhere else.
    probe: BaseConsumer<Listening>,
}

impl Admin {
    /// Makes the client. It connects with the first request.
    ///
    /// # Errors
    /// The configuration is wrong: certificate files that cannot be read, for example.
    pub fn connect(config: &ClientConfig) -> anyhow::Result<Self> {
        let mut config = config.clone();
        // Brokers that are just starting should be found at once.
        config.set("reconnect.backoff.max.ms", "200");
        let requests = config.create_with_context(Listening::default())?;
        let probe = config.create_with_context(Listening::default())?;
        Ok(Self { requests, probe })
    }

    /// The cluster as one broker sees it.
    ///
    /// # Errors
    /// No broker answers within `wait`; the text holds librdkafka's own last reason.
    pub fn metadata(&self, topic: Option<&str>, wait: Duration) -> anyhow::Result<Metadata> {
        let answer = self.probe.fetch_metadata(topic, wait);
        // Serves the log queue; there is no subscription, so no record can come.
        while self.probe.poll(Duration::ZERO).is_some() {}
        match answer {
            Ok(metadata) => Ok(metadata),
            Err(error) => bail!("{error}; {}", self.probe.context().last_words()),
        }
    }

    /// Creates topics and waits until each partition has a leader. One that exists is left as it is.
    ///
    /// # Errors
    /// The brokers refuse, or it takes longer than 30 s.
    pub fn create_topics(&self, topics: &[Topic]) -> anyhow::Result<()> {
        if topics.is_empty() {
            return Ok(());
        }
        let brokers = self.metadata(None, DEADLINE)?.brokers().len();
        topic_request::create(&self.requests, topics, brokers, DEADLINE)?;
        self.wait_for_topics(topics)
    }

    /// Waits until each partition of `topics` has a leader.
    ///
    /// # Errors
    /// It takes longer than 30 s.
    pub fn wait_for_topics(&self, topics: &[Topic]) -> anyhow::Result<()> {
        topics.iter().try_for_each(|topic| self.wait_for(topic))
    }

    /// Raises the number of partitions of `topic` to `total`.
    ///
    /// # Errors
    /// The brokers refuse: Kafka can only raise.
    pub fn grow_topic(&self, topic: &str, total: i32) -> anyhow::Result<()> {
        topic_request::grow(&self.requests, topic, total, DEADLINE)
    }

    /// Deletes topics; one that does not exist is no error.
    ///
    /// # Errors
    /// The brokers refuse, or do not answer in time.
    pub fn delete_topics(&self, names: &[String]) -> anyhow::Result<()> {
        topic_request::delete(&self.requests, names, DEADLINE)
    }

    /// Waits until this broker knows none of the topics.
    ///
    /// # Errors
    /// It takes longer than 30 s; the text names a topic.
    pub fn wait_for_absence(&self, names: &[String]) -> anyhow::Result<()> {
        let end = Instant::now() + DEADLINE;
        while let Some(left) = topic_request::still_there(&self.metadata(None, DEADLINE)?, names) {
            if Instant::now() > end {
                bail!("topic {left} is still there {DEADLINE:?} after it was deleted");
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Waits until every replica of every partition is in sync.
    ///
    /// # Errors
    /// It takes longer than `deadline`; the text names a partition.
    pub fn wait_in_sync(&self, deadline: Duration) -> anyhow::Result<()> {
        let end = Instant::now() + deadline;
        while let Some(partition) = topic_request::behind(&self.metadata(None, deadline)?) {
            if Instant::now() > end {
                bail!("{partition} is not in sync after {deadline:?}");
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn wait_for(&self, topic: &Topic) -> anyhow::Result<()> {
        let end = Instant::now() + DEADLINE;
        while !topic_request::is_there(&self.metadata(Some(&topic.name), DEADLINE)?, topic) {
            if Instant::now() > end {
                bail!("topic {} has no leaders {DEADLINE:?} after it was created", topic.name);
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Creates ACLs that allow `principal` what `grants` say, and waits until every broker knows them.
    ///
    /// # Errors
    /// The brokers refuse, or it takes longer than 30 s.
    pub fn allow(&self, principal: &str, grants: &[Grant]) -> anyhow::Result<()> {
        let entries = access_list::entries(grants);
        if entries.is_empty() {
            return Ok(());
        }
        acl_request::create(self.requests.inner(), principal, &entries, DEADLINE)?;
        for broker in self.metadata(None, DEADLINE)?.brokers() {
            self.wait_for_entries(principal, &entries, broker.id())?;
        }
        Ok(())
    }

    /// The request is answered when the controller has it; the brokers follow some milliseconds later.
    fn wait_for_entries(&self, principal: &str, entries: &[Entry], broker: i32) -> anyhow::Result<()> {
        let end = Instant::now() + DEADLINE;
        loop {
            let known = acl_request::describe(self.requests.inner(), principal, broker, DEADLINE)?;
            if entries.iter().all(|entry| known.contains(entry)) {
                return Ok(());
            }
            if Instant::now() > end {
                bail!("broker {broker} does not know the acls of {principal} after {DEADLINE:?}");
            }
            thread::sleep(PAUSE);
        }
    }
}
