//! The other caller: AWS's event source mapping for Kafka, its event and the answer that it reads.

mod answer;
mod event;
mod letter;

pub use answer::{BatchItemFailures, Identifier, Item};
pub use event::{BadEvent, Carried, Partition, Unreadable, decode};
pub use letter::letter;

use crate::fields::Text;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;

/// `[event_source]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventSourceRaw {
    /// What becomes of rejected records: `fail`, or `destination:NAME`.
    pub rejected: String,
    pub failures: Failures,
}

impl Default for EventSourceRaw {
    fn default() -> Self {
        Self { rejected: "fail".to_owned(), failures: Failures::default() }
    }
}

/// How the event source mapping learns of records that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failures {
    /// By name: it must have `ReportBatchItemFailures`, or they are lost.
    #[default]
    Report,
    /// The whole event fails, and comes again.
    Error,
}

/// The same as meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventSource {
    /// The destination that takes rejected records; without one they are failures.
    pub set_aside: Option<usize>,
    pub failures: Failures,
}

/// Source: AWS Lambda developer guide, "Using Lambda with Amazon MSK" and "Using Lambda with self-managed Apache Kafka", example events.
const SOURCES: [&str; 2] = ["aws:kafka", "aws:SelfManagedKafka"];

/// Whether the payload is an event of a Kafka event source mapping. Reads no further than it must: a request of our contract
/// says what it is with its first member.
pub fn is_event(payload: &[u8]) -> bool {
    let mut found = false;
    let mut reader = serde_json::Deserializer::from_slice(payload);
    // It ends in the middle of the object, which the reader calls an error.
    let _ends_early = reader.deserialize_map(First(&mut found));
    found
}

struct First<'f>(&'f mut bool);

impl<'de> Visitor<'de> for First<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
            match name.as_ref() {
                "version" => break,
                "eventSource" => {
                    *self.0 = SOURCES.contains(&map.next_value::<Text<'de>>()?.0.as_ref());
                    break;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_event;

    #[test]
    fn an_event_is_told_by_its_source() {
        for event in [
            r#"{"eventSource":"aws:kafka"}"#,
            r#" {"records":{"version":1},"event\u0053ource":"aws:SelfManagedKafka", no more is read"#,
        ] {
            assert!(is_event(event.as_bytes()), "{event}");
        }
        for other in [
            r#"{"version":1,"eventSource":"aws:kafka"}"#,
            r#"{"eventSource":"aws:sqs"}"#,
            r#"{"eventSource":1}"#,
            r#"[{"eventSource":"aws:kafka"}]"#,
            r#"{"records":{"eventSource":"aws:kafka"}}"#,
            "{}",
            "\"eventSource\"",
            "",
        ] {
            assert!(!is_event(other.as_bytes()), "{other}");
        }
    }
}
