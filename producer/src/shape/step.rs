//! One rate after another, each for its time; the last one holds.

use super::curve::Line;
use super::{BadShape, Curve, Form, Shape, lasting, positive, zero_or_positive};
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

impl Form for Steps {
    fn curve(&self) -> Curve {
        let flat = |step: &Step| Line::flat(step.length.get().as_secs_f64(), step.rate);
        let lines: Vec<Line> = self.steps.iter().map(flat).collect();
        Curve::holding(&lines, self.steps.last().map_or(0.0, |step| step.rate))
    }

    fn scaled(&self, factor: f64) -> Shape {
        let scale = |step: &Step| Step { rate: step.rate * factor, length: step.length };
        Shape::Step(Self { steps: self.steps.iter().map(scale).collect() })
    }

    fn validate(&self) -> Result<(), BadShape> {
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
            lasting(format!("steps[{place}].for"), step.length)?;
        }
        Ok(())
    }
}
