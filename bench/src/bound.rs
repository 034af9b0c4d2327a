//! One thing that must hold, and whether it does.

use serde::Serialize;
use std::fmt;

/// One thing that must hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bound {
    pub what: String,
    pub found: f64,
    pub limit: f64,
    pub side: Side,
    pub unit: &'static str,
    pub holds: bool,
}

/// On which side of the limit is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    AtLeast,
    AtMost,
}

impl Bound {
    /// `limit` is the number and its unit.
    pub fn new(what: impl Into<String>, found: f64, side: Side, (limit, unit): (f64, &'static str)) -> Self {
        let holds = match side {
            Side::AtLeast => found >= limit,
            Side::AtMost => found <= limit,
        };
        Self { what: what.into(), found, limit, side, unit, holds }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::AtLeast => "at least",
            Side::AtMost => "at most",
        };
        let unit = if self.unit.len() > 1 { format!(" {}", self.unit) } else { self.unit.to_owned() };
        write!(f, "{} {:.2}{unit}, {side} {}{unit}", self.what, self.found, self.limit)
    }
}

/// The bounds that were missed, each as a sentence.
pub fn missed(bounds: &[Bound]) -> Vec<String> {
    bounds.iter().filter(|bound| !bound.holds).map(ToString::to_string).collect()
}

/// A line for each, whether it holds or not.
pub fn lines(f: &mut fmt::Formatter<'_>, bounds: &[Bound]) -> fmt::Result {
    bounds.iter().try_for_each(|bound| writeln!(f, "  {:<6}  {bound}", if bound.holds { "holds" } else { "MISSED" }))
}
