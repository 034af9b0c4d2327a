//! Names for message groups and for deduplication, in the letters that SQS and SNS allow.
//!
//! Source: Amazon SQS API Reference, `SendMessage`, `MessageGroupId` and `MessageDeduplicationId`: up to 128 of the characters a-z,
//! A-Z, 0-9 and ASCII punctuation.

use crate::record::{Entry, Head};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

const MOST: usize = 128;

/// By what a FIFO queue or topic knows a message that it has taken within the last five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deduplication {
    /// The event's id: also a repeat by the producer is taken once.
    #[default]
    EventId,
    /// Topic, partition and offset: only a repeat of the same record is.
    Offset,
}

/// What stands beside the body of a message for a FIFO queue or topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fifo {
    pub group: String,
    pub deduplication: String,
}

impl Fifo {
    pub fn of(entry: &Entry<'_>, head: &Head<'_>, by: Deduplication) -> Self {
        let deduplication = match by {
            Deduplication::EventId => token(entry.id.as_bytes()),
            Deduplication::Offset => token(format!("{}/{}/{}", head.topic, head.partition, entry.offset).as_bytes()),
        };
        Self { group: token(entry.key), deduplication }
    }
}

/// The text itself when the services take it, else 32 hex digits of XXH3-128 that stand for it.
fn token(text: &[u8]) -> String {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || byte.is_ascii_punctuation();
    match std::str::from_utf8(text) {
        Ok(plain) if !plain.is_empty() && plain.len() <= MOST && text.iter().all(allowed) => plain.to_owned(),
        _ => format!("{:032x}", XxHash3_128::oneshot(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Deduplication, Fifo, token};
    use crate::destinations::parcels::{HEAD, entries};

    #[test]
    fn what_the_services_would_not_take_is_hashed() {
        assert_eq!(token(b"t1-BR00001-300-1"), "t1-BR00001-300-1");
        let long = "x".repeat(129);
        for text in ["", "caminh\u{e3}o", "two words", "line\n", &long] {
            let token = token(text.as_bytes());
            assert!(token.len() == 32 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}: {token}");
        }
        assert_ne!(token(b"a b"), token(b"a  b"));
        assert_eq!(token(&[255]).len(), 32);
    }

    #[test]
    fn a_message_is_known_by_its_id_or_by_its_place() {
        let entries = entries(&["{}", "{}"]);
        let of = |by| Fifo::of(&entries[1], &HEAD, by);
        assert_eq!(of(Deduplication::EventId), Fifo { group: "k".into(), deduplication: "e".into() });
        assert_eq!(of(Deduplication::Offset).deduplication, "t/0/2");
    }
}
