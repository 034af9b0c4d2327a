//! What follows from a failure: one pure decision by its class.

use crate::invoke::InvokeFailure;
use domain::backoff::Backoff;
use domain::failure::FailureClass;
use std::time::Duration;

/// How fast to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub backoff: Backoff,
}

/// What to do with the records of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// The same records again, in the same order, after a wait.
    Again(Duration),
    /// Two halves, in order.
    Split,
    /// One record that is too large by itself: a dead letter.
    SetAside,
    /// Our own configuration or rights: alarm, keep everything, and look again after a wait.
    Alarm(Duration),
}

impl Pace {
    /// Decides. `failures` counts the failures of these records in a row, from 1; `unit` is uniform in 0..=1.
    ///
    /// A function error is tried again for ever for now: a poison record holds up its lane, it is never lost.
    pub fn after(&self, failure: &InvokeFailure, failures: u32, records: usize, unit: f64) -> Move {
        let wait = self.backoff.delay(failures, unit, failure.retry_after);
        match failure.class {
            FailureClass::Throttled | FailureClass::Transient | FailureClass::FunctionError => Move::Again(wait),
            FailureClass::TooLarge if records > 1 => Move::Split,
            FailureClass::TooLarge => Move::SetAside,
            // No invoker rejects a whole call; if one did, that would be a mistake of ours and no verdict on a record.
            FailureClass::Ours | FailureClass::Rejected => Move::Alarm(self.backoff.cap),
        }
    }

    /// How long to wait before a dead letter or a `retry` verdict is tried again.
    pub fn wait(&self, failures: u32, unit: f64) -> Duration {
        self.backoff.delay(failures, unit, None)
    }
}

#[cfg(test)]
mod tests {
    use super::{Move, Pace};
    use crate::invoke::InvokeFailure;
    use domain::backoff::Backoff;
    use domain::failure::FailureClass;
    use std::time::Duration;

    const PACE: Pace = Pace { backoff: Backoff { base: Duration::from_millis(100), cap: Duration::from_secs(20) } };

    fn after(class: FailureClass, failures: u32, records: usize) -> Move {
        PACE.after(&InvokeFailure::new(class, "x"), failures, records, 1.0)
    }

    #[test]
    fn backpressure_and_failures_never_set_a_record_aside() {
        for class in [FailureClass::Throttled, FailureClass::Transient, FailureClass::FunctionError] {
            assert_eq!(after(class, 1, 1), Move::Again(Duration::from_millis(100)));
            assert_eq!(after(class, 1_000, 1), Move::Again(Duration::from_secs(20)));
        }
        for class in [FailureClass::Ours, FailureClass::Rejected] {
            assert_eq!(after(class, 1, 500), Move::Alarm(Duration::from_secs(20)));
        }
    }

    #[test]
    fn only_a_single_record_that_is_too_large_is_set_aside() {
        assert_eq!(after(FailureClass::TooLarge, 1, 2), Move::Split);
        assert_eq!(after(FailureClass::TooLarge, 1, 1), Move::SetAside);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept() {
        let asked = InvokeFailure {
            retry_after: Some(Duration::from_secs(9)),
            ..InvokeFailure::new(FailureClass::Throttled, "x")
        };
        assert_eq!(PACE.after(&asked, 1, 1, 0.0), Move::Again(Duration::from_secs(9)));
    }
}
