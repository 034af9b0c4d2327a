//! rdkafka's lists of partitions, and the error code of what was done with one.

use crate::assignment::{Held, TopicPartition};
use crate::commit::Commit;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

/// The list that commits `commits`.
pub(super) fn commit_list(commits: &[Commit]) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(commits.len());
    for Commit { held: Held { at, .. }, next, metadata } in commits {
        let mut element = list.add_partition(&at.topic, at.partition);
        element.set_offset(Offset::Offset(next.0))?;
        if !metadata.is_empty() {
            element.set_metadata(metadata);
        }
    }
    Ok(list)
}

pub(super) fn list_of(partitions: &[TopicPartition]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for at in partitions {
        list.add_partition(&at.topic, at.partition);
    }
    list
}

pub(super) fn code_of(result: Result<(), KafkaError>) -> Option<RDKafkaErrorCode> {
    result.err().map(|error| error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown))
}
