//! The response: how many were delivered or seen before, and which records were not.

use super::VERSION;
use crate::offset::Offset;
use crate::verdict::Verdict;
use serde::{Deserialize, Serialize};

/// The dispatcher's answer to one request. What is not listed is delivered or duplicate; the counts must add up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    pub version: u32,
    pub batch_id: String,
    pub delivered: u64,
    pub duplicates: u64,
    pub rejected: Vec<Listed>,
    pub retry: Vec<Listed>,
}

/// One record that was not delivered, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub offset: Offset,
    /// A stable word.
    pub reason: String,
    /// For people.
    #[serde(default)]
    pub detail: String,
}

impl Response {
    /// Sums up one verdict per record, in offset order.
    pub fn from_verdicts(batch_id: &str, verdicts: impl IntoIterator<Item = (Offset, Verdict)>) -> Self {
        let mut response = Self {
            version: VERSION,
            batch_id: batch_id.to_owned(),
            delivered: 0,
            duplicates: 0,
            rejected: Vec::new(),
            retry: Vec::new(),
        };
        for (offset, verdict) in verdicts {
            match verdict {
                Verdict::Delivered => response.delivered += 1,
                Verdict::Duplicate => response.duplicates += 1,
                Verdict::Rejected { reason, detail } => response.rejected.push(Listed { offset, reason, detail }),
                Verdict::Retry { reason, detail } => response.retry.push(Listed { offset, reason, detail }),
            }
        }
        response
    }
}
