//! What follows from a failure: one pure decision by its class.

use crate::invoke::InvokeFailure;
use domain::backoff::Backoff;
use domain::failure::FailureClass;
use std::time::Duration;

/// How fast and how often to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub backoff: Backoff,
    /// After so many function errors several records are cut in two to find the one at fault.
    pub suspect_after: u32,
    /// Function errors that a record may be part of, all owners and all cuts together, before it is set aside alone.
    pub attempts: u32,
}

/// Where the records of a failed call stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Failures in a row, from 1; a verdict or a cut ends the row.
    pub failures: u32,
    /// Function errors that they were part of, with this one.
    pub suspicion: u32,
    pub records: usize,
}

/// What to do with the records of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// The same records again, in the same order, after a wait.
    Again(Duration),
    /// Two halves, in order, after a wait.
    Split(Duration),
    /// One record that is too large, or at which the function fails, by itself: a dead letter.
    SetAside,
    /// Our own configuration or rights: alarm, keep everything, and look again after a wait.
    Alarm(Duration),
}

impl Pace {
    /// Decides; `unit` is uniform in 0..=1.
    ///
    /// To find k records at fault out of n costs about 2 k log2(n) calls, because what failed once too often is cut at every failure.
    pub fn after(&self, failure: &InvokeFailure, trouble: Trouble, unit: f64) -> Move {
        let wait = self.backoff.delay(trouble.failures, unit, failure.retry_after);
        let (alone, suspicion) = (trouble.records <= 1, trouble.suspicion);
        match failure.class {
            FailureClass::Throttled | FailureClass::Transient => Move::Again(wait),
            FailureClass::FunctionError if alone && suspicion >= self.attempts => Move::SetAside,
            FailureClass::FunctionError if !alone && suspicion >= self.suspect_after => Move::Split(wait),
            FailureClass::FunctionError => Move::Again(wait),
            FailureClass::TooLarge if alone => Move::SetAside,
            FailureClass::TooLarge => Move::Split(Duration::ZERO),
            // No invoker rejects a whole call; if one did, that would be a mistake of ours and no verdict on a record.
            FailureClass::Ours | FailureClass::Rejected => Move::Alarm(self.backoff.cap),
        }
    }

    /// The failure that sets a record aside without another call, because it was part of as many as it may be.
    pub fn used_up(&self, suspicion: u32, records: usize) -> Option<InvokeFailure> {
        let detail = || format!("the function failed at it {suspicion} times, for owners before this one too");
        (records == 1 && suspicion >= self.attempts).then(|| InvokeFailure::new(FailureClass::FunctionError, detail()))
    }

    /// How long to wait before a dead letter or a `retry` verdict is tried again.
    pub fn wait(&self, failures: u32, unit: f64) -> Duration {
        self.backoff.delay(failures, unit, None)
    }
}

/// How often a batch of so many records is cut until one is alone.
pub fn cuts(records: usize) -> u32 {
    records.max(1).next_power_of_two().trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::{Move, Pace, Trouble, cuts};
    use crate::invoke::InvokeFailure;
    use domain::backoff::Backoff;
    use domain::failure::FailureClass;
    use std::time::Duration;

    const BACKOFF: Backoff = Backoff { base: Duration::from_millis(100), cap: Duration::from_secs(20) };
    const PACE: Pace = Pace { backoff: BACKOFF, suspect_after: 2, attempts: 12 };

    fn after(class: FailureClass, failures: u32, records: usize) -> Move {
        trouble(class, Trouble { failures, suspicion: 0, records })
    }

    fn trouble(class: FailureClass, trouble: Trouble) -> Move {
        PACE.after(&InvokeFailure::new(class, "x"), trouble, 1.0)
    }

    #[test]
    fn backpressure_and_failures_never_set_a_record_aside() {
        for class in [FailureClass::Throttled, FailureClass::Transient] {
            assert_eq!(after(class, 1, 1), Move::Again(Duration::from_millis(100)));
            assert_eq!(after(class, 1_000, 1), Move::Again(Duration::from_secs(20)));
        }
        for class in [FailureClass::Ours, FailureClass::Rejected] {
            assert_eq!(after(class, 1, 500), Move::Alarm(Duration::from_secs(20)));
        }
    }

    #[test]
    fn only_a_single_record_that_is_too_large_is_set_aside() {
        assert_eq!(after(FailureClass::TooLarge, 1, 2), Move::Split(Duration::ZERO));
        assert_eq!(after(FailureClass::TooLarge, 1, 1), Move::SetAside);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept() {
        let asked = InvokeFailure {
            retry_after: Some(Duration::from_secs(9)),
            ..InvokeFailure::new(FailureClass::Throttled, "x")
        };
        let trouble = Trouble { failures: 1, suspicion: 0, records: 1 };
        assert_eq!(PACE.after(&asked, trouble, 0.0), Move::Again(Duration::from_secs(9)));
    }

    #[test]
    fn a_function_error_is_tried_again_then_cut_and_set_aside_alone_at_last() {
        let step =
            |suspicion, records| trouble(FailureClass::FunctionError, Trouble { failures: 1, suspicion, records });
        let wait = Duration::from_millis(100);
        assert_eq!(
            (step(1, 500), step(2, 500), step(90, 2)),
            (Move::Again(wait), Move::Split(wait), Move::Split(wait))
        );
        assert_eq!(
            (step(2, 1), step(11, 1), step(12, 1), step(13, 1)),
            (Move::Again(wait), Move::Again(wait), Move::SetAside, Move::SetAside)
        );
    }

    proptest::proptest! {
        /// However a batch of up to 10,000 records is cut, a record at fault is part of at most `attempts` failed calls when the configuration
        /// leaves room for the cuts, and is alone at the end.
        #[test]
        fn no_record_is_tried_more_often_than_allowed(records in 1_usize..10_000, first in 1_u32..6, spare in 0_u32..6) {
            let pace = Pace { backoff: BACKOFF, suspect_after: first, attempts: first + cuts(records) + spare };
            let (mut left, mut suspicion) = (records, 0);
            loop {
                suspicion += 1;
                let failure = InvokeFailure::new(FailureClass::FunctionError, "x");
                match pace.after(&failure, Trouble { failures: 1, suspicion, records: left }, 1.0) {
                    // The larger half is the worse case.
                    Move::Split(_) => left = left.div_ceil(2),
                    Move::SetAside => break,
                    next => proptest::prop_assert!(matches!(next, Move::Again(_)), "{next:?}"),
                }
            }
            proptest::prop_assert!(left == 1 && suspicion == pace.attempts, "{left} records, {suspicion} failures");
        }
    }
}
