//! Dead letter: a record set aside with its reason and its coordinates, unchanged.
//!
//! In: records that can never be delivered. Out: the acknowledgement of Kafka, or the letters back.
//! Never: changes key, value or headers, or calls a letter written before Kafka acknowledged it.

/// The real one: a producer to `<topic>.dlq`.
pub mod producer;

use crate::record::{Headers, OwnedRecord};
use domain::failure::FailureClass;
use domain::headers::dead_letter as header;
use std::future::Future;

/// How much of a detail goes into a header, in characters.
const MOST_DETAIL: usize = 1_000;

/// One record on its way to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub record: OwnedRecord,
    /// How often its delivery was tried; 0 when it never entered a request.
    pub attempts: u32,
    pub class: FailureClass,
    /// A stable word.
    pub reason: String,
    /// For people.
    pub detail: String,
}

/// Letters that were not acknowledged, handed back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unacknowledged {
    pub letters: Vec<DeadLetter>,
    pub class: FailureClass,
    /// What Kafka said about the first of them.
    pub detail: String,
}

/// Where dead letters go. The border to Kafka: tests put a scripted one here.
pub trait DeadLetters: Send + Sync + 'static {
    /// Sends letters and waits for their acknowledgements; ends within a deadline of its own.
    fn send(&self, letters: Vec<DeadLetter>) -> impl Future<Output = Result<(), Unacknowledged>> + Send;
}

impl DeadLetter {
    /// The original headers, then ours.
    pub fn headers(&self) -> Headers {
        let record = &self.record;
        let mut headers = record.headers.clone();
        let detail: String = self.detail.chars().take(MOST_DETAIL).collect();
        let ours = [
            (header::TOPIC, record.at.topic.to_string()),
            (header::PARTITION, record.at.partition.to_string()),
            (header::OFFSET, record.offset.to_string()),
            (header::TIMESTAMP, record.timestamp.to_string()),
            (header::ATTEMPTS, self.attempts.to_string()),
            (header::CLASS, self.class.to_string()),
            (header::REASON, self.reason.clone()),
            (header::DETAIL, detail),
            (header::TRACE_ID, record.trace_id().unwrap_or_default().to_owned()),
            (header::VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        ];
        headers.extend(ours.map(|(name, value)| (name.to_owned(), Some(value.into_bytes()))));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::DeadLetter;
    use crate::assignment::TopicPartition;
    use crate::record::OwnedRecord;
    use domain::failure::FailureClass;
    use domain::offset::Offset;

    #[test]
    fn the_original_headers_come_first_and_ours_name_everything() {
        let record = OwnedRecord {
            at: TopicPartition::new("mt-c400", 3),
            offset: Offset(17),
            timestamp: 1_763_701_200_123,
            key: None,
            value: None,
            headers: vec![("a".into(), None), ("a".into(), Some(b"2".to_vec()))],
        };
        let letter = DeadLetter {
            record,
            attempts: 2,
            class: FailureClass::Rejected,
            reason: "schema".into(),
            detail: "é".repeat(2_000),
        };
        let headers = letter.headers();
        assert_eq!(headers[..2], [("a".into(), None), ("a".into(), Some(b"2".to_vec()))]);
        let text = |name: &str| {
            let found = headers.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.clone());
            String::from_utf8(found.expect("a header")).expect("text")
        };
        let seen = ["topic", "partition", "offset", "timestamp", "attempts", "class", "reason", "trace-id"]
            .map(|n| text(&format!("comboio-{n}")));
        assert_eq!(seen, ["mt-c400", "3", "17", "1763701200123", "2", "rejected", "schema", ""]);
        assert_eq!(text("comboio-detail").chars().count(), 1_000);
        assert_eq!(text("comboio-version"), env!("CARGO_PKG_VERSION"));
    }
}
