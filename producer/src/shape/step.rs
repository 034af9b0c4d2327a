//! One rate after another, each for its time; the last one holds.

use super::{BadShape, positive, zero_or_positive};
use runtime::config::Span;
use serde::{Deserialize, Serialize};

/// The steps in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    pub steps: Vec<Step>,
}

/// `rate` events/s (0 is a pause) for a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub rate: f64,
    #[serde(rename = "for")]
    pub length: Span,
}

impl Step {
    fn seconds(&self) -> f64 {
        self.length.get().as_secs_f64()
    }
}

impl Steps {
    fn last_rate(&self) -> f64 {
        self.steps.last().map_or(0.0, |step| step.rate)
    }

    /// Events due in the first `seconds`.
    pub(super) fn count(&self, seconds: f64) -> f64 {
        let (mut left, mut events) = (seconds, 0.0);
        for step in &self.steps {
            let length = left.min(step.seconds());
            events += step.rate * length;
            left -= length;
        }
        events + self.last_rate() * left
    }

    /// Seconds until `events` are due. An event that falls on a border belongs to the next step that has a rate.
    pub(super) fn due(&self, events: f64) -> f64 {
        let (mut left, mut seconds) = (events, 0.0);
        for step in &self.steps {
            let room = step.rate * step.seconds();
            if left < room {
                return seconds + left / step.rate;
            }
            left -= room;
            seconds += step.seconds();
        }
        seconds + left / self.last_rate()
    }

    pub(super) fn scaled(&self, factor: f64) -> Self {
        let scale = |step: &Step| Step { rate: step.rate * factor, length: step.length };
        Self { steps: self.steps.iter().map(scale).collect() }
    }

    pub(super) fn validate(&self) -> Result<(), BadShape> {
        let Some(last) = self.steps.len().checked_sub(1) else {
            return Err(BadShape::new("steps", "empty", "at least one { rate = .., for = \"..\" }"));
        };
        for (place, step) in self.steps.iter().enumerate() {
            let setting = format!("steps[{place}].rate");
            if place == last {
                positive(setting, step.rate)?
            } else {
                zero_or_positive(setting, step.rate)?
            }
            if step.length.get().is_zero() {
                return Err(BadShape::new(
                    format!("steps[{place}].for"),
                    "0",
                    "a time above zero, for example \"10s\"",
                ));
            }
        }
        Ok(())
    }
}
