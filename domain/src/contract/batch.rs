//! The open batch: records of one partition and lane, collected straight into the bytes of their request.
//!
//! In: values while the record is borrowed. Out: the request's exact bytes. Never: passes its limit with more than one record, or alters a value.

use super::steps::{Steps, digits};
use super::values::Values;
use super::{MAX_REQUEST_BYTES, VERSION};
use crate::offset::Offset;
use bytes::Bytes;
use std::sync::Arc;

/// What all records of one batch share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchHead {
    /// The consumer group; part of the dedupe fence's identity.
    pub group: String,
    pub topic: String,
    pub partition: i32,
    /// Which lane of the partition, from 0.
    pub lane: u32,
    /// How many lanes the partition has; part of the fence's identity.
    pub lanes: u32,
    /// Raised by an intended replay, so that the fence lets its records pass.
    pub epoch: u32,
    /// Which log the offsets are of: the topic's id as Kafka's tools print it. `None`: that is not known, or the log was cut; then no
    /// fence may stand on them.
    pub log: Option<String>,
    /// The first offset of this lane that its owner was given: all from there to the batch's first are finished.
    pub since: Option<Offset>,
}

/// How much a batch holds: how many records, bytes of their values with commas, and of what stands before them in its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extent {
    pub records: usize,
    pub bytes: usize,
    pub opening: usize,
}

/// What became of an offered value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    Taken,
    /// Close this batch and offer the value to the next one.
    NoRoom,
    /// More than any request may have, even in a batch of its own.
    NeverFits,
}

/// Records of one partition and lane, in offset order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenBatch {
    head: Arc<BatchHead>,
    /// Upper bound of the request's bytes that hang on the head alone.
    head_len: usize,
    limit: usize,
    values: Values,
    /// Where each value ends in `values`.
    ends: Vec<usize>,
    offsets: Steps,
    timestamps: Steps,
}

/// Room that is always kept for the attempt number and the trace context.
const MOST_ATTEMPT_DIGITS: usize = 10;
const TRACEPARENT_LEN: usize = 55;

impl BatchHead {
    /// Upper bound of the request's bytes that do not hang on its records.
    fn most_len(&self) -> usize {
        let texts = 2 * escaped_len(&self.topic) + escaped_len(&self.group);
        let (lane, lanes, epoch) = (digits(self.lane.into()), digits(self.lanes.into()), digits(self.epoch.into()));
        // The batch id has the partition too, and three characters beside what it names.
        let numbers = 2 * digits(self.partition.into()) + 3 + lane + lanes + epoch;
        let log = self.log.as_ref().map_or(0, |log| LOG_MEMBER.len() + escaped_len(log) + 1);
        let since = self.since.map_or(0, |since| SINCE_MEMBER.len() + digits(since.0));
        let optional = log + since + TRACEPARENT_MEMBER.len() + TRACEPARENT_LEN + 1;
        SKELETON_LEN + texts + numbers + MOST_ATTEMPT_DIGITS + optional
    }
}

impl OpenBatch {
    /// `limit` is the most bytes that the request may have, at most [`MAX_REQUEST_BYTES`]; a record that has more goes alone, up to that.
    pub fn new(head: impl Into<Arc<BatchHead>>, limit: usize) -> Self {
        Self::with_extent(head, limit, Extent::default())
    }

    /// The same, with memory for `extent` and a little more at once, so that it need not grow, nor be copied to be sent.
    pub fn with_extent(head: impl Into<Arc<BatchHead>>, limit: usize, extent: Extent) -> Self {
        let head = head.into();
        let (opening, bytes) = (extent.opening + extent.opening / 8, extent.bytes + extent.bytes / 32);
        Self {
            head_len: head.most_len(),
            head,
            limit: limit.min(MAX_REQUEST_BYTES),
            values: Values::with_room(opening, bytes + CLOSING.len()),
            ends: Vec::with_capacity(extent.records),
            offsets: Steps::with_extent(extent.records),
            timestamps: Steps::with_extent(extent.records),
        }
    }

