//! How the spool's disk fares: since when it refuses, how much it refused, and when it is tried again.

use std::time::Duration;

/// How often a disk that refused is tried again.
pub(super) const TRY_EVERY: Duration = Duration::from_secs(1);
/// A trial is larger than what was refused, for a database writes more than its records. A full disk takes a small write now
/// and then, so there is a least size as well.
const LEAST_TRIAL: u64 = 64 << 10;
/// A trial must not hold up the flow.
const MOST_TRIAL: u64 = 64 << 20;

/// The state of a disk.
#[derive(Debug, Default)]
pub(super) struct Disk(Option<Refusing>);

#[derive(Debug)]
struct Refusing {
    since: Duration,
    tried: Duration,
    bytes: u64,
}

impl Disk {
    /// It refused a write of about so many bytes; true when that begins now.
    pub(super) fn refused(&mut self, bytes: u64, now: Duration) -> bool {
        match &mut self.0 {
            Some(refusing) => {
                refusing.bytes = refusing.bytes.max(bytes);
                false
            }
            None => {
                self.0 = Some(Refusing { since: now, tried: now, bytes });
                true
            }
        }
    }

    /// True from a refusal until a trial has succeeded.
    pub(super) fn refuses(&self) -> bool {
        self.0.is_some()
    }

    /// True when it has refused for so long.
    pub(super) fn refuses_for(&self, long: Duration, now: Duration) -> bool {
        self.0.as_ref().is_some_and(|refusing| now.saturating_sub(refusing.since) >= long)
    }

    /// The bytes of the trial that is due now, when one is.
    pub(super) fn trial(&mut self, now: Duration) -> Option<u64> {
        let refusing = self.0.as_mut().filter(|refusing| now.saturating_sub(refusing.tried) >= TRY_EVERY)?;
        refusing.tried = now;
        Some((refusing.bytes.saturating_mul(2)).saturating_add(LEAST_TRIAL).min(MOST_TRIAL))
    }

    /// A trial has succeeded; for how long it refused.
    pub(super) fn works(&mut self, now: Duration) -> Duration {
        self.0.take().map_or(Duration::ZERO, |refusing| now.saturating_sub(refusing.since))
    }
}

#[cfg(test)]
mod tests {
    use super::{Disk, LEAST_TRIAL, MOST_TRIAL};
    use std::time::Duration;

    #[test]
    fn it_refuses_until_a_trial_larger_than_what_was_refused_has_succeeded() {
        let second = Duration::from_secs(1);
        let mut disk = Disk::default();
        assert!(!disk.refuses() && disk.trial(9 * second).is_none());
        assert!(disk.refused(100_000, 10 * second) && !disk.refused(10, 10 * second), "it begins once");
        assert_eq!(disk.trial(10 * second), None);
        assert_eq!(disk.trial(11 * second), Some(200_000 + LEAST_TRIAL));
        assert_eq!(disk.trial(11 * second), None, "not twice a second");
        assert!(!disk.refused(u64::MAX, 11 * second) && disk.refuses_for(second, 11 * second));
        assert!(!disk.refuses_for(2 * second, 11 * second));
        assert_eq!(disk.trial(12 * second), Some(MOST_TRIAL));
        assert_eq!((disk.works(15 * second), disk.refuses()), (5 * second, false));
    }
}
