//! The same rate all the time.

use super::{BadShape, positive};
use serde::{Deserialize, Serialize};

/// `rate` events/s from the first to the last second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    pub rate: f64,
}

impl Constant {
    /// Events due in the first `seconds`.
    pub(super) fn count(&self, seconds: f64) -> f64 {
        self.rate * seconds
    }

    /// Seconds until `events` are due.
    pub(super) fn due(&self, events: f64) -> f64 {
        events / self.rate
    }

    pub(super) fn scaled(&self, factor: f64) -> Self {
        Self { rate: self.rate * factor }
    }

    pub(super) fn validate(&self) -> Result<(), BadShape> {
        positive("rate", self.rate)
    }
}
