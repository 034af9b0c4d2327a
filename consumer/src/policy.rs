//! What follows from a failure: one pure decision by its class.

use crate::invoke::InvokeFailure;
use crate::pulse::Heard;
use crate::suspect::Blame;
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

/// So often the function must have answered others between two failures of a record before the record is at fault.
const PROOFS: u32 = 2;
/// So many failures in a row of a record alone, while nobody is answered, are worth telling people.
const TOLD_AFTER: u32 = 4;

/// Where the records of a failed call stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// Failures in a row, from 1; a verdict or a cut ends the row.
    pub failures: u32,
    /// What is held against them, with this failure.
    pub blame: Blame,
    pub records: usize,
    /// What the function did for others since it failed at these records before.
    pub heard: Heard,
    /// The function fails only where records are at fault.
    pub steady: bool,
}

/// What to do with the records of a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// The same records again, in the same order, after a wait.
    Again(Duration),
    /// Two halves, in order, after a wait.
    Split(Duration),
    /// One record that is too large, or at which the function fails and at others not: a dead letter.
    SetAside,
    /// One record at which the function fails, and nothing shows that the record is at fault: it keeps its place, is tried again after a
    /// wait, and people are told.
    Hold(Duration),
    /// Our own configuration or rights: alarm, keep everything, and look again after a wait.
    Alarm(Duration),
}

impl Pace {
    /// Decides; `unit` is uniform in 0..=1.
    ///
    /// To find k records at fault out of n costs about 2 k log2(n) calls, because what failed once too often is cut at every failure.
    pub fn after(&self, failure: &InvokeFailure, trouble: Trouble, unit: f64) -> Move {
        let wait = self.backoff.delay(trouble.failures, unit, failure.retry_after);
        let alone = trouble.records <= 1;
        match failure.class {
            FailureClass::Throttled | FailureClass::Transient => Move::Again(wait),
            FailureClass::FunctionError if alone => self.after_alone(trouble, wait),
            FailureClass::FunctionError if trouble.blame.failures >= self.suspect_after => Move::Split(wait),
            FailureClass::FunctionError => Move::Again(wait),
            FailureClass::TooLarge if alone => Move::SetAside,
            FailureClass::TooLarge => Move::Split(Duration::ZERO),
            // No invoker rejects a whole call; if one did, that would be a mistake of ours and no verdict on a record.
            FailureClass::Ours | FailureClass::Rejected => Move::Alarm(self.backoff.cap),
        }
    }

    fn after_alone(&self, trouble: Trouble, wait: Duration) -> Move {
        let Trouble { failures, blame, heard, steady, .. } = trouble;
        let used_up = blame.failures >= self.attempts;
        if used_up && self.is_proved(blame) && steady && heard != Heard::FailedAtAll {
            Move::SetAside
        } else if used_up || heard == Heard::FailedAtAll && failures >= TOLD_AFTER {
            Move::Hold(wait)
        } else {
            Move::Again(wait)
        }
    }

    /// What is held against records after one more function error. A failure of one record counts for nothing while the function fails at
    /// everybody; several are cut all the same, for it may be their number.
    pub fn blamed(&self, blame: Blame, records: usize, heard: Heard) -> Blame {
        let alone = records <= 1;
        if alone && heard == Heard::FailedAtAll {
            return blame;
        }
        let most = if alone { self.attempts.max(blame.failures) } else { u32::MAX };
        let proofs = blame.proofs + u32::from(heard == Heard::Answered);
        Blame { failures: blame.failures.saturating_add(1).min(most), proofs: proofs.min(self.proofs()), ..blame }
    }

    /// Whether the function answered others often enough between failures of these records.
    pub fn is_proved(&self, blame: Blame) -> bool {
        blame.proofs >= self.proofs()
    }

