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

/// The number of a process whose run started at `started_ms` since the epoch: every process has its own, and others read the
/// start out of it.
pub fn process(started_ms: i64, id: u32) -> u64 {
    started_ms as u64 & STARTED | u64::from(id) << START_BITS
}

/// Milliseconds since the epoch fit in so many bits until the year 2527.
const START_BITS: u32 = 44;
const STARTED: u64 = (1 << START_BITS) - 1;

/// Where the event stands in its process: only that one can read its place in the ledger; its due time is for all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// See [`process`].
    pub process: u64,
    pub series: u32,
    pub seq: u64,
    /// Nanoseconds since the start of that process's run.
    pub due_nanos: u64,
}

impl Trace {
    /// When the event was due, ms since the epoch by the clock of its process.
    pub fn due_ms(&self) -> i64 {
        (self.process & STARTED) as i64 + (self.due_nanos / 1_000_000) as i64
    }
}

impl Spooled {
    pub(super) fn encode(&self) -> Result<Vec<u8>, SpoolError> {
        postcard::to_stdvec(self).map_err(|error| SpoolError::Unreadable(error.to_string()))
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, SpoolError> {
        postcard::from_bytes(bytes).map_err(|error| SpoolError::Unreadable(error.to_string()))
    }
}
