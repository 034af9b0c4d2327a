//! The request as the dispatcher reads it, borrowing every value from the invocation's payload.

use super::VERSION;
use super::steps::restore;
use crate::offset::Offset;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One batch: records of one partition and lane.
#[derive(Debug, Deserialize)]
pub struct Request<'a> {
    pub version: u32,
    #[serde(borrow)]
    pub batch_id: Cow<'a, str>,
    #[serde(borrow)]
    pub group: Cow<'a, str>,
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    pub partition: i32,
    pub lane: u32,
    pub lanes: u32,
    pub epoch: u32,
    /// The topic's id; `None`: no fence may stand on these offsets.
    #[serde(borrow, default)]
    pub log: Option<Cow<'a, str>>,
    /// All of the lane from this offset to the first of the batch are finished.
    #[serde(default)]
    pub since: Option<i64>,
    /// Counts from 1.
    pub attempt: u32,
    /// W3C trace context.
    #[serde(borrow, default)]
    pub traceparent: Option<Cow<'a, str>>,
    first_offset: i64,
    offset_steps: Vec<i64>,
    first_timestamp: i64,
    timestamp_steps: Vec<i64>,
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

/// One record of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRecord<'a> {
    pub offset: Offset,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The value's JSON, byte for byte.
    pub value: &'a str,
}

/// Why a payload is no request of this contract.
#[derive(Debug, thiserror::Error)]
pub enum BadRequest {
    #[error("the payload is no request of contract version {VERSION}: {0}")]
    Shape(String),
    #[error("the request has contract version {0}, this dispatcher speaks {VERSION}")]
    Version(u64),
    #[error("the request of batch {batch_id} has {messages} messages, {offsets} offsets and {timestamps} timestamps")]
    Counts { batch_id: String, messages: usize, offsets: usize, timestamps: usize },
    #[error("the offsets of batch {0} do not grow")]
    Order(String),
}

impl<'a> Request<'a> {
    /// Reads a request and checks that it is whole.
    ///
    /// # Errors
    /// See [`BadRequest`]; nothing of a bad request may be processed.
    pub fn decode(payload: &'a [u8]) -> Result<Self, BadRequest> {
        let request: Self = crate::object::read(payload).map_err(|error| version_or_shape(payload, &error))?;
        if request.version != VERSION {
            return Err(BadRequest::Version(request.version.into()));
        }
        let (offsets, timestamps) = (request.offset_steps.len() + 1, request.timestamp_steps.len() + 1);
        if request.messages.len() != offsets || offsets != timestamps {
            let (batch_id, messages) = (request.batch_id.into_owned(), request.messages.len());
            return Err(BadRequest::Counts { batch_id, messages, offsets, timestamps });
        }
        if request.offset_steps.iter().any(|step| *step < 1) {
            return Err(BadRequest::Order(request.batch_id.into_owned()));
        }
        Ok(request)
    }

    /// How many records it carries; at least one.
    pub fn count(&self) -> usize {
        self.messages.len()
    }

    /// The records in offset order.
    pub fn records(&self) -> impl Iterator<Item = RequestRecord<'a>> + use<'a> {
        let offsets = restore(self.first_offset, &self.offset_steps);
        let timestamps = restore(self.first_timestamp, &self.timestamp_steps);
        let values: Vec<&'a str> = self.messages.iter().map(|raw| raw.get()).collect();
        offsets.into_iter().zip(timestamps).zip(values).map(|((offset, timestamp), value)| RequestRecord {
            offset: Offset(offset),
            timestamp,
            value,
        })
    }
}

/// A shape that does not fit is first of all a question of its version.
fn version_or_shape(payload: &[u8], error: &serde_json::Error) -> BadRequest {
    #[derive(Deserialize)]
    struct OnlyVersion {
        version: u64,
    }
    match crate::object::read::<OnlyVersion>(payload) {
        Ok(found) if found.version != u64::from(VERSION) => BadRequest::Version(found.version),
        _ => BadRequest::Shape(error.to_string()),
    }
}
