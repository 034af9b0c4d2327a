//! How much one call to a destination may hold, and how long it may take.

use runtime::config::{Size, Span};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The settings that every destination has, as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchRaw {
    /// Events per call.
    pub records: u64,
    /// Bytes per call; one event that is larger still goes, alone.
    pub bytes: Size,
    /// How long one call may take.
    pub timeout: Span,
}

impl Default for BatchRaw {
    fn default() -> Self {
        Self { records: 500, bytes: Size::from_mib(5), timeout: Span::from_secs(5) }
    }
}

/// The same as meant; all above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub records: usize,
    pub bytes: usize,
    pub timeout: Duration,
}

impl BatchRaw {
    /// # Errors
    /// The name of the setting and a sentence, when one is zero.
    pub fn limits(&self) -> Result<Limits, (&'static str, &'static str)> {
        let records = usize::try_from(self.records).unwrap_or(usize::MAX);
        let limits = Limits { records, bytes: self.bytes.as_usize(), timeout: self.timeout.get() };
        if limits.records == 0 {
            return Err(("records", "allowed is 1 or more"));
        }
        if limits.bytes == 0 {
            return Err(("bytes", "allowed is 1B or more"));
        }
        if limits.timeout.is_zero() {
            return Err(("timeout", "allowed is 1ms or more"));
        }
        Ok(limits)
    }
}
