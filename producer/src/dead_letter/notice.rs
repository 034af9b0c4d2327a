//! Says in the log that records become dead letters, per topic and kind of reason, without a line for each.

use super::DeadLetter;
use crate::repeats::{Repeats, Say};
use domain::failure::FailureClass;
use std::time::Duration;

/// The topic that they were meant for, and why it did not take them.
type Kind = (String, FailureClass);

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Notice(Repeats<Kind>);

impl Notice {
    /// This letter has come in.
    pub(super) fn note(&mut self, letter: &DeadLetter, now: Duration) {
        let kind = (letter.record.topic.clone(), letter.why.class);
        let (topic, class) = (&kind.0, kind.1.as_str());
        let (reason, detail) = (&letter.why.reason, &letter.why.detail);
        let key = String::from_utf8_lossy(&letter.record.key);
        match self.0.note(&kind, now) {
            Some(Say::Begins) => tracing::warn!(topic, class, reason, detail, %key, "records become dead letters"),
            Some(Say::GoesOn { count }) => {
                tracing::warn!(topic, class, reason, count, %key, "more records became dead letters");
            }
            Some(Say::Ended { .. }) | None => {}
        }
    }

    /// Says what has ended.
    pub(super) fn look(&mut self, now: Duration) {
        for ((topic, class), say) in self.0.ended(now) {
            let count = if let Say::Ended { count } = say { count } else { 0 };
            tracing::info!(topic, class = class.as_str(), count, "no more records become dead letters");
        }
    }
}
