//! Two reports held against each other: every figure with its difference, and which run was better where that has a meaning.

mod command;
mod figures;
mod text;

pub use command::{Compare, run};

use crate::report::Report;
use serde::Serialize;

/// Which of two values is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Good {
    Low,
    High,
    /// Neither: it says what was done, not how well.
    Neutral,
}

/// Which run was better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    A,
    B,
    Same,
}

/// One figure of both reports.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    pub good: Good,
    /// Whether `--fail-if-worse` looks at it.
    pub guarded: bool,
    /// `None` where a report does not have it.
    pub a: Option<f64>,
    pub b: Option<f64>,
    /// b - a.
    pub difference: Option<f64>,
    /// The difference in per cent of a; `None` when a is 0 and b is not.
    pub per_cent: Option<f64>,
    pub better: Option<Better>,
}

/// Both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub a: String,
    pub b: String,
    /// Whether both runs had the same planned rate and length; else the figures compare two loads too.
    pub same_load: bool,
    pub figures: Vec<Figure>,
}

/// Two loads are the same when rate and number of events differ by at most this share.
const SAME: f64 = 0.01;

/// Holds `b` against `a`.
pub fn compare(a: &Report, b: &Report) -> Comparison {
    let alike = |a: f64, b: f64| (a - b).abs() <= SAME * a.abs().max(b.abs());
    let rate = |report: &Report| report.rate.target.unwrap_or_default();
    Comparison {
        a: a.run.clone(),
        b: b.run.clone(),
        same_load: alike(rate(a), rate(b)) && alike(a.offered as f64, b.offered as f64),
        figures: figures::figures(a, b),
    }
}

impl Figure {
    fn new(name: String, unit: &'static str, good: Good, (a, b): (Option<f64>, Option<f64>)) -> Self {
        let both = a.zip(b);
        Self {
            name,
            unit,
            good,
            guarded: false,
            a,
            b,
            difference: both.map(|(a, b)| b - a),
            per_cent: both.and_then(|(a, b)| per_cent(a, b)),
            better: both.and_then(|(a, b)| better(good, a, b)),
        }
    }

    /// Whether b is worse than a by more than `most` per cent of a; something where a has nothing always is.
    pub fn is_worse_by(&self, most: f64) -> bool {
        self.better == Some(Better::A) && self.per_cent.is_none_or(|per_cent| per_cent.abs() > most)
    }
}

impl Comparison {
    /// The guarded figures in which b is worse than a by more than `most` per cent.
    pub fn worse_by(&self, most: f64) -> Vec<&Figure> {
        self.figures.iter().filter(|figure| figure.guarded && figure.is_worse_by(most)).collect()
    }
}

fn per_cent(a: f64, b: f64) -> Option<f64> {
    if a == b {
        return Some(0.0);
    }
    (a != 0.0).then(|| 100.0 * (b - a) / a.abs())
}

fn better(good: Good, a: f64, b: f64) -> Option<Better> {
    let b_is_better = match good {
        Good::Low => b < a,
        Good::High => b > a,
        Good::Neutral => return None,
    };
    Some(match (a == b, b_is_better) {
        (true, _) => Better::Same,
        (false, true) => Better::B,
        (false, false) => Better::A,
    })
}

#[cfg(test)]
mod tests;
