//! Silence: how long Kafka has answered nothing, neither the group's client nor the one beside it.
//!
//! The scout asks at least every few seconds, so that an answer is missing soon, also of a consumer that has nothing to read and owns nothing.

use crate::condition::{Condition, Part};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A silence of this length is told: longer than any answer may take, so that one that is late does not count.
const TOLD: Duration = Duration::from_secs(10);

/// Two looks that lie so far apart: this process stood still itself, or the machine did, and could hear nothing.
const DEAF: Duration = Duration::from_secs(8);

/// See the head of the file.
pub(super) struct Silence {
    condition: Condition,
    last: Mutex<Last>,
}

struct Last {
    heard: Duration,
    looked: Duration,
}

impl Silence {
    pub(super) fn new(condition: Condition, now: Duration) -> Self {
        Self { condition, last: Mutex::new(Last { heard: now, looked: now }) }
    }

    /// Kafka answered something.
    pub(super) fn heard(&self, now: Duration) {
        let mut last = self.last();
        last.heard = now.max(last.heard);
    }

    /// Looks whether it lasts; to be asked often.
    pub(super) fn tick(&self, now: Duration) {
        let since = {
            let mut last = self.last();
            if now.saturating_sub(last.looked) > DEAF {
                last.heard = now;
            }
            last.looked = now;
            now.saturating_sub(last.heard)
        };
        if since < TOLD {
            return self.condition.clear(Part::Kafka);
        }
        let seconds = since.as_secs();
        if self.condition.complain(Part::Kafka, format!("Kafka has answered nothing for {seconds} s")) {
            tracing::warn!(seconds, "Kafka answers nothing: the lag is not known, and grows until it does");
        }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, DEAF, Silence, TOLD};
    use std::time::Duration;

    #[test]
    fn a_silence_is_told_with_its_length_until_something_is_heard() {
        let (condition, begun) = (Condition::default(), Duration::from_secs(100));
        let silence = Silence::new(condition.clone(), begun);
        let mut now = begun;
        let mut told = |span: Duration| {
            while now < begun + span {
                now = (begun + span).min(now + DEAF);
                silence.tick(now);
            }
            condition.why()
        };
        assert_eq!(told(TOLD - Duration::from_millis(1)), None);
        assert_eq!(told(TOLD).unwrap(), "Kafka has answered nothing for 10 s");
        assert_eq!(told(TOLD * 12).unwrap(), "Kafka has answered nothing for 120 s");
        silence.heard(begun + TOLD * 12);
        silence.heard(begun);
        assert_eq!(told(TOLD * 13 - Duration::from_millis(1)), None);
        assert!(told(TOLD * 13).is_some());
    }

    #[test]
    fn who_stood_still_itself_hears_first() {
        let condition = Condition::default();
        let silence = Silence::new(condition.clone(), Duration::ZERO);
        silence.tick(TOLD * 60);
        assert_eq!(condition.why(), None);
        (1..=TOLD.as_secs()).for_each(|second| silence.tick(TOLD * 60 + Duration::from_secs(second)));
        assert!(condition.why().is_some());
    }
}
