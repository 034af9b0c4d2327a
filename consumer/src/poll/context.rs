//! The client's context: what the client says, and rebalances.
//!
//! `rebalance` is overridden as a whole, because the default ignores the errors of `assign`, and because the order matters:
//! stop taking records, drain, commit, and only then give the partitions back.

use super::lists::{code_of, commit_list, list_of};
use super::recall;
use super::shared::Shared;
use crate::assignment::Held;
use crate::condition::Part;
use crate::event::Event;
use kafka_client::context::Observer;
use kafka_client::partition_queues::NoQueue;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub(super) struct PollContext {
    shared: Arc<Shared>,
    observer: Observer,
    retired: AtomicBool,
}

/// A rebalance was not carried out.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    #[error(transparent)]
    Queue(#[from] NoQueue),
}

impl PollContext {
    pub(super) fn new(shared: Arc<Shared>, observer: Observer) -> Self {
        Self { shared, observer, retired: AtomicBool::new(false) }
    }

    /// Its client owns nothing any more and ends: what becomes of it concerns nobody, while another one owns the same partitions.
    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Relaxed);
    }

    fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Relaxed)
    }

    fn assign(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) -> Result<(), Failed> {
        self.shared.queues.open(consumer.client(), list)?;
        accept(consumer, list)?;
        let held = self.shared.desk().assign(&partitions(list));
        self.shared.desk().await_recall(&held, self.shared.clock.wall_ms());
        recall::recall(&self.shared, consumer, &held, recall::AT_FIRST);
        self.shared.publish();
        self.shared.meters.assigned.add(1);
        self.shared.condition.clear(Part::Poll);
        tracing::info!(partitions = %names(&held), "partitions assigned");
        Ok(())
    }

    fn revoke(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) -> Result<(), Failed> {
        let shared = &self.shared;
        let leaving = partitions(list);
        let held = if consumer.assignment_lost() { self.lose(&leaving) } else { self.drain(consumer, &leaving) };
        shared.queues.close(list);
        // Also inside librdkafka a pause outlives the assignment.
        let paused = shared.desk().release(&held);
        shared.meters.stages.forget(&held);
        if !paused.is_empty() {
            consumer.resume(&list_of(&paused))?;
        }
        Ok(give_back(consumer, list)?)
    }
}

impl PollContext {
    fn lose(&self, leaving: &[(String, i32)]) -> Vec<Held> {
        let held = self.shared.desk().lose(leaving);
        self.shared.publish();
        self.shared.meters.lost.add(1);
        for held in &held {
            let (topic, partition, place) = (&*held.at.topic, held.at.partition, self.shared.desk().place(&held.at));
            match place {
                Some(offset) => {
                    tracing::warn!(topic, partition, offset, "a partition is lost: nothing more of it can be committed")
                }
                None => tracing::warn!(topic, partition, "a partition is lost before anything of it was read"),
            }
        }
        held
    }

    fn drain(&self, consumer: &BaseConsumer<Self>, leaving: &[(String, i32)]) -> Vec<Held> {
        let shared = &self.shared;
        let (ticket, held) = shared.desk().begin_revoke(Some(leaving));
        shared.publish();
        shared.meters.revoked.add(1);
        if held.is_empty() {
            // The end of the process has drained and committed them, and said how that went.
            return held;
        }
        let drained = shared.await_drained(ticket, shared.revoke_drain);
        let committed = commit_last(shared, consumer, &held);
        shared.note_hand_over(committed);
        tracing::info!(partitions = %names(&held), drained, committed, "partitions revoked");
        held
    }
}

fn accept(consumer: &BaseConsumer<PollContext>, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.assign(list),
    }
}

fn give_back(consumer: &BaseConsumer<PollContext>, list: &TopicPartitionList) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    }
}

/// The last commit of partitions that go, and it waits for its answer. True when Kafka holds everything that is finished.
fn commit_last(shared: &Shared, consumer: &BaseConsumer<PollContext>, held: &[Held]) -> bool {
    let last = shared.desk().last_commits(held);
    if last.is_empty() {
        return true;
    }
    let outcome = commit_list(&last).and_then(|list| consumer.commit(&list, CommitMode::Sync));
    let fault = code_of(outcome);
    shared.settle_commits(&last, &vec![fault; last.len()]);
    fault.is_none()
}

fn partitions(list: &TopicPartitionList) -> Vec<(String, i32)> {
    list.elements().iter().map(|element| (element.topic().to_owned(), element.partition())).collect()
}

/// A line about partitions is one for each.
fn names(held: &[Held]) -> String {
    held.iter().map(|held| held.at.to_string()).collect::<Vec<_>>().join(" ")
}

impl ClientContext for PollContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.observer.log(level, facility, message);
    }

    fn stats_raw(&self, json: &[u8]) {
        if !self.is_retired() {
            self.observer.stats_raw(json);
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(&error, reason);
    }
}

impl ConsumerContext for PollContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let done = match kind {
            // A client that ends waits for an answer all the same.
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS if self.is_retired() => {
                return drop(accept(consumer, list));
            }
            _ if self.is_retired() => return drop(give_back(consumer, list)),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assign(consumer, list),
            _ => self.revoke(consumer, list),
        };
        if let Err(error) = done {
            let why = format!("a rebalance could not be carried out: {error}; start the consumer again");
            self.shared.tell(Event::Fatal(why));
        }
    }
}
