//! The same rate all the time.

use super::{BadShape, Curve, Form, Shape, positive};
use serde::{Deserialize, Serialize};

/// `rate` events/s from the first to the last second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    pub rate: f64,
}

impl Form for Constant {
    fn curve(&self) -> Curve {
        Curve::holding(&[], self.rate)
    }

    fn scaled(&self, factor: f64) -> Shape {
        Shape::Constant(Self { rate: self.rate * factor })
    }

    fn validate(&self) -> Result<(), BadShape> {
        positive("rate", self.rate)
    }
}
