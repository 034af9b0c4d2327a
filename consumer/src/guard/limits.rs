//! The limits that can be changed while the consumer runs.

use serde::Serialize;

/// The least rate that still moves, a call in 10 s, and the most that can be kept.
const SLOWEST: f64 = 0.1;
const FASTEST: f64 = 100_000.0;

/// What is wanted of the guard, beyond what it learns by itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limits {
    /// Calls under way at once, at most.
    pub max_in_flight: usize,
    /// 0 is no limit.
    pub invocations_per_second: f64,
}

impl Limits {
    /// Checks both; `most` is how many calls can be carried at once.
    ///
    /// # Errors
    /// The limit that is out of range, and what is allowed.
    pub fn validate(&self, most: usize) -> Result<(), (&'static str, String)> {
        if !(1..=most).contains(&self.max_in_flight) {
            return Err(("max_in_flight", format!("allowed is 1 to {most}")));
        }
        let rate = self.invocations_per_second;
        if rate != 0.0 && !(SLOWEST..=FASTEST).contains(&rate) {
            return Err(("invocations_per_second", format!("allowed is 0 (no limit) or {SLOWEST} to {FASTEST}")));
        }
        Ok(())
    }
}
