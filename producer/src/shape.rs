//! Load shapes as a profile writes them: how the rate goes over time. Pure: no clock and no randomness.
//!
//! Each shape draws its [`Curve`], which says when event `i` is due. A new shape is one file with its settings and its
//! [`Form`], and three lines here: its module, its name, its variant with the arm in `form`.

mod burst;
mod climb;
mod constant;
mod curve;
mod day_curve;
mod ramp;
mod sine;
mod step;

pub use burst::Burst;
pub use climb::Climb;
pub use constant::Constant;
pub use curve::Curve;
pub use day_curve::DayCurve;
pub use ramp::Ramp;
pub use sine::Sine;
pub use step::{Step, Steps};

use runtime::config::Span;
use serde::{Deserialize, Serialize};

/// The load shapes, as they stand in a profile: `kind = "constant"`, `"day-curve"` and so on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Shape {
    Constant(Constant),
    Ramp(Ramp),
    Step(Steps),
    Burst(Burst),
    Sine(Sine),
    DayCurve(DayCurve),
    Climb(Climb),
}

/// What every shape can do.
trait Form {
    /// The rate over time.
    fn curve(&self) -> Curve;

    /// The same form with every rate multiplied by `factor`.
    fn scaled(&self, factor: f64) -> Shape;

    /// Refuses rates and times that make no load.
    fn validate(&self) -> Result<(), BadShape>;
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
    fn form(&self) -> &dyn Form {
        match self {
            Self::Constant(shape) => shape,
            Self::Ramp(shape) => shape,
            Self::Step(shape) => shape,
            Self::Burst(shape) => shape,
            Self::Sine(shape) => shape,
            Self::DayCurve(shape) => shape,
            Self::Climb(shape) => shape,
        }
    }

    /// The rate over time, and when each event is due; drawn once for a run.
    pub fn curve(&self) -> Curve {
        self.form().curve()
    }

    /// The highest rate that the shape ever reaches, events/s.
    pub fn peak(&self) -> f64 {
        self.curve().peak()
    }

    /// The same shape with every rate multiplied, so that its highest rate is `peak` events/s.
    pub fn scaled_to(&self, peak: f64) -> Self {
        self.form().scaled(peak / self.peak())
    }

    /// Refuses rates and times that make no load.
    ///
    /// # Errors
    /// The setting, what it is and what is allowed.
    pub fn validate(&self) -> Result<(), BadShape> {
        self.form().validate()
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

fn lasting(setting: impl Into<String>, span: Span) -> Result<(), BadShape> {
    if span.get().is_zero() {
        return Err(BadShape::new(setting, span, "a time above zero, for example \"30s\""));
    }
    Ok(())
}
