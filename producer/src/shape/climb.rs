//! Higher from step to step until a limit is passed: finds the highest rate that holds.

use super::curve::Line;
use super::{BadShape, Curve, Form, HIGHEST_RATE, Shape, lasting, positive};
use runtime::config::Span;
use serde::{Deserialize, Serialize};
use std::fmt;

/// From `start` events/s, step by step, up to `highest`; a step lasts `every`. The limits end the climb early.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Climb {
    pub start: f64,
    /// A step's rate over that of the step before; this or `add`.
    #[serde(default)]
    pub factor: Option<f64>,
    /// Events/s that a step has more than the one before; this or `factor`.
    #[serde(default)]
    pub add: Option<f64>,
    pub every: Span,
    /// The rate of the last step.
    pub highest: f64,
    /// So long from its start a step is not measured: queues and batches find their new size.
    #[serde(default = "settle")]
    pub settle: Span,
    /// The highest acknowledgement p99 of a step that holds.
    pub ack_p99: Span,
    /// The most unanswered events at the end of a step that holds.
    pub queue: u64,
}

fn settle() -> Span {
    Span::from_secs(1)
}

const MOST_STEPS: usize = 1_000;

impl Form for Climb {
    fn curve(&self) -> Curve {
        let seconds = self.every.get().as_secs_f64();
        let steps: Vec<Line> = self.rates().map(|rate| Line::flat(seconds, rate)).collect();
        Curve::holding(&steps, self.highest)
    }

    fn scaled(&self, factor: f64) -> Shape {
        let add = self.add.map(|add| add * factor);
        Shape::Climb(Self { start: self.start * factor, highest: self.highest * factor, add, ..self.clone() })
    }

    fn validate(&self) -> Result<(), BadShape> {
        positive("start", self.start)?;
        positive("highest", self.highest)?;
        if self.highest <= self.start {
            return Err(BadShape::new("highest", self.highest, "a rate above start"));
        }
        self.validate_growth()?;
        lasting("every", self.every)?;
        if self.settle >= self.every {
            return Err(BadShape::new("settle", self.settle, "a time shorter than every"));
        }
        lasting("ack_p99", self.ack_p99)?;
        if self.queue == 0 {
            return Err(BadShape::new("queue", 0, "at least one event"));
        }
        Ok(())
    }
}

impl Climb {
    /// The rate of every step, events/s.
    pub fn rates(&self) -> impl Iterator<Item = f64> {
        let more = |rate: &f64| (*rate < self.highest).then(|| self.after(*rate));
        std::iter::successors(Some(self.start), more)
    }

    fn after(&self, rate: f64) -> f64 {
        (rate * self.factor.unwrap_or(1.0) + self.add.unwrap_or(0.0)).min(self.highest)
    }

    fn validate_growth(&self) -> Result<(), BadShape> {
        match (self.factor, self.add) {
            (Some(factor), None) if !(factor > 1.0 && factor <= 100.0) => {
                return Err(BadShape::new("factor", factor, "above 1 and up to 100"));
            }
            (None, Some(add)) if !(add > 0.0 && add <= HIGHEST_RATE) => {
                return Err(BadShape::new("add", add, "above 0 and up to 10,000,000 events/s"));
            }
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) => return Err(BadShape::new("factor", "missing", "factor or add, one of the two")),
            (Some(factor), Some(_)) => {
                return Err(BadShape::new("factor", factor, "factor or add, one of the two"));
            }
        }
        if self.rates().take(MOST_STEPS + 1).count() > MOST_STEPS {
            return Err(BadShape::new("highest", self.highest, "a rate that at most 1,000 steps reach"));
        }
        Ok(())
    }
}

impl fmt::Display for Climb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.rates().count();
        write!(f, "climbs from {}/s to {}/s in {steps} steps of {}", self.start, self.highest, self.every)?;
        match (self.factor, self.add) {
            (Some(factor), _) => write!(f, ", each {factor} times the one before")?,
            (None, add) => write!(f, ", each {}/s more than the one before", add.unwrap_or_default())?,
        }
        write!(f, "; ends when a step's ack p99 is over {} or its queue over {} events", self.ack_p99, self.queue)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Shape;
    use std::time::Duration;

    const GOOD: &str = "kind = \"climb\"\nstart = 1000\nfactor = 1.5\nevery = \"10s\"\nhighest = 4000\nack_p99 = \"100ms\"\nqueue = 500\n";

    #[test]
    fn steps_grow_and_the_last_one_is_the_highest() {
        let shape: Shape = toml::from_str(GOOD).unwrap();
        assert_eq!(shape.climb().unwrap().rates().collect::<Vec<_>>(), [1_000.0, 1_500.0, 2_250.0, 3_375.0, 4_000.0]);
        let curve = shape.curve();
        assert_eq!((shape.peak(), curve.count(Duration::from_secs(25))), (4_000.0, 10_000 + 15_000 + 11_250));
        assert_eq!(curve.due(25_000), Duration::from_secs(20));
        // The last step holds.
        assert_eq!(curve.count(Duration::from_secs(60)) - curve.count(Duration::from_secs(50)), 40_000);
        let text = shape.climb().unwrap().to_string();
        assert!(text.starts_with("climbs from 1000/s to 4000/s in 5 steps of 10s, each 1.5 times"), "{text}");
        assert!(text.ends_with("ack p99 is over 100ms or its queue over 500 events"), "{text}");
        let added: Shape = toml::from_str(&GOOD.replace("factor = 1.5", "add = 1250")).unwrap();
        assert_eq!(added.climb().unwrap().rates().collect::<Vec<_>>(), [1_000.0, 2_250.0, 3_500.0, 4_000.0]);
        assert_eq!(added.scaled_to(8_000.0).climb().unwrap().rates().last(), Some(8_000.0));
    }

    #[test]
    fn a_climb_that_leads_nowhere_is_refused_by_name() {
        let cases = [
            ("factor = 1.5", "", "shape.factor is missing, allowed is factor or add"),
            ("factor = 1.5", "factor = 1.5\nadd = 5", "shape.factor is 1.5, allowed is factor or add"),
            ("factor = 1.5", "factor = 1", "shape.factor is 1, allowed is above 1"),
            ("factor = 1.5", "add = -5", "shape.add is -5"),
            ("factor = 1.5", "add = 1", "at most 1,000 steps"),
            ("4000", "900", "shape.highest is 900, allowed is a rate above start"),
            ("start = 1000", "start = 0", "shape.start is 0"),
            ("\"10s\"", "\"0s\"", "shape.every is 0"),
            (
                "queue = 500",
                "queue = 500\nsettle = \"10s\"",
                "shape.settle is 10s, allowed is a time shorter than every",
            ),
            ("\"100ms\"", "\"0s\"", "shape.ack_p99 is 0"),
            ("queue = 500", "queue = 0", "shape.queue is 0"),
        ];
        for (from, to, said) in cases {
            let shape: Shape = toml::from_str(&GOOD.replace(from, to)).unwrap();
            let error = shape.validate().unwrap_err().to_string();
            assert!(error.contains(said), "{to}: {error}");
        }
    }
}
