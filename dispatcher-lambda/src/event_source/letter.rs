//! A rejected record as it is set aside at a destination: where it stood, why, and all that it held.

use super::event::Carried;
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct Letter<'a> {
    /// `topic/partition/offset`.
    id: &'a str,
    topic: &'a str,
    partition: i32,
    offset: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a RawValue>,
    reason: &'a str,
    detail: &'a str,
    /// Base64, as the event carried it; null: there was none.
    key: Option<&'a str>,
    /// Likewise.
    value: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<&'a RawValue>,
}

/// The JSON of the letter.
///
/// # Errors
/// What serde_json says; it has no reason to.
pub fn letter(
    id: &str,
    topic: &str,
    partition: i32,
    record: &Carried<'_>,
    why: (&str, &str),
) -> serde_json::Result<String> {
    serde_json::to_string(&Letter {
        id,
        topic,
        partition,
        offset: record.offset.0,
        timestamp: record.raw.timestamp,
        reason: why.0,
        detail: why.1,
        key: record.raw.key.as_ref().map(|key| key.0.as_ref()),
        value: record.raw.value.as_ref().map(|value| value.0.as_ref()),
        headers: record.raw.headers,
    })
}
