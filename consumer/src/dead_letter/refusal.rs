//! Why a letter was not written: its class, and the sentence for people.

use super::DeadLetter;
use domain::failure::FailureClass;
use kafka_client::failure::classify;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

/// What was said about one letter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    code: RDKafkaErrorCode,
    /// It never went out.
    by_client: bool,
}

impl Refusal {
    /// The client went before the answer came.
    pub(super) const GIVEN_UP: Self = Self { code: RDKafkaErrorCode::PurgeQueue, by_client: true };

    pub(super) fn by_client(error: &KafkaError) -> Self {
        Self { code: code(error), by_client: true }
    }

    pub(super) fn by_kafka(error: &KafkaError) -> Self {
        Self { code: code(error), by_client: false }
    }

    /// Its topic took neither it nor what was sent with it.
    pub(super) fn is_for_size(self) -> bool {
        !self.by_client && self.is_too_large()
    }

    fn is_too_large(self) -> bool {
        classify(self.code) == FailureClass::TooLarge
    }

    /// A letter is never given up, so nothing about one is *rejected*.
    pub(super) fn class(self) -> FailureClass {
        match classify(self.code) {
            FailureClass::Rejected | FailureClass::TooLarge => FailureClass::Ours,
            class => class,
        }
    }

    /// What to say of `letter`, which was refused alone.
    pub(super) fn about(self, letter: &DeadLetter) -> String {
        if !self.is_too_large() {
            return self.code.to_string();
        }
        let (at, offset, topic, bytes) = (&letter.record.at, letter.record.offset.0, letter.topic(), letter.bytes());
        let which = format!("that of {at}@{offset} has {bytes} bytes with its headers, more than");
        if self.by_client {
            return format!("{which} is ever sent");
        }
        format!(
            "{which} topic {topic} takes: raise its max.message.bytes, best to 8 KiB above that of the source topic, for headers are added"
        )
    }
}

fn code(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)
}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use crate::assignment::TopicPartition;
    use crate::dead_letter::DeadLetter;
    use crate::record::OwnedRecord;
    use domain::failure::FailureClass;
    use domain::offset::Offset;
    use rdkafka::error::{KafkaError, RDKafkaErrorCode};

    #[test]
    fn what_is_too_large_is_named_with_its_place_its_size_and_what_to_do() {
        let record = OwnedRecord {
            at: TopicPartition::new("t", 3),
            offset: Offset(17),
            timestamp: 0,
            key: Some(b"key".to_vec()),
            value: Some(vec![b'x'; 500_000]),
            headers: Vec::new(),
        };
        let (reason, detail) = ("schema".into(), "no".into());
        let letter = DeadLetter { record, attempts: 1, class: FailureClass::Rejected, reason, detail, put_off: None };
        let error = KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge);
        let (kafka, client) = (Refusal::by_kafka(&error), Refusal::by_client(&error));
        assert!(kafka.is_for_size() && !client.is_for_size());
        assert_eq!((kafka.class(), client.class()), (FailureClass::Ours, FailureClass::Ours));
        let said = kafka.about(&letter);
        for part in ["that of t/3@17 has 500", "more than topic t.dlq takes", "raise its max.message.bytes"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(client.about(&letter).ends_with("more than is ever sent"));
        assert!(letter.bytes() > 500_003 && letter.bytes() < 501_000);
    }
}
