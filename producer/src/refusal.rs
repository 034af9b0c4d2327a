//! What a record that Kafka (or its client) refused means for the producer.

use domain::failure::FailureClass;
use rdkafka::error::RDKafkaErrorCode as Code;

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The client has no room now: wait, and offer the same record again before any other.
    Wait,
    /// This record can never be written: dead letter, the rest goes on.
    SetAside(FailureClass),
    /// It was tried for as long as configured: given up on, counted and told.
    GiveUp,
    /// Our rights or settings are wrong, or this client is finished: nothing more can be sent.
    Stop,
}

impl Refusal {
    /// A record that the client would not take.
    pub fn at_the_queue(code: Code) -> Self {
        match (code, kafka_client::failure::classify(code)) {
            (Code::QueueFull, _) => Self::Wait,
            (_, class @ (FailureClass::Rejected | FailureClass::TooLarge)) => Self::SetAside(class),
            // The client takes a record or gives a lasting reason; "try again" is QueueFull alone.
            _ => Self::Stop,
        }
    }

    /// A record that came back without an acknowledgement.
    pub fn at_delivery(code: Code) -> Self {
        match (code, kafka_client::failure::classify(code)) {
            (Code::Fatal | Code::Fenced | Code::ProducerFenced, _) => Self::Stop,
            (_, class @ (FailureClass::Rejected | FailureClass::TooLarge)) => Self::SetAside(class),
            (_, FailureClass::Ours) => Self::Stop,
            _ => Self::GiveUp,
        }
    }
}

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
        assert_eq!(Refusal::at_the_queue(Code::QueueFull), Refusal::Wait);
        assert_eq!(Refusal::at_the_queue(Code::MessageSizeTooLarge), Refusal::SetAside(FailureClass::TooLarge));
        assert_eq!(Refusal::at_the_queue(Code::UnknownTopic), Refusal::Stop);
        assert_eq!(Refusal::at_the_queue(Code::Fatal), Refusal::Stop);
        assert_eq!(Refusal::at_delivery(Code::InvalidRecord), Refusal::SetAside(FailureClass::Rejected));
        assert_eq!(Refusal::at_delivery(Code::TopicAuthorizationFailed), Refusal::Stop);
        assert_eq!(Refusal::at_delivery(Code::MessageTimedOut), Refusal::GiveUp);
        assert_eq!(Refusal::at_delivery(Code::PurgeInflight), Refusal::GiveUp);
        assert_eq!(Refusal::at_delivery(Code::Fatal), Refusal::Stop);
    }

    #[test]
    fn a_reason_is_a_word() {
        assert_eq!(reason(Code::MessageSizeTooLarge), "message-size-too-large");
    }
}
