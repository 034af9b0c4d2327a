//! What a record that Kafka (or its client) refused means for the producer.

use domain::failure::FailureClass;
use rdkafka::error::RDKafkaErrorCode as Code;

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The client has no room now: wait, and offer the same record again before any other.
    Wait,
    /// This record can never be written: dead letter, the rest goes on.
    SetAside(FailureClass),
    /// Kafka does not know the topic: other clients ask again for a while, then it is a dead letter.
    Missing(FailureClass),
    /// The record is good and this client is finished, or has dropped it: another client sends it again.
    Again,
    /// It was tried for as long as configured: given up on, counted and told.
    GiveUp,
    /// Our rights or settings are wrong for everything: nothing more can be sent.
    Stop,
}

impl Refusal {
    /// A record that the client would not take.
    pub fn at_the_queue(code: Code) -> Self {
        match code {
            Code::QueueFull => Self::Wait,
            _ => Self::of(code, Self::Stop),
        }
    }

    /// A record that came back without an acknowledgement. Only the time that was configured ends the attempts: whatever
    /// else may pass, and made the client give the record up all the same, is nothing against the record.
    pub fn at_delivery(code: Code) -> Self {
        Self::of(code, if code == Code::MessageTimedOut { Self::GiveUp } else { Self::Again })
    }

    /// One table for both; they differ in what a passing reason means.
    fn of(code: Code, passing: Self) -> Self {
        match (code, kafka_client::failure::classify(code)) {
            (code, _) if CLIENT_FINISHED.contains(&code) => Self::Again,
            (code, class) if MISSING_TOPIC.contains(&code) => Self::Missing(class),
            (code, class) if REFUSED_TOPIC.contains(&code) => Self::SetAside(class),
            (_, class @ (FailureClass::Rejected | FailureClass::TooLarge)) => Self::SetAside(class),
            (_, FailureClass::Ours) => Self::Stop,
            _ => passing,
        }
    }
}

/// The idempotent client lost its place in the sequence or its identity: all it can do is give everything back.
const CLIENT_FINISHED: [Code; 8] = [
    Code::Fatal,
    Code::Fenced,
    Code::ProducerFenced,
    Code::OutOfOrderSequenceNumber,
    Code::DuplicateSequenceNumber,
    Code::UnknownProducerId,
    Code::InvalidProducerEpoch,
    Code::Inconsistent,
];

/// The topic is gone, or not there yet. *Broker destroy* is what a record gets whose partition vanishes while it is sent.
const MISSING_TOPIC: [Code; 4] =
    [Code::UnknownTopic, Code::UnknownPartition, Code::UnknownTopicOrPartition, Code::BrokerDestroy];

/// We may not write to this topic: its records are set aside, those of other topics go on.
const REFUSED_TOPIC: [Code; 2] = [Code::TopicAuthorizationFailed, Code::InvalidTopic];

/// The stable word for a reason, in headers and files: `MessageSizeTooLarge` is `message-size-too-large`.
pub fn reason(code: Code) -> String {
    let mut word = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

#[cfg(test)]
mod tests {
    use super::{Code, FailureClass, Refusal, reason};

    #[test]
    fn each_kind_of_refusal_has_its_answer() {
        let (queue, delivery) = (Refusal::at_the_queue, Refusal::at_delivery);
        assert_eq!(queue(Code::QueueFull), Refusal::Wait);
        assert_eq!(queue(Code::MessageSizeTooLarge), Refusal::SetAside(FailureClass::TooLarge));
        assert_eq!(queue(Code::UnknownTopic), Refusal::Missing(FailureClass::Ours));
        assert_eq!(queue(Code::InvalidArgument), Refusal::Stop);
        assert_eq!(delivery(Code::InvalidRecord), Refusal::SetAside(FailureClass::Rejected));
        assert_eq!(delivery(Code::TopicAuthorizationFailed), Refusal::SetAside(FailureClass::Ours));
        assert_eq!(delivery(Code::UnknownTopicOrPartition), Refusal::Missing(FailureClass::Ours));
        assert_eq!(delivery(Code::ClusterAuthorizationFailed), Refusal::Stop);
        assert_eq!(delivery(Code::MessageTimedOut), Refusal::GiveUp);
        assert_eq!(delivery(Code::BrokerDestroy), Refusal::Missing(FailureClass::Transient));
        for passing in [Code::PurgeQueue, Code::NotEnoughReplicas, Code::Unknown] {
            assert_eq!((queue(passing), delivery(passing)), (Refusal::Stop, Refusal::Again));
        }
    }

    #[test]
    fn a_finished_client_gives_everything_back() {
        for code in super::CLIENT_FINISHED {
            assert_eq!((Refusal::at_the_queue(code), Refusal::at_delivery(code)), (Refusal::Again, Refusal::Again));
        }
    }

    #[test]
    fn a_reason_is_a_word() {
        assert_eq!(reason(Code::MessageSizeTooLarge), "message-size-too-large");
    }
}
