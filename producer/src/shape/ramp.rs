//! From one rate to another in a straight line, then on at the second.

use super::{BadShape, positive, zero_or_positive};
use runtime::config::Span;
use serde::{Deserialize, Serialize};

/// Grows (or falls) from `from` to `to` events/s within `over`, then holds `to`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    pub from: f64,
    pub to: f64,
    pub over: Span,
}

impl Ramp {
    fn length(&self) -> f64 {
        self.over.get().as_secs_f64()
    }

    /// Half the change of rate per second: the quadratic term of the integral.
    fn bend(&self) -> f64 {
        (self.to - self.from) / (2.0 * self.length())
    }

    fn count_on_slope(&self, seconds: f64) -> f64 {
        seconds * (self.from + self.bend() * seconds)
    }

    /// Events due in the first `seconds`.
    pub(super) fn count(&self, seconds: f64) -> f64 {
        let slope = seconds.min(self.length());
        self.count_on_slope(slope) + self.to * (seconds - slope)
    }

    /// Seconds until `events` are due: the root of the quadratic in the form that stays exact for a flat or a falling ramp.
    pub(super) fn due(&self, events: f64) -> f64 {
        let on_slope = self.count_on_slope(self.length());
        if events >= on_slope {
            return self.length() + (events - on_slope) / self.to;
        }
        let root = (self.from * self.from + 4.0 * self.bend() * events).max(0.0).sqrt();
        if self.from + root > 0.0 { 2.0 * events / (self.from + root) } else { 0.0 }
    }

    pub(super) fn scaled(&self, factor: f64) -> Self {
        Self { from: self.from * factor, to: self.to * factor, over: self.over }
    }

    pub(super) fn validate(&self) -> Result<(), BadShape> {
        zero_or_positive("from", self.from)?;
        positive("to", self.to)?;
        if self.over.get().is_zero() {
            return Err(BadShape::new("over", "0", "a time above zero, for example \"30s\""));
        }
        Ok(())
    }
}
