//! The signs of one function: whom it answered, at what it failed, and which failures were none of the records' fault. Pure.

use std::time::Duration;

/// A function that is called and answers nobody for so long fails at all; with its next answer it is well again.
const SILENCE: Duration = Duration::from_secs(1);
/// So many of the last answers and whims are remembered, the older the less.
const MEMORY: f64 = 64.0;
/// The share of whims from which on a failure says nothing about the record.
const MOST_WHIMS: f64 = 1.0 / 16.0;

/// When the function failed at some records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(Duration);

/// What a function did for others between two of its failures at the same records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It answered somebody.
    Answered,
    /// It failed at others too, and answered nobody for a while.
    FailedAtAll,
    /// Nothing that would tell.
    Nothing,
}

/// See the head of the file.
///
/// A failure whose very records are answered later was a *whim*: it came from the function alone. Their share among answers and whims is
/// about the chance that the next call of good records fails.
#[derive(Debug, Clone, Default)]
pub struct Signs {
    /// When somebody was answered last.
    answer: Option<Duration>,
    /// When it failed last at records that are not known to be at fault.
    error: Option<Duration>,
    whims: f64,
    /// Since when calls have failed and none was answered.
    silent_since: Option<Duration>,
}

impl Signs {
    /// Records are finished, at which the function had failed `errors` times. True when it is well again by that.
    pub fn answered(&mut self, errors: u32, now: Duration) -> bool {
        self.answer = Some(now);
        (0..errors.min(MEMORY as u32)).for_each(|_| self.remember(1.0));
        self.remember(0.0);
        self.silent_since.take().is_some_and(|since| now.saturating_sub(since) >= SILENCE)
    }

    /// A call failed that says nothing about records.
    pub fn failed(&mut self, now: Duration) {
        self.silent_since.get_or_insert(now);
    }

    /// The function failed at records; see [`super::Pulse::failed_at`].
    pub fn failed_at(&mut self, before: Option<Mark>, known: bool, now: Duration) -> (Heard, Mark) {
        let heard = before.map_or(Heard::Nothing, |before| self.since(before, now));
        self.failed(now);
        if !known {
            self.error = Some(now);
        }
        (heard, Mark(now))
    }

    /// For records at which the function failed when they were another owner's: until a moment ago, for nobody knows until when.
    pub fn inherited(now: Duration) -> Mark {
        Mark(now.saturating_sub(SILENCE))
    }

    /// Whether failures come from records, as far as one can see.
    pub fn is_steady(&self) -> bool {
        self.whims <= MOST_WHIMS
    }

    fn since(&self, Mark(before): Mark, now: Duration) -> Heard {
        let later = |at: Option<Duration>| at.is_some_and(|at| at > before);
        let is_silent = || self.answer.is_none_or(|answer| now.saturating_sub(answer) >= SILENCE);
        if later(self.answer) {
            Heard::Answered
        } else if later(self.error) && is_silent() {
            Heard::FailedAtAll
        } else {
            Heard::Nothing
        }
    }

    fn remember(&mut self, whim: f64) {
        self.whims += (whim - self.whims) / MEMORY;
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, SILENCE, Signs};
    use std::time::Duration;

    const NOW: Duration = Duration::from_secs(100);

    #[test]
    fn what_happened_to_others_is_told_and_not_what_happened_to_the_records_themselves() {
        let (mut signs, at) = (Signs::default(), |second| NOW + Duration::from_secs(second));
        let (first, mark) = signs.failed_at(None, false, at(0));
        let (again, mark) = signs.failed_at(Some(mark), false, at(1));
        assert_eq!((first, again), (Heard::Nothing, Heard::Nothing));
        signs.failed_at(None, true, at(2));
        let (known, mark) = signs.failed_at(Some(mark), false, at(3));
        assert_eq!(known, Heard::Nothing, "another poison record says nothing about this one");
        signs.failed_at(None, false, at(4));
        let (others, mark) = signs.failed_at(Some(mark), false, at(5));
        assert_eq!(others, Heard::FailedAtAll);
        signs.failed_at(None, false, at(6));
        signs.answered(0, at(7));
        assert_eq!(signs.failed_at(Some(mark), false, at(8)).0, Heard::Answered);
        let (_, mark) = signs.failed_at(None, true, at(7));
        signs.failed_at(None, false, at(7) + SILENCE / 4);
        assert_eq!(signs.clone().failed_at(Some(mark), false, at(7) + SILENCE / 2).0, Heard::Nothing, "for a moment");
        assert_eq!(signs.failed_at(Some(mark), false, at(8)).0, Heard::FailedAtAll);
        assert_eq!(signs.failed_at(Some(Signs::inherited(at(9))), true, at(9)).0, Heard::Nothing);
        signs.answered(0, at(9));
        assert_eq!(signs.failed_at(Some(Signs::inherited(at(9))), false, at(9)).0, Heard::Answered);
    }

    #[test]
    fn it_is_well_again_with_the_first_answer_after_a_silence_in_which_it_was_called() {
        let mut signs = Signs::default();
        assert!(!signs.answered(0, NOW), "nobody called");
        signs.failed(NOW * 2);
        signs.failed(NOW * 2 + SILENCE / 2);
        assert!(!signs.clone().answered(0, NOW * 2 + SILENCE / 2), "no silence yet");
        assert!(signs.answered(0, NOW * 2 + SILENCE));
        assert!(!signs.answered(0, NOW * 3), "it was well before");
    }

    #[test]
    fn whims_make_it_unsteady_until_enough_answers_came_without() {
        let mut signs = Signs::default();
        (0..1_000).for_each(|_| _ = signs.answered(0, NOW));
        (0..30).for_each(|_| _ = signs.failed_at(None, false, NOW));
        assert!(signs.is_steady(), "failures at records that were never answered are no whims");
        signs.answered(u32::MAX, NOW);
        assert!(!signs.is_steady());
        let answers = (0..1_000).find(|_| {
            signs.answered(0, NOW);
            signs.is_steady()
        });
        assert!((100..200).contains(&answers.unwrap()), "{answers:?}");
    }

    /// A function that fails so often, whatever it gets, and the share of the time in which it passes for steady.
    fn steady(chance: f64) -> f64 {
        let (mut signs, mut seed, mut errors, mut steady) = (Signs::default(), 7_u64, 0, 0);
        for _ in 0..100_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if ((seed >> 33) as f64) < chance * f64::from(1_u32 << 31) {
                errors += 1;
            } else {
                signs.answered(errors, NOW);
                errors = 0;
            }
            steady += u32::from(signs.is_steady());
        }
        f64::from(steady) / 100_000.0
    }

    #[test]
    fn a_function_that_fails_at_random_is_not_steady_and_one_that_hardly_does_is() {
        assert!(steady(0.01) > 0.99 && steady(0.3) < 0.001 && steady(0.9) < 0.001);
    }
}
