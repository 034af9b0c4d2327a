//! What a story did and when, what it measured, and what it checked.

use crate::lag_curve::LagCurve;
use serde::Serialize;
use std::fmt;

/// A story as it went.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Chronicle {
    pub events: Vec<Event>,
    pub figures: Vec<Figure>,
    pub curves: Vec<Curve>,
    pub checks: Vec<Check>,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// Since the load began.
    pub seconds: f64,
    pub what: String,
}

/// Something that was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub name: String,
    pub value: f64,
    /// What is counted, or the unit.
    pub of: String,
}

/// A lag over time, with a name.
#[derive(Debug, Clone, Serialize)]
pub struct Curve {
    pub name: String,
    #[serde(flatten)]
    pub lag: LagCurve,
}

/// Something that must be true, or the story proves nothing.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    pub what: String,
    pub holds: bool,
    /// What was seen.
    pub seen: String,
}

impl Chronicle {
    /// Notes a figure.
    pub fn figure(&mut self, name: &str, value: f64, of: &str) {
        self.figures.push(Figure { name: name.to_owned(), value, of: of.to_owned() });
    }

    /// Notes a lag over time.
    pub fn curve(&mut self, name: &str, lag: LagCurve) {
        self.curves.push(Curve { name: name.to_owned(), lag });
    }

    /// Notes a check: `what` must be true, and `seen` is why it is or is not.
    pub fn check(&mut self, what: &str, holds: bool, seen: impl Into<String>) {
        self.checks.push(Check { what: what.to_owned(), holds, seen: seen.into() });
    }

    /// Checks that did not hold, one sentence each.
    pub fn broken(&self) -> impl Iterator<Item = String> {
        self.checks
            .iter()
            .filter(|check| !check.holds)
            .map(|check| format!("not true: {} ({})", check.what, check.seen))
    }
}

impl fmt::Display for Chronicle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Event { seconds, what } in &self.events {
            writeln!(f, "  {seconds:>6.1} s  {what}")?;
        }
        for Figure { name, value, of } in &self.figures {
            let digits = usize::from(value.fract() != 0.0);
            writeln!(f, "  {name:<18}{value:.digits$} {of}")?;
        }
        let full = self.curves.iter().map(|curve| curve.lag.peak()).max().unwrap_or(0);
        for Curve { name, lag } in &self.curves {
            writeln!(f, "  {name:<18}{}", lag.bars(full))?;
        }
        for Check { what, holds, seen } in &self.checks {
            writeln!(f, "  {:<5}{what}: {seen}", if *holds { "ok" } else { "NOT" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Chronicle;

    #[test]
    fn only_a_check_that_does_not_hold_breaks_a_story() {
        let mut chronicle = Chronicle::default();
        chronicle.figure("away", 2.25, "s");
        chronicle.check("it was gone", true, "broker 2 is not in service");
        chronicle.check("it moved", false, "from 1 to 1");
        assert_eq!(chronicle.broken().collect::<Vec<_>>(), ["not true: it moved (from 1 to 1)"]);
        let shown = chronicle.to_string();
        assert!(
            shown.contains("ok   it was gone") && shown.contains("NOT  it moved") && shown.contains("2.2 s"),
            "{shown}"
        );
    }
}
