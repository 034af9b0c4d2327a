//! A record on its way through the six steps: decoded, valid, addressed.

use domain::offset::Offset;
use std::borrow::Cow;

/// What the request says about all of its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// `topic/partition/first-last`.
    pub batch_id: &'a str,
    pub topic: &'a str,
    pub partition: i32,
    /// Which try of the consumer this is, from 1.
    pub attempt: u32,
    /// W3C trace context, when the batch is traced.
    pub traceparent: Option<&'a str>,
    /// Where the batch stands in its partition; `None` when the caller does not say.
    pub lane: Option<Lane<'a>>,
}

/// What a fence hangs on. See `domain::contract::BatchHead`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane<'a> {
    pub group: &'a str,
    pub lane: u32,
    pub lanes: u32,
    pub epoch: u32,
    /// The topic's id, where it is certain.
    pub log: Option<&'a str>,
    /// All of the lane from this offset to the batch's first are finished.
    pub since: Option<Offset>,
}

/// One record as it came. `place` is its index in the request, and its name inside the dispatcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub place: usize,
    pub offset: Offset,
    /// The value's raw JSON; only these bytes travel on.
    pub value: &'a str,
}

/// A record whose value is a valid event.
#[derive(Debug, Clone, PartialEq)]
pub struct Valid<'a> {
    pub place: usize,
    pub offset: Offset,
    pub id: Cow<'a, str>,
    pub codigo: u32,
    /// What order hangs on: the Kafka key, made again by the same strategy as at the producer.
    pub key: Vec<u8>,
    pub value: &'a str,
}

/// Whether a record's verdict waits for a destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// The record is delivered only when this destination holds it.
    Required,
    /// A failure is logged and counted, nothing else.
    Optional,
}

/// A valid record, addressed to one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    pub place: usize,
    pub offset: Offset,
    /// The event's id.
    pub id: &'a str,
    pub key: &'a [u8],
    pub value: &'a str,
    pub need: Need,
}
