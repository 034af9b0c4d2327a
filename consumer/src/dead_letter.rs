//! Dead letter: a record set aside with its reason and its coordinates, unchanged; for good, or until it is due again.
//!
//! In: records that can never be delivered, and those that are put off. Out: the acknowledgement of Kafka, or the letters back.
//! Never: changes key, value or headers, or calls a letter written before Kafka acknowledged it.

/// A client and its polling thread.
mod polled;
/// Why a letter was not written.
mod refusal;
/// The real one: a producer to `<topic>.dlq` and to retry topics.
pub mod producer;

use crate::deferral::Coordinates;
use crate::record::{Headers, OwnedRecord};
use domain::failure::FailureClass;
use domain::headers::{dead_letter as header, dead_letter_topic};
use std::future::Future;

/// How much of a detail goes into a header, in characters.
const MOST_DETAIL: usize = 1_000;

/// One record on its way to the dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub record: OwnedRecord,
    /// How often its delivery was tried since it was read; 0 when it never entered a request.
    pub attempts: u32,
    pub class: FailureClass,
    /// A stable word.
    pub reason: String,
    /// For people.
    pub detail: String,
    /// Not dead yet: it comes again.
    pub put_off: Option<PutOff>,
}

/// Where a record waits, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOff {
    pub topic: String,
    /// Milliseconds since the epoch.
    pub due_ms: i64,
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
    /// Where it is written to.
    pub fn topic(&self) -> String {
        let dead = || dead_letter_topic(Coordinates::of(&self.record).topic);
        self.put_off.as_ref().map_or_else(dead, |put_off| put_off.topic.clone())
    }

    /// Of key, value and headers.
    pub fn bytes(&self) -> usize {
        let length = |part: &Option<Vec<u8>>| part.as_ref().map_or(0, Vec::len);
        let headers: usize = self.headers().iter().map(|(name, value)| name.len() + length(value)).sum();
        length(&self.record.key) + length(&self.record.value) + headers
    }

    /// The original headers, then ours: they name the record as it was first read.
    pub fn headers(&self) -> Headers {
        let (record, first) = (&self.record, Coordinates::of(&self.record));
        let attempts = first.attempts.saturating_add(self.attempts);
        if let Some(put_off) = &self.put_off {
            return first.put_off(attempts, &self.reason, put_off.due_ms);
        }
        let mut headers = first.headers.to_vec();
        let detail: String = self.detail.chars().take(MOST_DETAIL).collect();
        let ours = [
            (header::TOPIC, first.topic.to_owned()),
            (header::PARTITION, first.partition.to_string()),
            (header::OFFSET, first.offset.to_string()),
            (header::TIMESTAMP, first.timestamp.to_string()),
            (header::ATTEMPTS, attempts.to_string()),
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
    use super::{DeadLetter, PutOff};
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
            put_off: None,
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

    #[test]
    fn a_record_that_was_put_off_becomes_a_dead_letter_of_where_it_came_from() {
        let letter = |record, put_off| DeadLetter {
            record,
            attempts: 2,
            class: FailureClass::Transient,
            reason: "busy".into(),
            detail: String::new(),
            put_off,
        };
        let record = |topic, offset, headers| OwnedRecord {
            at: TopicPartition::new(topic, 3),
            offset: Offset(offset),
            timestamp: offset * 1_000,
            key: None,
            value: None,
            headers,
        };
        let waits = Some(PutOff { topic: "t.retry.5s".into(), due_ms: 9_000 });
        let deferred = letter(record("t", 17, vec![("a".into(), None)]), waits);
        assert_eq!((deferred.topic(), deferred.headers().len()), ("t.retry.5s".to_owned(), 8));
        let dead = letter(record("t.retry.5s", 4, deferred.headers()), None);
        assert_eq!(dead.topic(), "t.dlq");
        let headers = dead.headers();
        let text = |name: &str| {
            let found: Vec<_> = headers.iter().filter(|(known, _)| known == name).collect();
            assert_eq!(found.len(), 1, "{name}");
            String::from_utf8(found[0].1.clone().expect("a value")).expect("text")
        };
        let seen = ["topic", "partition", "offset", "timestamp", "attempts"].map(|n| text(&format!("comboio-{n}")));
        assert_eq!(seen, ["t", "3", "17", "17000", "4"]);
        assert!(headers[0] == ("a".into(), None) && headers.iter().all(|(name, _)| name != "comboio-due"));
    }
}
