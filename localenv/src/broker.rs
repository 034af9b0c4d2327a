//! Kafka brokers to test against: embedded, real, or somebody else's; alike for whoever only needs topics and an address.

/// What a topic shall be.
pub mod topic;
/// Who may do what.
pub mod grant;
/// Requests to brokers that are needed here: metadata, topics, ACLs.
pub mod admin;
/// librdkafka's mock cluster, in this process.
pub mod embedded;
/// Real Apache Kafka with mutual TLS and ACLs.
pub mod kafka;
/// Brokers that somebody else runs.
pub mod external;

use crate::authority::Identity;
use embedded::EmbeddedBroker;
use external::ExternalBroker;
use grant::Grant;
use kafka::KafkaCluster;
use topic::Topic;

/// Any of the three. All methods block.
pub enum Broker {
    /// Plaintext, at once, with limits (see [`embedded`]).
    Embedded(EmbeddedBroker),
    /// Mutual TLS and ACLs.
    Kafka(Box<KafkaCluster>),
    /// As its owner set it up.
    External(ExternalBroker),
}

impl Broker {
    /// What goes into `bootstrap_servers`, separated by commas.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        match self {
            Self::Embedded(broker) => broker.bootstrap(),
            Self::Kafka(cluster) => cluster.bootstrap(),
            Self::External(broker) => broker.bootstrap(),
        }
    }

    /// Creates topics; one that exists is left as it is.
    ///
    /// # Errors
    /// The broker refuses, or does not answer in time.
    pub fn create_topics(&self, topics: &[Topic]) -> anyhow::Result<()> {
        match self {
            Self::Embedded(broker) => broker.create_topics(topics),
            Self::Kafka(cluster) => cluster.create_topics(topics),
            Self::External(broker) => broker.create_topics(topics),
        }
    }

    /// The identity with which client `name` shall connect, allowed what `grants` say; `None` means plaintext.
    ///
    /// Real Kafka issues it and creates the ACLs; an external broker has one identity for all, and its own ACLs.
    ///
    /// # Errors
    /// The certificate cannot be written, or the broker refuses the ACLs.
    pub fn client(&self, name: &str, grants: &[Grant]) -> anyhow::Result<Option<Identity>> {
        match self {
            Self::Embedded(_) => Ok(None),
            Self::External(broker) => Ok(broker.identity().cloned()),
            Self::Kafka(cluster) => {
                let identity = cluster.authority().issue(name)?;
                cluster.allow(&identity.principal(), grants)?;
                Ok(Some(identity))
            }
        }
    }
}
