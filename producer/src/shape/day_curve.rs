//! A day by its hours, as long as one wants it to be.

use super::curve::Line;
use super::{BadShape, Curve, Form, Shape, lasting, zero_or_positive};
use runtime::config::Span;
use serde::{Deserialize, Serialize};

/// The rate at the full hours, in a straight line from each to the next, day after day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayCurve {
    /// 24 rates, events/s: at 0:00, 1:00 and so on; the run starts at 0:00.
    pub hours: Vec<f64>,
    /// How long a day takes: `"24m"` is a day in 24 minutes.
    #[serde(default = "whole_day")]
    pub day: Span,
}

const HOURS: usize = 24;

fn whole_day() -> Span {
    Span::from_secs(86_400)
}

impl Form for DayCurve {
    fn curve(&self) -> Curve {
        let seconds = self.day.get().as_secs_f64() / self.hours.len() as f64;
        let next = self.hours.iter().cycle().skip(1);
        let line = |(from, to): (&f64, &f64)| Line { seconds, from: *from, to: *to };
        Curve::repeating(&self.hours.iter().zip(next).map(line).collect::<Vec<_>>())
    }

    fn scaled(&self, factor: f64) -> Shape {
        Shape::DayCurve(Self { hours: self.hours.iter().map(|rate| rate * factor).collect(), day: self.day })
    }

    fn validate(&self) -> Result<(), BadShape> {
        if self.hours.len() != HOURS {
            let found = format!("a list of {}", self.hours.len());
            return Err(BadShape::new("hours", found, "a list of 24 rates in events/s, from 0:00 on"));
        }
        for (hour, rate) in self.hours.iter().enumerate() {
            zero_or_positive(format!("hours[{hour}]"), *rate)?;
        }
        if self.hours.iter().all(|rate| *rate == 0.0) {
            return Err(BadShape::new("hours", "0 all day", "a rate above 0 in at least one hour"));
        }
        lasting("day", self.day)
    }
}
