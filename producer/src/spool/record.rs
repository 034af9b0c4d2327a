//! An event as the spool holds it: everything that Kafka must get, and what the ledger wants to know.

use super::SpoolError;
use serde::{Deserialize, Serialize};

/// One event on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spooled {
    pub topic: String,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    /// Event time, ms since the epoch.
    pub timestamp_ms: i64,
    pub headers: Vec<(String, Vec<u8>)>,
    /// How many passes over the spool had failed when it came in.
    pub passes: u64,
    pub trace: Trace,
}

/// What only the process that spooled the event can read: its place in the ledger and its due time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Differs from process to process.
    pub process: u64,
    pub series: u32,
    pub seq: u64,
    /// Nanoseconds since the start of that process's run.
    pub due_nanos: u64,
}

impl Spooled {
    pub(super) fn encode(&self) -> Result<Vec<u8>, SpoolError> {
        postcard::to_stdvec(self).map_err(|error| SpoolError::Unreadable(error.to_string()))
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, SpoolError> {
        postcard::from_bytes(bytes).map_err(|error| SpoolError::Unreadable(error.to_string()))
    }
}
