//! The event of an event source mapping for Kafka: records of several topic-partitions, keys and values in base64.
//!
//! Source: AWS Lambda developer guide, "Using Lambda with Amazon MSK", "Example event".

use crate::contain::{self, Panicked};
use crate::fields::{Fields, Text};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::object;
use domain::offset::Offset;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The records of one topic-partition.
#[derive(Debug)]
pub struct Partition<'a> {
    /// As the event names it, `mytopic-0`; the answer must say the same.
    pub name: Cow<'a, str>,
    pub topic: Cow<'a, str>,
    pub number: i32,
    /// In offset order, at least one.
    pub records: Vec<Carried<'a>>,
}

/// One record as the event carries it.
#[derive(Debug)]
pub struct Carried<'a> {
    pub offset: Offset,
    /// Its value as text, without the white space around it; or why there is none.
    pub text: Result<String, Unreadable>,
    pub raw: Raw<'a>,
}

/// What stands in the event, member by member. Of headers and timestamp nothing is read: they only travel on with a record that is set aside.
#[derive(Debug, Deserialize)]
pub struct Raw<'a> {
    #[serde(borrow)]
    topic: Cow<'a, str>,
    partition: i32,
    offset: i64,
    #[serde(borrow, default)]
    pub timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub key: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub value: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub headers: Option<&'a RawValue>,
}

/// Why a record has no text; it is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("the record has no value")]
    NoValue,
    #[error("the value is no base64: {0}")]
    NotBase64(String),
    #[error("not valid UTF-8 JSON: {0}")]
    NotUtf8(String),
}

impl Unreadable {
    /// The stable word; the consumer has the same for its records.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoValue | Self::NotUtf8(_) => "not-json",
            Self::NotBase64(_) => "not-base64",
        }
    }
}

/// Why an event gets no verdicts: nothing of it was touched.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    #[error("the payload is no event of a Kafka event source mapping: {0}")]
    Shape(String),
    #[error("the records of {0} are not all of one topic and partition")]
    Mixed(String),
    #[error("the event has the records of {0} twice")]
    Twice(String),
    #[error("the partition or an offset of {0} is negative")]
    Negative(String),
    #[error("the offsets of {0} do not grow")]
    Order(String),
    #[error("decode {0}")]
    Panicked(#[from] Panicked),
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    records: &'a RawValue,
}

/// Reads the payload.
///
/// # Errors
/// See [`BadEvent`]; the caller answers with a handled error.
pub fn decode(payload: &[u8]) -> Result<Vec<Partition<'_>>, BadEvent> {
    contain::call(|| {
        let event: Event<'_> = object::read(payload).map_err(|error| shape("", &error))?;
        let lists = Fields::read(event.records.get()).map_err(|error| shape("records: ", &error))?;
        let (mut partitions, mut seen) = (Vec::with_capacity(lists.0.len()), BTreeSet::new());
        for (name, list) in lists.0 {
            if let Some(partition) = partition(name, list)? {
                if !seen.insert((partition.topic.to_string(), partition.number)) {
                    return Err(BadEvent::Twice(partition.name.into_owned()));
                }
                partitions.push(partition);
            }
        }
        Ok(partitions)
    })?
}

fn shape(place: &str, error: &serde_json::Error) -> BadEvent {
    BadEvent::Shape(format!("{place}{error}"))
}

/// `None` for a list without records.
fn partition<'a>(name: Cow<'a, str>, list: &'a str) -> Result<Option<Partition<'a>>, BadEvent> {
    let place = format!("records of {name}: ");
    let texts: Vec<&RawValue> = serde_json::from_str(list).map_err(|error| shape(&place, &error))?;
    let records: Result<Vec<Raw<'a>>, _> = texts.iter().map(|raw| object::read(raw.get().as_bytes())).collect();
    let records = records.map_err(|error| shape(&place, &error))?;
    let Some(first) = records.first() else { return Ok(None) };
    let (topic, number) = (first.topic.clone(), first.partition);
    if records.iter().any(|record| record.topic != topic || record.partition != number) {
        return Err(BadEvent::Mixed(name.into_owned()));
    }
    if number < 0 || first.offset < 0 {
        return Err(BadEvent::Negative(name.into_owned()));
    }
    if records.windows(2).any(|pair| pair[0].offset >= pair[1].offset) {
        return Err(BadEvent::Order(name.into_owned()));
    }
    let records = records.into_iter().map(Carried::new).collect();
    Ok(Some(Partition { name, topic, number, records }))
}

impl<'a> Carried<'a> {
    fn new(raw: Raw<'a>) -> Self {
        Self { offset: Offset(raw.offset), text: text(raw.value.as_ref()), raw }
    }
}

