//! Step 1, decode: is the invocation's payload a request of our contract?
//!
//! In: the payload's bytes. Out: the request's head and its records, borrowing from the payload.
//! Never: looks into a value; lets a payload that is not whole go any further.

use crate::contain::{self, Panicked};
use crate::event_source::BadEvent;
use crate::record::{Head, Lane, Record};
use domain::contract;
use domain::offset::Offset;

/// A request with its records in order.
#[derive(Debug)]
pub struct Batch<'a> {
    request: contract::Request<'a>,
    pub records: Vec<Record<'a>>,
}

/// Why a payload gets no verdicts: nothing of it was touched.
#[derive(Debug, thiserror::Error)]
pub enum BadRequest {
    #[error(transparent)]
    Contract(#[from] contract::BadRequest),
    #[error(transparent)]
    Event(#[from] BadEvent),
    #[error("decode {0}")]
    Panicked(#[from] Panicked),
}

/// Reads the payload.
///
/// # Errors
/// See [`BadRequest`]; the caller answers with a handled error.
pub fn decode(payload: &[u8]) -> Result<Batch<'_>, BadRequest> {
    contain::call(|| {
        let request = contract::Request::decode(payload)?;
        let records = request.records().enumerate();
        let records = records.map(|(place, record)| Record { place, offset: record.offset, value: record.value });
        Ok(Batch { records: records.collect(), request })
    })?
}

impl Batch<'_> {
    pub fn head(&self) -> Head<'_> {
        Head {
            batch_id: &self.request.batch_id,
            topic: &self.request.topic,
            partition: self.request.partition,
            attempt: self.request.attempt,
            traceparent: self.request.traceparent.as_deref(),
            lane: Some(Lane {
                group: &self.request.group,
                lane: self.request.lane,
                lanes: self.request.lanes,
                epoch: self.request.epoch,
                log: self.request.log.as_deref(),
                since: self.request.since.map(Offset),
            }),
        }
    }
}
