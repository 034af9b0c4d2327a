//! Creates, grows and deletes topics through rdkafka's AdminClient.

use std::time::Duration;

use anyhow::bail;
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::metadata::Metadata;
use rdkafka::types::RDKafkaErrorCode;

use super::block_on::block_on;
use crate::broker::topic::Topic;

const MOST_REPLICAS: usize = 3;

/// Asks a cluster of `brokers` for `topics`; those that exist are no error.
pub fn create<C: ClientContext>(
    client: &AdminClient<C>,
    topics: &[Topic],
    brokers: usize,
    deadline: Duration,
) -> anyhow::Result<()> {
    let most = i32::try_from(brokers.min(MOST_REPLICAS))?;
    let wanted: Vec<NewTopic<'_>> = topics.iter().map(|topic| described(topic, most)).collect();
    for outcome in block_on(client.create_topics(&wanted, &within(deadline)))? {
        match outcome {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((name, code)) => bail!("topic {name} cannot be created: {code}"),
        }
    }
    Ok(())
}

/// Asks for more partitions of a topic, `total` in all.
pub fn grow<C: ClientContext>(
    client: &AdminClient<C>,
    topic: &str,
    total: i32,
    deadline: Duration,
) -> anyhow::Result<()> {
    let wanted = NewPartitions::new(topic, usize::try_from(total)?);
    for outcome in block_on(client.create_partitions(&[wanted], &within(deadline)))? {
        if let Err((name, code)) = outcome {
            bail!("topic {name} cannot have {total} partitions: {code}");
        }
    }
    Ok(())
}

/// Asks for topics to be deleted; those that do not exist are no error.
pub fn delete<C: ClientContext>(client: &AdminClient<C>, names: &[String], deadline: Duration) -> anyhow::Result<()> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for outcome in block_on(client.delete_topics(&names, &within(deadline)))? {
        match outcome {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) => {}
            Err((name, code)) => bail!("topic {name} cannot be deleted: {code}"),
        }
    }
    Ok(())
}

fn within(deadline: Duration) -> AdminOptions {
    AdminOptions::new().request_timeout(Some(deadline)).operation_timeout(Some(deadline))
}

/// One of `names` that is still a topic.
pub fn still_there<'a>(metadata: &Metadata, names: &'a [String]) -> Option<&'a String> {
    names.iter().find(|name| metadata.topics().iter().any(|topic| topic.name() == name.as_str()))
}

fn described(topic: &Topic, most_replicas: i32) -> NewTopic<'_> {
    let replication = TopicReplication::Fixed(topic.replication.unwrap_or(most_replicas));
    let new = NewTopic::new(&topic.name, topic.partitions, replication);
    topic.config.iter().fold(new, |new, (key, value)| new.set(key, value))
}

/// True when all partitions of `topic` have a leader.
pub fn is_there(metadata: &Metadata, topic: &Topic) -> bool {
    let found = metadata.topics().iter().find(|found| found.name() == topic.name);
    found.is_some_and(|found| {
        let led = found.partitions().iter().filter(|partition| partition.leader() >= 0).count();
        found.error().is_none() && i32::try_from(led).is_ok_and(|led| led >= topic.partitions)
    })
}

/// A partition that has fewer replicas in sync than it should.
pub fn behind(metadata: &Metadata) -> Option<String> {
    metadata.topics().iter().find_map(|topic| {
        let behind = topic.partitions().iter().find(|partition| partition.isr().len() < partition.replicas().len())?;
        Some(format!("partition {} of topic {}", behind.id(), topic.name()))
    })
}
