//! Where delivered events end. Every destination has the same shape: configuration, batch, deliver, partial results, failure class.

mod batching;
mod dynamodb;
mod file;
mod http;
mod lambda;
mod receipts;
mod requests;
mod s3;
mod sns;
mod sqs;
mod ten;
mod token;

pub use batching::{BatchRaw, Limits};
pub use dynamodb::{DynamoDbDestination, DynamoDbRaw};
pub use file::{FileDestination, FileRaw, SyncPolicy};
pub use http::{HttpDestination, HttpRaw};
pub use lambda::{LambdaDestination, LambdaRaw};
pub use requests::{Request, Requests, Room};
pub use s3::{S3Destination, S3Raw};
pub use sns::{SnsDestination, SnsRaw};
pub use sqs::{SqsDestination, SqsRaw};

pub use crate::failure::Failure;

use crate::deadline::Deadline;
use crate::record::{Entry, Head};
use crate::together::BoxFuture;

/// What one call hands over: entries in order, of one request.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'a> {
    pub head: &'a Head<'a>,
    /// Never empty.
    pub entries: &'a [Entry<'a>],
    /// When the invocation ends; a destination that makes several requests of a parcel begins none after it.
    pub deadline: Deadline,
}

impl<'a> Parcel<'a> {
    /// Raw JSON, one event each.
    pub fn values(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.entries.iter().map(|entry| entry.value)
    }

    /// One event a line. JSON may hold line breaks between its tokens (never inside a string): they become spaces.
    pub fn ndjson(&self) -> Vec<u8> {
        let mut lines = Vec::with_capacity(self.values().map(|value| value.len() + 1).sum());
        for value in self.values() {
            let start = lines.len();
            lines.extend_from_slice(value.as_bytes());
            for byte in &mut lines[start..] {
                if matches!(byte, b'\n' | b'\r') {
                    *byte = b' ';
                }
            }
            lines.push(b'\n');
        }
        lines
    }
}

/// What became of a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The destination holds every entry.
    Delivered,
    /// These entries (by index in the parcel) failed, the others are delivered.
    Partial(Vec<(usize, Failure)>),
    /// None is known to be delivered.
    Failed(Failure),
}

/// One place where events end. Implementations keep the order of the parcel's entries and classify their errors themselves.
pub trait Destination: Send + Sync {
    /// How much one parcel may hold, and how long `deliver` may take; the caller cuts and stops accordingly.
    fn limits(&self) -> Limits;

    /// One attempt, no retries. May be dropped when time is up; the attempt then may or may not have worked.
    fn deliver<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome>;
}

/// A destination under its name in the configuration.
pub struct Named {
    pub name: String,
    pub destination: Box<dyn Destination>,
}

/// Parcels for the tests of destinations.
#[cfg(test)]
mod parcels {
    use super::Parcel;
    use crate::deadline::Deadline;
    use crate::record::{Entry, Head, Need};
    use domain::offset::Offset;
    use std::time::Duration;

    pub const HEAD: Head<'_> =
        Head { batch_id: "t/0/1-2", topic: "t", partition: 0, attempt: 1, traceparent: None, lane: None };

    /// At offsets 1, 2, ..., all of one key.
    pub fn entries(values: &[&'static str]) -> Vec<Entry<'static>> {
        let entry = |(place, value): (usize, &&'static str)| Entry {
            place,
            offset: Offset(i64::try_from(place).unwrap() + 1),
            id: "e",
            key: b"k",
            value,
            need: Need::Required,
        };
        values.iter().enumerate().map(entry).collect()
    }

    pub fn parcel<'a>(entries: &'a [Entry<'a>]) -> Parcel<'a> {
        Parcel { head: &HEAD, entries, deadline: Deadline::after(Duration::from_secs(10)) }
    }
}

#[cfg(test)]
mod tests {
    use super::parcels::{entries, parcel};

    #[test]
    fn a_line_break_between_tokens_does_not_break_the_lines() {
        let entries = entries(&["{\"a\":1,\r\n\"b\":2}", "{}"]);
        assert_eq!(parcel(&entries).ndjson(), b"{\"a\":1,  \"b\":2}\n{}\n");
    }
}
