//! The open batch of one lane: it grows until it has enough records, is old enough, or has no room.

use super::json_text::is_json_text;
use crate::assignment::LaneId;
use crate::batch::{Batch, CloseReason, Unfit};
use crate::record::{Kept, Lent, OwnedRecord};
use crate::times::{Passed, Times};
use domain::contract::{BatchHead, Extent, MAX_REQUEST_BYTES, OpenBatch, Push};
use serde::de::IgnoredAny;
use std::sync::Arc;
use std::time::Duration;

/// When a batch is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub records: usize,
    /// Since its first record.
    pub age: Duration,
    /// Of its request; a record that has more goes alone.
    pub bytes: usize,
}

/// One lane of an owned partition.
#[derive(Debug)]
pub struct OpenLane {
    lane: LaneId,
    head: Arc<BatchHead>,
    limits: Limits,
    filling: Option<Filling>,
    /// What the last batch took, records and keys: the next one gets the memory for it at once.
    last: (Extent, usize),
}

#[derive(Debug)]
struct Filling {
    records: OpenBatch,
    kept: Kept,
    unfit: Vec<Unfit>,
    unfit_bytes: usize,
    oldest: Passed,
    newest: Passed,
}

impl OpenLane {
    pub fn new(lane: LaneId, head: BatchHead, limits: Limits) -> Self {
        Self { lane, head: Arc::new(head), limits, filling: None, last: (Extent::default(), 0) }
    }

    pub fn id(&self) -> &LaneId {
        &self.lane
    }

    /// How many records a batch may have from now on. An open batch that has as many already is closed by the next one, or by its age.
    pub fn limit_records(&mut self, records: usize) {
        self.limits.records = records;
    }

    /// Takes a record and gives back what it closed, in order: nothing, the batch before it, or the batch it filled.
    pub fn take(&mut self, record: Lent<'_>, now: Duration) -> Vec<Batch> {
        let mut closed = Vec::new();
        if self.head.since.is_none() {
            Arc::make_mut(&mut self.head).since = Some(record.offset);
        }
        if self.filling.as_ref().is_some_and(|filling| record.offset <= filling.newest.offset) {
            closed.extend(self.close(CloseReason::Order, now));
        }
        let passed = Passed::new(record.offset, record.timestamp, now);
        match record.value.map_or_else(|| Err("the record has no value".to_owned()), check) {
            Ok(value) => self.push(value, record, passed, &mut closed),
            Err(detail) => self.put_aside(&record, "not-json", detail, passed),
        }
        if let Some(filling) = &mut self.filling {
            filling.newest = passed;
        }
        if self.len() >= self.limits.records {
            closed.extend(self.close(CloseReason::Count, now));
        } else if self.filling.as_ref().is_some_and(|filling| filling.unfit_bytes >= self.limits.bytes) {
            closed.extend(self.close(CloseReason::Bytes, now));
        }
        closed
    }

    fn push(&mut self, value: &[u8], record: Lent<'_>, passed: Passed, closed: &mut Vec<Batch>) {
        let (offset, timestamp) = (record.offset, record.timestamp);
        let mut fate = self.filling(passed).records.push(offset, timestamp, value);
        if fate == Push::NoRoom {
            closed.extend(self.close(CloseReason::Bytes, passed.polled));
            fate = self.filling(passed).records.push(offset, timestamp, value);
        }
        match fate {
            Push::Taken => self.filling(passed).kept.push(record),
            Push::NoRoom | Push::NeverFits => {
                let detail = format!("{} bytes do not fit into a request of {MAX_REQUEST_BYTES} bytes", value.len());
                self.put_aside(&record, "too-large", detail, passed);
            }
        }
    }

    fn put_aside(&mut self, record: &Lent<'_>, reason: &'static str, detail: String, passed: Passed) {
        let record = OwnedRecord::copy(&self.lane.held.at, record);
        let filling = self.filling(passed);
        filling.unfit_bytes += record.bytes();
        filling.unfit.push(Unfit { record, reason, detail });
    }

    fn filling(&mut self, first: Passed) -> &mut Filling {
        self.filling.get_or_insert_with(|| Filling {
            records: OpenBatch::with_extent(Arc::clone(&self.head), self.limits.bytes, self.last.0),
            kept: Kept::with_room(self.last.0.records, self.last.1),
            unfit: Vec::new(),
            unfit_bytes: 0,
            oldest: first,
            newest: first,
        })
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.filling.as_ref().map_or(0, |filling| filling.records.len() + filling.unfit.len())
    }

    pub fn is_empty(&self) -> bool {
        self.filling.is_none()
    }

    /// When the open batch is old enough; `None` when there is none.
    pub fn due(&self) -> Option<Duration> {
        self.filling.as_ref().map(|filling| filling.oldest.polled + self.limits.age)
    }

    /// Forgets the open batch: its records will be read again.
    pub fn drop_open(&mut self) {
        self.filling = None;
    }

    /// Closes the open batch, if there is one.
    pub fn close(&mut self, reason: CloseReason, now: Duration) -> Option<Batch> {
        let filling = self.filling.take()?;
        let extent = filling.records.extent();
        // A record that went alone for its size says nothing about the next batch.
        if extent.bytes <= self.limits.bytes {
            self.last = (extent, filling.kept.key_bytes());
        }
        let bytes = filling.records.request_len(1, None) + filling.kept.bytes() + filling.unfit_bytes;
        Some(Batch {
            lane: self.lane.clone(),
            records: filling.records,
            kept: Arc::new(filling.kept),
            unfit: filling.unfit,
            reason,
            suspects: Vec::new(),
            times: Times { oldest: filling.oldest, newest: filling.newest, closed: now },
            bytes,
        })
    }
}

/// A value may enter a request when it is one JSON text; only then does the request stay JSON.
fn check(value: &[u8]) -> Result<&[u8], String> {
    if is_json_text(value) {
        return Ok(value);
    }
    let text = std::str::from_utf8(value).map_err(|error| error.to_string())?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| error.to_string())?;
    Ok(value)
}

#[cfg(test)]
mod tests;