    /// What a batch like this one needs.
    pub fn extent(&self) -> Extent {
        let bytes = self.values.len();
        Extent { records: self.len(), bytes, opening: self.request_len(1, None) - bytes - CLOSING.len() }
    }

    /// Appends one record. `timestamp` is in milliseconds since the epoch, `value` must be one valid JSON text.
    pub fn push(&mut self, offset: Offset, timestamp: i64, value: &[u8]) -> Push {
        let comma = usize::from(!self.is_empty());
        let growth = comma + value.len() + self.offsets.growth(offset.0) + self.timestamps.growth(timestamp);
        let first =
            if self.is_empty() { (offset.0, timestamp) } else { (self.offsets.first(), self.timestamps.first()) };
        let fixed = self.fixed_len(first, offset.0);
        let steps = self.offsets.text_len() + self.timestamps.text_len();
        let limit = if self.is_empty() { MAX_REQUEST_BYTES } else { self.limit };
        if fixed + steps + self.values.len() + growth > limit {
            return if self.is_empty() { Push::NeverFits } else { Push::NoRoom };
        }
        self.values.push(value);
        self.ends.push(self.values.len());
        self.offsets.push(offset.0);
        self.timestamps.push(timestamp);
        Push::Taken
    }

    /// Upper bound of everything but values and steps: the longest attempt and a trace context included.
    fn fixed_len(&self, (first_offset, first_timestamp): (i64, i64), last_offset: i64) -> usize {
        self.head_len + 2 * digits(first_offset) + digits(last_offset) + digits(first_timestamp)
    }

    pub fn head(&self) -> &BatchHead {
        &self.head
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn first(&self) -> Option<Offset> {
        self.offsets.values().first().copied().map(Offset)
    }

    pub fn last(&self) -> Option<Offset> {
        self.offsets.values().last().copied().map(Offset)
    }

    pub fn offsets(&self) -> impl ExactSizeIterator<Item = Offset> + '_ {
        self.offsets.values().iter().copied().map(Offset)
    }

    /// Timestamps in milliseconds since the epoch, in the order of the offsets.
    pub fn timestamps(&self) -> &[i64] {
        self.timestamps.values()
    }

    /// Where `offset` stands in the batch.
    pub fn position(&self, offset: Offset) -> Option<usize> {
        self.offsets.values().binary_search(&offset.0).ok()
    }

    /// The value of the record at `position`, exactly as Kafka holds it.
    pub fn value(&self, position: usize) -> Option<&[u8]> {
        let end = *self.ends.get(position)?;
        let start = position.checked_sub(1).map_or(0, |before| self.ends[before] + 1);
        self.values.as_slice().get(start..end)
    }

    /// `topic/partition/first-last`.
    pub fn batch_id(&self) -> String {
        let (first, last) = (self.offsets.first(), self.last().map_or(0, |o| o.0));
        format!("{}/{}/{first}-{last}", self.head.topic, self.head.partition)
    }

    /// Exact length in bytes of `request(attempt, traceparent)`.
    pub fn request_len(&self, attempt: u32, traceparent: Option<&str>) -> usize {
        let most = self.fixed_len((self.offsets.first(), self.timestamps.first()), self.last().map_or(0, |o| o.0));
        let reserved = MOST_ATTEMPT_DIGITS + TRACEPARENT_MEMBER.len() + TRACEPARENT_LEN + 1;
        let trace = traceparent.map_or(0, |text| TRACEPARENT_MEMBER.len() + escaped_len(text) + 1);
        let steps = self.offsets.text_len() + self.timestamps.text_len();
        most - reserved + digits(attempt.into()) + trace + steps + self.values.len()
    }

