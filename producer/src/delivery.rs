//! rdkafka's callbacks of the producer: what Kafka said about each record, handed on in our words.
//!
//! *In*: delivery reports, log lines, errors, statistics, all on the thread that polls. *Out*: answers and dead letters.
//! *Never*: waits or sends; a callback that blocks would stop every other answer.

use crate::answers::Answers;
use crate::dead_letter::DeadLetter;
use crate::refusal::{self, Refusal};
use crossbeam_channel::Sender;
use domain::failure::FailureClass;
use kafka_client::context::Observer;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Headers, Message};
use rdkafka::producer::ProducerContext;
use std::sync::Arc;

/// Set in the opaque value of a record that is a dead letter itself; the rest is its slot.
pub const DEAD: usize = 1 << (usize::BITS - 1);

/// The producer's context.
pub struct Delivery {
    pub answers: Arc<Answers>,
    pub dead_letters: Sender<DeadLetter>,
    pub observer: Observer,
}

impl ClientContext for Delivery {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.observer.log(level, facility, message);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.observer.stats_raw(json);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(&error, reason);
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.answers.broken(format!("the Kafka client is finished ({reason}): start the producer again"));
        }
    }
}

impl ProducerContext for Delivery {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        let (slot, is_dead_letter) = (opaque & !DEAD, opaque & DEAD != 0);
        match result {
            Ok(_) if is_dead_letter => self.answers.dead_lettered(slot),
            Ok(message) => self.answers.acknowledged(slot, message.partition()),
            Err((error, message)) if is_dead_letter => {
                self.set_aside(slot, message, code(error), None);
            }
            Err((error, message)) => self.refused(slot, code(error), message),
        }
    }
}

impl Delivery {
    fn refused(&self, slot: usize, code: RDKafkaErrorCode, message: &BorrowedMessage<'_>) {
        match Refusal::at_delivery(code) {
            Refusal::SetAside(class) => self.set_aside(slot, message, code, Some(class)),
            Refusal::GiveUp | Refusal::Wait => self.answers.failed(slot, &refusal::reason(code)),
            Refusal::Stop => {
                self.answers.failed(slot, &refusal::reason(code));
                self.answers.broken(stopped(message.topic(), code));
            }
        }
    }

    /// Without a class it is a dead letter that its topic refused: only the file is left.
    fn set_aside(
        &self,
        slot: usize,
        message: &BorrowedMessage<'_>,
        code: RDKafkaErrorCode,
        class: Option<FailureClass>,
    ) {
        let letter = DeadLetter {
            slot,
            topic: message.topic().to_owned(),
            key: message.key().unwrap_or_default().to_vec(),
            value: message.payload().unwrap_or_default().to_vec(),
            headers: headers(message),
            timestamp_ms: message.timestamp().to_millis().unwrap_or_default(),
            class: class.unwrap_or(FailureClass::Rejected),
            reason: refusal::reason(code),
            detail: code.to_string(),
            only_file: class.is_none(),
        };
        // The receiver lives as long as the polling thread that calls us.
        if self.dead_letters.send(letter).is_err() {
            self.answers.failed(slot, "dead letter after the end");
        }
    }
}

/// The sentence for a refusal that nothing but an operator can end.
pub fn stopped(topic: &str, code: RDKafkaErrorCode) -> String {
    format!(
        "Kafka refuses records for topic {topic}: {code}: check that the topic exists and that its ACLs allow us to write"
    )
}

fn code(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)
}

fn headers(message: &BorrowedMessage<'_>) -> Vec<(String, Vec<u8>)> {
    let Some(headers) = message.headers() else { return Vec::new() };
    headers.iter().map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec())).collect()
}
