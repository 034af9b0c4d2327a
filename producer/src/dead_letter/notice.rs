//! Says in the log that records become dead letters, and that their topic refuses these, per topic and kind of reason, without a line for each.

use super::DeadLetter;
use crate::refusal::Refusal;
use crate::repeats::{Repeats, Say};
use domain::failure::FailureClass;
use rdkafka::error::RDKafkaErrorCode;
use std::time::Duration;

/// The topic that they were meant for, and why it did not take them.
type Kind = (String, FailureClass);

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Notice(Repeats<Kind>);

impl Notice {
    /// This letter has come in.
    pub(super) fn note(&mut self, letter: &DeadLetter, now: Duration) {
        let kind = (letter.record.topic.clone(), letter.why.class);
        let (topic, class) = (&kind.0, kind.1.as_str());
        let (reason, detail) = (&letter.why.reason, &letter.why.detail);
        let key = String::from_utf8_lossy(&letter.record.key);
        match self.0.note(&kind, now) {
            Some(Say::Begins) => tracing::warn!(topic, class, reason, detail, %key, "records become dead letters"),
            Some(Say::GoesOn { count }) => {
                tracing::warn!(topic, class, reason, count, %key, "more records became dead letters");
            }
            Some(Say::Ended { .. }) | None => {}
        }
    }

    /// Says what has ended.
    pub(super) fn look(&mut self, now: Duration) {
        for ((topic, class), say) in self.0.ended(now) {
            let count = if let Say::Ended { count } = say { count } else { 0 };
            tracing::info!(topic, class = class.as_str(), count, "no more records become dead letters");
        }
    }
}

/// The topic that the refused letters' records were meant for, and what the refusal means.
type RefusalKind = (String, Refusal);

/// What was said about dead-letter topics that refuse.
#[derive(Debug, Default)]
pub(super) struct Refusals(Repeats<RefusalKind>);

impl Refusals {
    /// The dead-letter topic did not take this letter; tells what there was to say.
    pub(super) fn note(&mut self, letter: &DeadLetter, code: RDKafkaErrorCode, now: Duration) -> Option<Say> {
        let topic = &letter.record.topic;
        let say = self.0.note(&(topic.clone(), Refusal::at_delivery(code)), now)?;
        match say {
            Say::Begins => {
                tracing::warn!(topic, %code, "the dead-letter topic refuses: letters go to S3 or to the local file")
            }
            Say::GoesOn { count } => tracing::warn!(topic, %code, count, "the dead-letter topic refused more letters"),
            Say::Ended { .. } => {}
        }
        Some(say)
    }

    /// Says what has ended; how many that were.
    pub(super) fn look(&mut self, now: Duration) -> usize {
        let ended = self.0.ended(now);
        for ((topic, _), say) in &ended {
            let count = if let Say::Ended { count } = say { *count } else { 0 };
            tracing::info!(topic, count, "the dead-letter topic refuses no more letters");
        }
        ended.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{DeadLetter, RDKafkaErrorCode as Code, Refusals, Say};
    use crate::dead_letter::{Record, Why};
    use domain::failure::FailureClass;
    use std::time::Duration;

    #[test]
    fn a_topic_that_refuses_every_letter_is_told_when_it_begins_every_ten_seconds_and_when_it_is_over() {
        let (topic, key, value, headers) = ("mt-c400".to_owned(), b"k".to_vec(), b"v".to_vec(), Vec::new());
        let record = Record { topic, key, value, timestamp_ms: 5, headers };
        let why = Why { class: FailureClass::Ours, reason: "unknown-topic".into(), detail: "gone".into() };
        let (letter, mut refusals) = (DeadLetter::new(0, record, why), Refusals::default());
        let mut said = Vec::new();
        for second in 0..25 {
            // First the broker says so, then the client, which has heard it: that is one and the same.
            let code = if second < 3 { Code::UnknownTopicOrPartition } else { Code::UnknownTopic };
            said.extend(refusals.note(&letter, code, Duration::from_secs(second)));
            assert_eq!(refusals.look(Duration::from_secs(second)), 0);
        }
        assert_eq!(said, [Say::Begins, Say::GoesOn { count: 10 }, Say::GoesOn { count: 10 }]);
        // Another reason is told at once.
        assert_eq!(refusals.note(&letter, Code::MessageSizeTooLarge, Duration::from_secs(25)), Some(Say::Begins));
        assert_eq!((refusals.look(Duration::from_secs(34)), refusals.look(Duration::from_secs(35))), (1, 1));
    }
}
