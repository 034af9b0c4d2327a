//! What follows from errors that Kafka's client reports: most are for information, and the client goes on by itself.

use super::PollThread;
use crate::assignment::TopicPartition;
use crate::condition::Part;
use crate::event::Event;
use domain::failure::FailureClass;
use kafka_client::failure::classify;
use kafka_client::partition_queues::Fault;
use rdkafka::consumer::Consumer;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::time::Duration;

impl PollThread {
    /// An error about the client as a whole.
    pub(super) fn complain(&mut self, error: &KafkaError) {
        if self.is_final(error) {
            return;
        }
        let class = error.rdkafka_error_code().map_or(FailureClass::Transient, classify);
        if class == FailureClass::Ours {
            tracing::error!(%error, "Kafka refuses us");
            self.refused.set(true);
            self.shared.condition.complain(Part::Poll, format!("Kafka refuses us: {error}"));
        } else {
            tracing::warn!(%error, "Kafka's client reports an error and goes on");
        }
    }

    /// An error that stopped a partition.
    pub(super) fn meet(&mut self, at: &TopicPartition, fault: &Fault, now: Duration) {
        if !self.is_final(&fault.error) {
            self.faults.note(at, fault, now);
        }
    }

    /// Reads partitions on that an error has stopped long enough, where the desk stands: nothing is skipped.
    pub(super) fn try_again(&mut self, now: Duration) {
        if self.faults.is_empty() {
            return;
        }
        let owned = self.shared.owned();
        for at in self.faults.take_due(now, |at| owned.contains(at)) {
            let place = self.shared.desk().place(&at);
            if let Err(error) = self.shared.queues.mend(&self.consumer, (&at.topic, at.partition), place) {
                self.faults.note(&at, &Fault { error, offset: place }, now);
            }
        }
    }

    /// Whether this client, or this process, is at its end by it.
    fn is_final(&mut self, error: &KafkaError) -> bool {
        self.shared.meters.poll_errors.add(1);
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) {
            self.shared.tell(Event::Fatal(self.no_offset()));
            return true;
        }
        let fatal = self.consumer.client().fatal_error();
        if !matches!(error, KafkaError::MessageConsumptionFatal(_)) && fatal.is_none() {
            return false;
        }
        let code = fatal.as_ref().map(|(code, _)| *code).or_else(|| error.rdkafka_error_code());
        let why = fatal.map_or_else(|| error.to_string(), |(code, words)| format!("{code}: {words}"));
        self.shut_out(code, &why);
        true
    }
}
