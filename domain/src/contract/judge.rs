//! Holds a response against the batch it should answer; anything that does not add up fails closed.

use super::{Listed, OpenBatch, Response, VERSION};
use crate::offset::Offset;
use std::collections::HashSet;

/// A response that is whole, of this batch, and adds up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub delivered: u64,
    pub duplicates: u64,
    pub rejected: Vec<Listed>,
    pub retry: Vec<Listed>,
}

/// Why a response counts for nothing: the whole batch is tried again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("the response is no answer of contract version {VERSION}: {0}")]
    Shape(String),
    #[error("the response has contract version {0}, this consumer speaks {VERSION}")]
    Version(u32),
    #[error("the response is for batch {found}, expected {expected}")]
    OtherBatch { found: String, expected: String },
    #[error("the response lists offset {0}, which is not in the batch or is listed twice")]
    Offset(Offset),
    #[error("the response counts {counted} records, the batch has {sent}")]
    Count { counted: u64, sent: u64 },
}

/// Reads `response` as the answer to `batch`.
///
/// # Errors
/// See [`Malformed`]; then nothing of the batch may be committed.
pub fn judge(batch: &OpenBatch, response: &[u8]) -> Result<Judgement, Malformed> {
    let answer: Response = crate::object::read(response).map_err(|e| Malformed::Shape(e.to_string()))?;
    if answer.version != VERSION {
        return Err(Malformed::Version(answer.version));
    }
    let expected = batch.batch_id();
    if answer.batch_id != expected {
        return Err(Malformed::OtherBatch { found: answer.batch_id, expected });
    }
    let mut seen = HashSet::new();
    for listed in answer.rejected.iter().chain(&answer.retry) {
        if batch.position(listed.offset).is_none() || !seen.insert(listed.offset) {
            return Err(Malformed::Offset(listed.offset));
        }
    }
    let counted = answer.delivered.saturating_add(answer.duplicates).saturating_add(seen.len() as u64);
    let sent = batch.len() as u64;
    if counted != sent {
        return Err(Malformed::Count { counted, sent });
    }
    let Response { delivered, duplicates, rejected, retry, .. } = answer;
    Ok(Judgement { delivered, duplicates, rejected, retry })
}
