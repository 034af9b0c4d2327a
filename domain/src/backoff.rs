//! How long to wait before the next attempt: exponential with full jitter, randomness as an argument.
//!
//! Source of the shape: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).

use std::time::Duration;

/// Doubling steps from `base` up to `cap`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub base: Duration,
    pub cap: Duration,
}

impl Backoff {
    /// The longest wait before attempt `failures + 1`; `failures` counts from 1.
    pub fn ceiling(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.base.saturating_mul(1 << doublings).min(self.cap)
    }

    /// A wait between zero and the ceiling; `unit` is uniform in 0..=1. At least `at_least` (a server's retry-after).
    pub fn delay(&self, failures: u32, unit: f64, at_least: Option<Duration>) -> Duration {
        let jittered = self.ceiling(failures).mul_f64(unit.clamp(0.0, 1.0));
        jittered.max(at_least.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use std::time::Duration;

    const BACKOFF: Backoff = Backoff { base: Duration::from_millis(100), cap: Duration::from_secs(5) };

    #[test]
    fn the_ceiling_doubles_up_to_the_cap_and_never_overflows() {
        let ceilings = [1, 2, 3, 7, u32::MAX].map(|n| BACKOFF.ceiling(n).as_millis());
        assert_eq!(ceilings, [100, 200, 400, 5000, 5000]);
    }

    #[test]
    fn a_retry_after_is_honoured() {
        assert_eq!(BACKOFF.delay(1, 0.5, None), Duration::from_millis(50));
        assert_eq!(BACKOFF.delay(1, 0.5, Some(Duration::from_secs(9))), Duration::from_secs(9));
    }
}
