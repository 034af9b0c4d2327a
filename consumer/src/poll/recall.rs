//! Recall: where the group stands in partitions that were just assigned, and what the owners before us knew of suspects.
//!
//! Nothing of a partition is read before Kafka has said that: what is missing before its first record was deleted unread, attempts of suspects
//! would start over, and the next commit would overwrite what Kafka holds of them.

use super::context::PollContext;
use super::lists::list_of;
use super::shared::Shared;
use crate::assignment::{Held, TopicPartition};
use crate::condition::Part;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::time::Duration;

/// For Kafka's answer within a rebalance, and beside reading: nothing else of the thread goes on meanwhile.
pub(super) const AT_FIRST: Duration = Duration::from_secs(5);
pub(super) const LATER: Duration = Duration::from_secs(1);
/// What the complaint is about.
const ABOUT: &str = "recall";

/// Asks Kafka about `held`. What it does not answer in time is not read, and asked for again.
pub(super) fn recall(shared: &Shared, consumer: &BaseConsumer<PollContext>, held: &[Held], within: Duration) {
    if held.is_empty() {
        return tell(shared, None);
    }
    let wanted: Vec<TopicPartition> = held.iter().map(|held| held.at.clone()).collect();
    let answer = consumer.committed_offsets(list_of(&wanted), within);
    let mut why = answer.as_ref().err().map(ToString::to_string);
    for held in held {
        let told = answer.as_ref().ok().and_then(|list| list.find_partition(&held.at.topic, held.at.partition));
        match told.map(|element| element.error().map(|()| element)) {
            Some(Ok(element)) => shared.recalled(held, element.offset(), element.metadata()),
            Some(Err(error)) => _ = why.get_or_insert_with(|| error.to_string()),
            None => _ = why.get_or_insert_with(|| "Kafka left it out".to_owned()),
        }
    }
    shared.bell.ring();
    tell(shared, why.as_deref());
}

/// Stops what is not known, and says so once.
fn tell(shared: &Shared, why: Option<&str>) {
    let unknown = shared.desk().stop_unrecalled();
    let Some(first) = unknown.first() else { return shared.condition.clear_about(Part::Poll, ABOUT) };
    unknown.iter().for_each(|held| shared.queues.stop(&held.at.topic, held.at.partition));
    let why = why.unwrap_or("no answer");
    let all = unknown.len();
    let said = format!(
        "where the group stands in {} of {all} partitions is not known: {why}; they are not read until Kafka says it",
        first.at
    );
    if shared.condition.complain_about(Part::Poll, ABOUT, said) {
        for held in &unknown {
            let (topic, partition) = (&*held.at.topic, held.at.partition);
            tracing::warn!(
                topic,
                partition,
                error = why,
                "where the group stands is not known: the partition is not read until Kafka says it"
            );
        }
    }
}