    fn proofs(&self) -> u32 {
        // Between so many failures there is room for one proof less.
        PROOFS.min(self.attempts.saturating_sub(1)).max(1)
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
    use crate::pulse::Heard;
    use crate::suspect::Blame;
    use domain::backoff::Backoff;
    use domain::failure::FailureClass;
    use proptest::prelude::*;
    use std::time::Duration;

    const BACKOFF: Backoff = Backoff { base: Duration::from_millis(100), cap: Duration::from_secs(20) };
    const PACE: Pace = Pace { backoff: BACKOFF, suspect_after: 2, attempts: 12 };
    const WAIT: Duration = Duration::from_millis(100);
    const TROUBLE: Trouble = Trouble {
        failures: 1,
        blame: Blame { failures: 0, proofs: 0, condemned: false },
        records: 1,
        heard: Heard::Nothing,
        steady: true,
    };

    fn after(class: FailureClass, trouble: Trouble) -> Move {
        PACE.after(&InvokeFailure::new(class, "x"), trouble, 1.0)
    }

    /// After so many function errors and proofs.
    fn step(failures: u32, proofs: u32, rest: Trouble) -> Move {
        after(FailureClass::FunctionError, Trouble { blame: Blame { failures, proofs, condemned: false }, ..rest })
    }

    #[test]
    fn backpressure_and_failures_never_set_a_record_aside() {
        for class in [FailureClass::Throttled, FailureClass::Transient] {
            assert_eq!(after(class, TROUBLE), Move::Again(WAIT));
            assert_eq!(after(class, Trouble { failures: 1_000, ..TROUBLE }), Move::Again(BACKOFF.cap));
        }
        for class in [FailureClass::Ours, FailureClass::Rejected] {
            assert_eq!(after(class, Trouble { records: 500, ..TROUBLE }), Move::Alarm(BACKOFF.cap));
        }
    }

    #[test]
    fn only_a_single_record_that_is_too_large_is_set_aside() {
        assert_eq!(after(FailureClass::TooLarge, Trouble { records: 2, ..TROUBLE }), Move::Split(Duration::ZERO));
        assert_eq!(after(FailureClass::TooLarge, TROUBLE), Move::SetAside);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_kept() {
        let asked = InvokeFailure {
            retry_after: Some(Duration::from_secs(9)),
            ..InvokeFailure::new(FailureClass::Throttled, "x")
        };
        assert_eq!(PACE.after(&asked, TROUBLE, 0.0), Move::Again(Duration::from_secs(9)));
    }

    #[test]
    fn a_function_error_is_tried_again_then_cut_and_set_aside_alone_at_last() {
        let several = Trouble { records: 500, ..TROUBLE };
        assert_eq!(
            [step(1, 0, several), step(2, 0, several), step(90, 2, several)],
            [Move::Again(WAIT), Move::Split(WAIT), Move::Split(WAIT)]
        );
        assert_eq!([step(2, 2, TROUBLE), step(11, 2, TROUBLE)], [Move::Again(WAIT); 2]);
        assert_eq!([step(12, 2, TROUBLE), step(13, 2, TROUBLE)], [Move::SetAside; 2]);
    }

    #[test]
    fn a_record_is_held_as_long_as_it_may_be_the_function() {
        let held = |proofs, heard, steady| step(12, proofs, Trouble { heard, steady, ..TROUBLE }) == Move::Hold(WAIT);
        assert!(held(1, Heard::Answered, true), "nothing proves it");
        assert!(held(2, Heard::FailedAtAll, true), "it fails at all others too");
        assert!(held(2, Heard::Answered, false), "it fails at random");
        assert!(!held(2, Heard::Nothing, true) && !held(2, Heard::Answered, true));
        let early = |failures, heard| step(11, 0, Trouble { failures, heard, ..TROUBLE });
        assert!(matches!(early(3, Heard::FailedAtAll), Move::Again(_)), "nobody is woken for a moment's trouble");
        assert!(matches!(early(4, Heard::FailedAtAll), Move::Hold(_)));
        assert!(matches!(early(4, Heard::Nothing), Move::Again(_)));
    }

    fn heard() -> impl Strategy<Value = Heard> {
        prop::sample::select(vec![Heard::Answered, Heard::FailedAtAll, Heard::Nothing])
    }

    /// How a record at fault fares in the worst case, that its half is always the larger one: what was heard at each failure of it.
    fn fare(pace: Pace, records: usize, heard: impl IntoIterator<Item = Heard>) -> (u32, Blame, Option<Move>) {
        let (mut left, mut blame, mut calls) = (records, Blame::default(), 0);
        for heard in heard {
            calls += 1;
            blame = pace.blamed(blame, left, heard);
            let trouble = Trouble { failures: 1, blame, records: left, heard, steady: true };
            match pace.after(&InvokeFailure::new(FailureClass::FunctionError, "x"), trouble, 1.0) {
                Move::Split(_) => left = left.div_ceil(2),
                Move::Again(_) | Move::Hold(_) => {}
                last => return (calls, blame, Some(last)),
            }
        }
        (calls, blame, None)
    }

    proptest! {
        /// However a batch of up to 10,000 records is cut, a record at fault is part of exactly `attempts` failed calls when the configuration
        /// leaves room for the cuts and the function answers others in between, and is alone at the end.
        #[test]
        fn a_record_at_fault_is_tried_as_often_as_allowed(records in 1_usize..10_000, first in 1_u32..6, spare in 1_u32..6) {
            let pace = Pace { backoff: BACKOFF, suspect_after: first, attempts: first + cuts(records) + spare };
            let (calls, _, last) = fare(pace, records, std::iter::repeat_n(Heard::Answered, 1_000));
            prop_assert_eq!((calls, last), (pace.attempts, Some(Move::SetAside)));
        }

        /// No record is set aside while the function answers nobody, however long that lasts and whatever came before it; and as soon as it
        /// answers others again, what is left of the attempts is all that is needed.
        #[test]
        fn while_nobody_is_answered_no_record_is_set_aside(
            records in 1_usize..1_000,
            before in prop::collection::vec(heard(), 0..6),
            outage in 0_usize..200,
        ) {
            let pace = Pace { backoff: BACKOFF, suspect_after: 2, attempts: 16 };
            let story = before.into_iter().chain(std::iter::repeat_n(Heard::FailedAtAll, outage));
            let (_, blame, last) = fare(pace, records, story.clone());
            prop_assert_eq!(last, None);
            let left = pace.attempts - blame.failures.min(pace.attempts);
            let (calls, _, last) = fare(pace, records, story.chain(std::iter::repeat_n(Heard::Answered, 1_000)));
            prop_assert_eq!(last, Some(Move::SetAside));
            prop_assert!(u64::from(calls) <= outage as u64 + 6 + u64::from(left.max(2)), "{} calls", calls);
        }

        /// One that nobody has vouched for is never set aside, whatever else is heard.
        #[test]
        fn without_proofs_no_record_is_set_aside(records in 1_usize..1_000, silent in prop::collection::vec(any::<bool>(), 0..200)) {
            let pace = Pace { backoff: BACKOFF, suspect_after: 2, attempts: 16 };
            let story = silent.into_iter().map(|silent| if silent { Heard::Nothing } else { Heard::FailedAtAll });
            let (_, blame, last) = fare(pace, records, std::iter::once(Heard::Answered).chain(story));
            prop_assert!(last.is_none() && blame.failures <= pace.attempts, "{:?} {:?}", last, blame);
        }
    }
}
