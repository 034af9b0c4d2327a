//! Where delivered events end. Every destination has the same shape: configuration, batch, deliver, partial results, failure class.

mod batching;
mod file;
mod http;

pub use batching::{BatchRaw, Limits};
pub use file::{FileDestination, FileRaw, SyncPolicy};
pub use http::{HttpDestination, HttpRaw};

use crate::record::Head;
use crate::together::BoxFuture;
use domain::failure::FailureClass;
use std::time::Duration;

/// What one call hands over: values in order, of one request.
#[derive(Debug, Clone, Copy)]
pub struct Parcel<'a> {
    pub head: &'a Head<'a>,
    /// Raw JSON, one event each. Never empty.
    pub values: &'a [&'a str],
}

impl Parcel<'_> {
    /// One event a line. JSON may hold line breaks between its tokens (never inside a string): they become spaces.
    pub fn ndjson(&self) -> Vec<u8> {
        let mut lines = Vec::with_capacity(self.values.iter().map(|value| value.len() + 1).sum());
        for value in self.values {
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

/// Why a destination did not take something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {detail}")]
pub struct Failure {
    pub class: FailureClass,
    /// For people: what the destination said.
    pub detail: String,
    /// The shortest wait that the destination asks for.
    pub retry_after: Option<Duration>,
}

impl Failure {
    pub fn new(class: FailureClass, detail: impl Into<String>) -> Self {
        Self { class, detail: detail.into(), retry_after: None }
    }
}

/// What became of a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The destination holds every value.
    Delivered,
    /// These values (by index in the parcel) failed, the others are delivered.
    Partial(Vec<(usize, Failure)>),
    /// None is known to be delivered.
    Failed(Failure),
}

/// One place where events end. Implementations keep the order of the parcel's values and classify their errors themselves.
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

#[cfg(test)]
mod tests {
    use super::Parcel;
    use crate::record::Head;

    #[test]
    fn a_line_break_between_tokens_does_not_break_the_lines() {
        let head = Head { batch_id: "t/0/1-2", topic: "t", partition: 0, attempt: 1, traceparent: None };
        let parcel = Parcel { head: &head, values: &["{\"a\":1,\r\n\"b\":2}", "{}"] };
        assert_eq!(parcel.ndjson(), b"{\"a\":1,  \"b\":2}\n{}\n");
    }
}
