//! A wave between a low and a high rate.

use super::curve::Line;
use super::{BadShape, Curve, Form, Shape, lasting, positive, zero_or_positive};
use runtime::config::Span;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Starts at `low`, is at `high` after half a `period`, and back at `low` after a whole one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sine {
    pub low: f64,
    pub high: f64,
    pub period: Span,
}

/// The wave is followed in so many straight pieces a period: never further from it than 0.01 % of its height.
const PIECES: u32 = 256;

impl Form for Sine {
    fn curve(&self) -> Curve {
        let seconds = self.period.get().as_secs_f64() / f64::from(PIECES);
        let height = |piece: u32| (1.0 - (f64::from(piece) / f64::from(PIECES) * TAU).cos()) / 2.0;
        let rate = |piece: u32| self.low + (self.high - self.low) * height(piece);
        let line = |piece: u32| Line { seconds, from: rate(piece), to: rate(piece + 1) };
        Curve::repeating(&(0..PIECES).map(line).collect::<Vec<_>>())
    }

    fn scaled(&self, factor: f64) -> Shape {
        Shape::Sine(Self { low: self.low * factor, high: self.high * factor, period: self.period })
    }

    fn validate(&self) -> Result<(), BadShape> {
        zero_or_positive("low", self.low)?;
        positive("high", self.high)?;
        lasting("period", self.period)?;
        if self.low > self.high {
            return Err(BadShape::new("low", self.low, "up to shape.high"));
        }
        Ok(())
    }
}
