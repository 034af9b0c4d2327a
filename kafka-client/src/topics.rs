//! Topics as an operator sees them: create, grow, compare settings.
//!
//! *In*: settings, what shall be, a deadline. *Out*: what was done. *Never*: a topic or a partition less than before.

/// One admin client, and requests that end by a deadline.
mod admin;

use crate::probe::{self, ProbeError, TopicInfo};
use crate::settings::{ClientError, ClientSettings};
use admin::Admin;
use rdkafka::error::RDKafkaErrorCode;
use std::collections::BTreeMap;
use std::time::Duration;

/// A topic that shall exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    /// At least 1.
    pub partitions: i32,
    /// Copies of each partition; -1 takes the brokers' default.
    pub replication: i32,
    /// Topic settings by Kafka's names, for example `retention.ms`.
    pub config: BTreeMap<String, String>,
}

/// What [`create`] found or did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    New,
    /// It was there with the same number of partitions.
    Existed,
}

/// Why topics could not be made or changed.
#[derive(Debug, thiserror::Error)]
pub enum TopicsError {
    #[error(transparent)]
    Probe(#[from] ProbeError),
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It is there, but not as wanted.
    #[error(
        "topic {topic} exists with {found} partitions and not {wanted}: grow it with `comboioctl topics apply`, or \
        correct the file"
    )]
    OtherPartitions { topic: String, found: i32, wanted: i32 },
    /// The broker said no to one topic.
    #[error("Kafka refused to {what} topic {topic}: {}{code}", hint(*code))]
    Refused { what: &'static str, topic: String, code: RDKafkaErrorCode },
    /// The request as a whole failed.
    #[error("Kafka did not {what} the topics: {reason}")]
    Failed { what: &'static str, reason: String },
}

fn hint(code: RDKafkaErrorCode) -> &'static str {
    match code {
        RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            "an ACL that allows it is missing; "
        }
        RDKafkaErrorCode::InvalidReplicationFactor => "there are not that many brokers; ",
        RDKafkaErrorCode::InvalidConfig => "one of its settings is unknown or has a wrong value; ",
        _ => "",
    }
}

/// Creates what is missing and waits until it can be used. A topic that exists with the same number of partitions is
/// fine. The answer has the order of `topics`.
pub fn create(settings: &ClientSettings, topics: &[NewTopic], deadline: Duration) -> Result<Vec<Created>, TopicsError> {
    let existing = by_name(probe::all_topics(settings, deadline)?);
    let missing: Vec<&NewTopic> = topics.iter().filter(|topic| !existing.contains_key(&topic.name)).collect();
    for topic in topics {
        if let Some(found) = existing.get(&topic.name) {
            same_partitions(topic, found)?;
        }
    }
    if !missing.is_empty() {
        Admin::open(settings, deadline)?.create(&missing)?;
        let names: Vec<&str> = missing.iter().map(|topic| topic.name.as_str()).collect();
        for (topic, found) in missing.iter().zip(probe::topics(settings, &names, deadline)?) {
            same_partitions(topic, &found)?;
        }
    }
    let fate = |topic: &NewTopic| if existing.contains_key(&topic.name) { Created::Existed } else { Created::New };
    Ok(topics.iter().map(fate).collect())
}

/// Raises a topic to `partitions` and waits until the cluster shows them. New partitions change where keys go: the caller knows what that means for order.
pub fn grow(settings: &ClientSettings, topic: &str, partitions: i32, deadline: Duration) -> Result<(), TopicsError> {
    Admin::open(settings, deadline)?.grow(topic, partitions)?;
    Ok(probe::until_grown(settings, topic, partitions, deadline)?)
}

/// The effective settings of topics, by topic and by Kafka's names.
pub fn configuration(
    settings: &ClientSettings,
    topics: &[&str],
    deadline: Duration,
) -> Result<BTreeMap<String, BTreeMap<String, String>>, TopicsError> {
    if topics.is_empty() {
        return Ok(BTreeMap::new());
    }
    Admin::open(settings, deadline)?.configuration(topics)
}

fn by_name(topics: Vec<TopicInfo>) -> BTreeMap<String, TopicInfo> {
    topics.into_iter().map(|topic| (topic.name.clone(), topic)).collect()
}

fn same_partitions(wanted: &NewTopic, found: &TopicInfo) -> Result<(), TopicsError> {
    if found.partitions == wanted.partitions {
        return Ok(());
    }
    let topic = wanted.name.clone();
    Err(TopicsError::OtherPartitions { topic, found: found.partitions, wanted: wanted.partitions })
}