fn text(value: Option<&Text<'_>>) -> Result<String, Unreadable> {
    let Some(Text(value)) = value else { return Err(Unreadable::NoValue) };
    let bytes = BASE64_STANDARD.decode(value.as_bytes()).map_err(|error| Unreadable::NotBase64(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| Unreadable::NotUtf8(error.utf8_error().to_string()))?;
    let inner = text.trim_matches([' ', '\t', '\n', '\r']);
    Ok(if inner.len() == text.len() { text } else { inner.to_owned() })
}

impl Partition<'_> {
    /// `topic/partition/first-last`, as the consumer names its batches.
    pub fn batch_id(&self) -> String {
        let offset = |record: Option<&Carried<'_>>| record.map_or(0, |record| record.offset.0);
        let (first, last) = (offset(self.records.first()), offset(self.records.last()));
        format!("{}/{}/{first}-{last}", self.topic, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::{Unreadable, decode};

    fn event(lists: &str) -> String {
        format!("{{\"eventSource\":\"aws:kafka\",\"records\":{{{lists}}}}}")
    }

    fn refused(lists: &str) -> String {
        decode(event(lists).as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn the_example_of_the_documentation_is_read() {
        let text = include_str!("../../fixtures/msk-event.json");
        let partitions = decode(text.as_bytes()).unwrap();
        let ids: Vec<String> = partitions.iter().map(super::Partition::batch_id).collect();
        assert_eq!(ids, ["mt-c300/0/15-17", "mt-c400/7/900-900"]);
        let records = &partitions[0].records;
        assert!(records[0].text.as_ref().unwrap().starts_with("{\"v\":1,\"id\":\"7f3a91c2-BR04217-300-1\""));
        assert_eq!(records[1].text, Err(Unreadable::NoValue));
        assert_eq!(records[0].raw.headers.unwrap().get(), "[{\"traceparent\": [48, 48, 45]}]");
    }

    #[test]
    fn values_are_bytes_of_text_or_say_why_not() {
        let values = ["null", "\"\"", "\"eyJhIjoxfQ==\"", "\"IHsgfQo=\"", "\"\\/w==\"", "\"e\"", "\"e30\""];
        let record =
            |(offset, value)| format!("{{\"topic\":\"t\",\"partition\":0,\"offset\":{offset},\"value\":{value}}}");
        let list: Vec<String> = values.iter().enumerate().map(record).collect();
        let text = event(&format!("\"t-0\":[{}],\"u-0\":[]", list.join(",")));
        let partitions = decode(text.as_bytes()).unwrap();
        let told = |at: usize| partitions[0].records[at].text.as_deref().map_err(Unreadable::reason);
        assert_eq!((told(0), told(1), told(2), told(3)), (Err("not-json"), Ok(""), Ok("{\"a\":1}"), Ok("{ }")));
        assert_eq!((told(4), told(5), told(6)), (Err("not-json"), Err("not-base64"), Err("not-base64")));
        assert_eq!(partitions.len(), 1);
    }

    #[test]
    fn what_is_no_event_is_refused_in_a_sentence() {
        let record =
            |partition: i32, offset: &str| format!("{{\"topic\":\"t\",\"partition\":{partition},\"offset\":{offset}}}");
        for (lists, sentence) in [
            (format!("\"t-0\":[{},{}]", record(0, "7"), record(0, "7")), "the offsets of t-0 do not grow"),
            (format!("\"t-0\":[{},{}]", record(0, "7"), record(0, "6")), "the offsets of t-0 do not grow"),
            (format!("\"t-0\":[{}]", record(0, "-1")), "the partition or an offset of t-0 is negative"),
            (format!("\"t-0\":[{}]", record(-1, "1")), "the partition or an offset of t-0 is negative"),
            (
                format!("\"t-0\":[{},{}]", record(0, "7"), record(1, "8")),
                "the records of t-0 are not all of one topic and partition",
            ),
            (format!("\"a\":[{}],\"b\":[{}]", record(0, "7"), record(0, "8")), "the event has the records of b twice"),
        ] {
            assert_eq!(refused(&lists), sentence);
        }
        let shapes =
            ["\"t-0\":{}", "\"t-0\":[[\"t\",0,1]]", "\"t-0\":[{}]", &format!("\"t-0\":[{}]", record(0, "\"1\""))];
        for lists in shapes {
            let sentence = refused(lists);
            assert!(
                sentence.starts_with("the payload is no event of a Kafka event source mapping: records of t-0: "),
                "{sentence}"
            );
        }
        assert!(
            decode(b"{\"eventSource\":\"aws:kafka\"}").unwrap_err().to_string().contains("missing field `records`")
        );
    }
}
