//! Silence: how long Kafka has answered nothing, neither the group's client nor the one beside it.
//!
//! The scout asks at least every few seconds, so that an answer is missing soon, also of a consumer that has nothing to read and owns nothing.

use crate::condition::{Condition, Part};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A silence of this length is told: longer than any answer may take, so that one that is late does not count.
const TOLD: Duration = Duration::from_secs(10);

/// See the head of the file.
pub(super) struct Silence {
    condition: Condition,
    heard: Mutex<Duration>,
}

impl Silence {
    pub(super) fn new(condition: Condition, now: Duration) -> Self {
        Self { condition, heard: Mutex::new(now) }
    }

    /// Kafka answered something.
    pub(super) fn heard(&self, now: Duration) {
        let mut heard = self.last();
        *heard = now.max(*heard);
    }

    /// Looks whether it lasts; to be asked often.
    pub(super) fn tick(&self, now: Duration) {
        let since = now.saturating_sub(*self.last());
        if since < TOLD {
            return self.condition.clear(Part::Kafka);
        }
        let seconds = since.as_secs();
        if self.condition.complain(Part::Kafka, format!("Kafka has answered nothing for {seconds} s")) {
            tracing::warn!(seconds, "Kafka answers nothing: the lag is not known, and grows until it does");
        }
    }

    fn last(&self) -> MutexGuard<'_, Duration> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Silence, TOLD};
    use std::time::Duration;

    #[test]
    fn a_silence_is_told_with_its_length_until_something_is_heard() {
        let (condition, begun) = (Condition::default(), Duration::from_secs(100));
        let silence = Silence::new(condition.clone(), begun);
        let told = |span: Duration| {
            silence.tick(begun + span);
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
}