    /// The request's bytes; `attempt` counts from 1, `traceparent` is a W3C trace context of 55 characters.
    pub fn request(&self, attempt: u32, traceparent: Option<&str>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.request_len(attempt, traceparent));
        self.open(&mut out, attempt, traceparent);
        out.extend_from_slice(self.values.as_slice());
        out.extend_from_slice(CLOSING);
        out
    }

    /// The same; the first time in the memory in which the values were collected, and later as a copy of them.
    pub fn send(&mut self, attempt: u32, traceparent: Option<&str>) -> Bytes {
        let mut opening = Vec::with_capacity(self.request_len(attempt, traceparent) - self.values.len());
        self.open(&mut opening, attempt, traceparent);
        let whole = self.values.enclose(&opening, CLOSING);
        whole.unwrap_or_else(|| self.request(attempt, traceparent).into())
    }

    /// What stands before the values.
    fn open(&self, out: &mut Vec<u8>, attempt: u32, traceparent: Option<&str>) {
        let head = &self.head;
        number(out, "{\"version\":", VERSION.into());
        text(out, ",\"batch_id\":", &self.batch_id());
        text(out, ",\"group\":", &head.group);
        text(out, ",\"topic\":", &head.topic);
        number(out, ",\"partition\":", head.partition.into());
        number(out, ",\"lane\":", head.lane.into());
        number(out, ",\"lanes\":", head.lanes.into());
        number(out, ",\"epoch\":", head.epoch.into());
        if let Some(log) = &head.log {
            text(out, ",\"log\":", log);
        }
        if let Some(since) = head.since {
            number(out, SINCE_MEMBER, since.0);
        }
        number(out, ",\"attempt\":", attempt.into());
        if let Some(trace) = traceparent {
            text(out, ",\"traceparent\":", trace);
        }
        number(out, ",\"first_offset\":", self.offsets.first());
        out.extend_from_slice(b",\"offset_steps\":[");
        self.offsets.write(out);
        number(out, "],\"first_timestamp\":", self.timestamps.first());
        out.extend_from_slice(b",\"timestamp_steps\":[");
        self.timestamps.write(out);
        out.extend_from_slice(b"],\"messages\":[");
    }

    /// Two halves in the same order; `None` for a batch of fewer than two records.
    pub fn split(&self) -> Option<(Self, Self)> {
        let middle = self.len() / 2;
        (middle > 0).then(|| (self.part(0..middle), self.part(middle..self.len())))
    }

    /// A batch of the records at `positions`, which must be in ascending order.
    pub fn part(&self, positions: impl IntoIterator<Item = usize>) -> Self {
        let mut part = Self::new(Arc::clone(&self.head), self.limit);
        for position in positions {
            let place = (self.offsets.values().get(position), self.timestamps.values().get(position));
            if let ((Some(offset), Some(timestamp)), Some(value)) = (place, self.value(position)) {
                part.push(Offset(*offset), *timestamp, value);
            }
        }
        part
    }
}

/// Everything of a request that never changes, without what is optional.
const SKELETON_LEN: usize = "{\"version\":1,\"batch_id\":\"\",\"group\":\"\",\"topic\":\"\",\"partition\":,\"lane\":,\"lanes\":,\"epoch\":,\"attempt\":,\"first_offset\":,\"offset_steps\":[],\"first_timestamp\":,\"timestamp_steps\":[],\"messages\":[]}".len();
/// What stands behind the values.
const CLOSING: &[u8] = b"]}";
const TRACEPARENT_MEMBER: &str = ",\"traceparent\":\"";
const LOG_MEMBER: &str = ",\"log\":\"";
const SINCE_MEMBER: &str = ",\"since\":";

fn number(out: &mut Vec<u8>, member: &str, value: i64) {
    out.extend_from_slice(member.as_bytes());
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn text(out: &mut Vec<u8>, member: &str, value: &str) {
    out.extend_from_slice(member.as_bytes());
    out.push(b'"');
    for byte in value.bytes() {
        if needs_escape(byte) {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
        } else {
            out.push(byte);
        }
    }
    out.push(b'"');
}

fn escaped_len(value: &str) -> usize {
    value.bytes().map(|byte| if needs_escape(byte) { 6 } else { 1 }).sum()
}

fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}
