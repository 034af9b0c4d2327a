//! From one rate to another in a straight line, then on at the second.

use super::curve::Line;
use super::{BadShape, Curve, Form, Shape, lasting, positive, zero_or_positive};
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

impl Form for Ramp {
    fn curve(&self) -> Curve {
        let slope = Line { seconds: self.over.get().as_secs_f64(), from: self.from, to: self.to };
        Curve::holding(&[slope], self.to)
    }

    fn scaled(&self, factor: f64) -> Shape {
        Shape::Ramp(Self { from: self.from * factor, to: self.to * factor, over: self.over })
    }

    fn validate(&self) -> Result<(), BadShape> {
        zero_or_positive("from", self.from)?;
        positive("to", self.to)?;
        lasting("over", self.over)
    }
}
