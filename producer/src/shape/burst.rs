//! A quiet rate with bursts at even intervals.

use super::curve::Line;
use super::{BadShape, Curve, Form, Shape, lasting, positive, zero_or_positive};
use runtime::config::Span;
use serde::{Deserialize, Serialize};

/// `rate` events/s (0 is silence), and `burst` events/s for the last part of every interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Burst {
    pub rate: f64,
    pub burst: f64,
    /// How long a burst lasts.
    #[serde(rename = "for")]
    pub length: Span,
    /// From the start of the run to the end of the first burst, and from there to the end of the next.
    pub every: Span,
}

impl Form for Burst {
    fn curve(&self) -> Curve {
        let quiet = self.every.get().saturating_sub(self.length.get());
        let burst = Line::flat(self.length.get().as_secs_f64(), self.burst);
        Curve::repeating(&[Line::flat(quiet.as_secs_f64(), self.rate), burst])
    }

    fn scaled(&self, factor: f64) -> Shape {
        Shape::Burst(Self { rate: self.rate * factor, burst: self.burst * factor, ..self.clone() })
    }

    fn validate(&self) -> Result<(), BadShape> {
        zero_or_positive("rate", self.rate)?;
        positive("burst", self.burst)?;
        lasting("for", self.length)?;
        if self.every <= self.length {
            return Err(BadShape::new("every", self.every, "longer than shape.for"));
        }
        Ok(())
    }
}
