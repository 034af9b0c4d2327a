//! When event i is due: load shapes as pure functions of time, no clock and no randomness.
//!
//! A shape gives a rate over time. The number of events due up to a time is the integral of that rate, and event `i`
//! (counted from 0) is due when the integral reaches `i`. A new shape is one file with `count` and `due`, and one line here.

mod climb;
mod constant;
mod ramp;
mod step;

pub use climb::Climb;
pub use constant::Constant;
pub use ramp::Ramp;
pub use step::{Step, Steps};

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The load shapes, as they stand in a profile: `kind = "constant"`, `"ramp"`, `"step"` or `"climb"`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Shape {
    Constant(Constant),
    Ramp(Ramp),
    Step(Steps),
    Climb(Climb),
}

/// Why a shape makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("shape.{setting} is {found}, allowed is {allowed}")]
pub struct BadShape {
    pub setting: String,
    pub found: String,
    pub allowed: &'static str,
}

impl BadShape {
    fn new(setting: impl Into<String>, found: impl ToString, allowed: &'static str) -> Self {
        Self { setting: setting.into(), found: found.to_string(), allowed }
    }
}

/// No run is planned for more events per second than this.
pub const HIGHEST_RATE: f64 = 10_000_000.0;

impl Shape {
    /// When event `index` is due, counted from the start of the run. Never decreases with `index`.
    pub fn due(&self, index: u64) -> Duration {
        let events = index as f64;
        let seconds = match self {
            Self::Constant(shape) => shape.due(events),
            Self::Ramp(shape) => shape.due(events),
            Self::Step(shape) => shape.due(events),
            Self::Climb(shape) => shape.due(events),
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// How many events are due before `until`: exactly the indexes whose `due` is smaller.
    pub fn count(&self, until: Duration) -> u64 {
        let seconds = until.as_secs_f64();
        let estimate = match self {
            Self::Constant(shape) => shape.count(seconds),
            Self::Ramp(shape) => shape.count(seconds),
            Self::Step(shape) => shape.count(seconds),
            Self::Climb(shape) => shape.count(seconds),
        };
        let mut count = estimate.ceil().max(0.0) as u64;
        while count > 0 && self.due(count - 1) >= until {
            count -= 1;
        }
        while self.due(count) < until {
            count += 1;
        }
        count
    }

    /// The highest rate that the shape ever reaches, events/s.
    pub fn peak(&self) -> f64 {
        match self {
            Self::Constant(shape) => shape.rate,
            Self::Ramp(shape) => shape.from.max(shape.to),
            Self::Step(shape) => shape.steps.iter().map(|step| step.rate).fold(0.0, f64::max),
            Self::Climb(shape) => shape.highest,
        }
    }

    /// The same shape with every rate multiplied, so that its highest rate is `peak` events/s.
    pub fn scaled_to(&self, peak: f64) -> Self {
        let factor = peak / self.peak();
        match self {
            Self::Constant(shape) => Self::Constant(shape.scaled(factor)),
            Self::Ramp(shape) => Self::Ramp(shape.scaled(factor)),
            Self::Step(shape) => Self::Step(shape.scaled(factor)),
            Self::Climb(shape) => Self::Climb(shape.scaled(factor)),
        }
    }

    /// Refuses rates and times that make no load.
    ///
    /// # Errors
    /// The setting, what it is and what is allowed.
    pub fn validate(&self) -> Result<(), BadShape> {
        match self {
            Self::Constant(shape) => shape.validate(),
            Self::Ramp(shape) => shape.validate(),
            Self::Step(shape) => shape.validate(),
            Self::Climb(shape) => shape.validate(),
        }
    }

    /// The climb, when the shape is one.
    pub fn climb(&self) -> Option<&Climb> {
        if let Self::Climb(climb) = self { Some(climb) } else { None }
    }
}

fn positive(setting: impl Into<String>, rate: f64) -> Result<(), BadShape> {
    if rate > 0.0 && rate <= HIGHEST_RATE {
        return Ok(());
    }
    Err(BadShape::new(setting, rate, "above 0 and up to 10,000,000 events/s"))
}

fn zero_or_positive(setting: impl Into<String>, rate: f64) -> Result<(), BadShape> {
    if (0.0..=HIGHEST_RATE).contains(&rate) {
        return Ok(());
    }
    Err(BadShape::new(setting, rate, "0 to 10,000,000 events/s"))
}
