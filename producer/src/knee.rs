//! The knee: what the steps of a climb came to, and the highest rate that held.
//!
//! *In*: the measurements of one step after the other. *Out*: whether to climb on, and at the end the verdict.
//! *Never*: reads a clock or counts an event; `watch` measures.

mod text;
mod watch;

pub use watch::{SharedKnee, taken, watch};

use crate::shape::Climb;
use serde::{Deserialize, Serialize};

/// A step holds its rate when at most this share of it is missing.
const MISSING: f64 = 0.01;
/// A short step may miss the events that can be under way at its end (those of its ack p99), up to this share.
const UNDER_WAY: f64 = 0.05;

/// What a step was measured to do, from its settling to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The step's rate by the shape, events/s.
    pub wanted: f64,
    /// Events/s that were due in the measured time.
    pub planned: f64,
    /// Events/s that Kafka acknowledged in the measured time.
    pub reached: f64,
    /// From the due time, milliseconds; none without an acknowledgement.
    pub ack_p99_ms: Option<f64>,
    /// Unanswered events at the step's end.
    pub queue: u64,
    /// How long was measured.
    #[serde(default)]
    pub seconds: f64,
}

/// What a step can fail by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failing {
    /// More than 1 % of the planned rate is missing, and more than can be under way. The climb goes on: a limit ends it, or the last step.
    Rate,
    /// Over the limit, or nothing was acknowledged.
    AckP99,
    Queue,
}

/// The limits of a climb.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    pub ack_p99_ms: f64,
    pub queue: u64,
}

/// A step and its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    #[serde(flatten)]
    pub measured: Measured,
    /// Empty: the step held.
    pub failed_by: Vec<Failing>,
}

impl Step {
    pub fn held(&self) -> bool {
        self.failed_by.is_empty()
    }
}

/// What a climb came to. `Display` is for people, serde for programs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    pub limits: Limits,
    /// How many steps the climb has; it may end before.
    pub steps_planned: u64,
    /// The highest rate of a step that held, events/s.
    pub highest_sustained: Option<f64>,
    /// The rate of the step that passed a limit, events/s, and the limits that it passed.
    pub broken_at: Option<f64>,
    pub broken_by: Vec<Failing>,
    pub steps: Vec<Step>,
}

/// Whether there is a next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Climb,
    Stop,
}

/// What a step fails by under these limits.
pub fn judge(limits: Limits, step: &Measured) -> Vec<Failing> {
    let slow = step.ack_p99_ms.is_none_or(|p99| p99 > limits.ack_p99_ms);
    let fails = [
        (slow, Failing::AckP99),
        (step.queue > limits.queue, Failing::Queue),
        (step.planned - step.reached > missing(limits, step), Failing::Rate),
    ];
    fails.into_iter().filter(|(fails, _)| *fails).map(|(_, failing)| failing).collect()
}

/// Events/s that may be missing.
fn missing(limits: Limits, step: &Measured) -> f64 {
    let share = step.planned * MISSING;
    let Some(p99) = step.ack_p99_ms.filter(|_| step.seconds > 0.0) else { return share };
    let under_way = step.wanted * p99.min(limits.ack_p99_ms) / 1_000.0 / step.seconds;
    under_way.clamp(share, step.planned * UNDER_WAY)
}

impl Knee {
    pub fn new(climb: &Climb) -> Self {
        Self {
            limits: Limits { ack_p99_ms: climb.ack_p99.get().as_secs_f64() * 1_000.0, queue: climb.queue },
            steps_planned: climb.rates().count() as u64,
            highest_sustained: None,
            broken_at: None,
            broken_by: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// Takes the next step's measurements.
    pub fn add(&mut self, measured: Measured) -> Next {
        let failed_by = judge(self.limits, &measured);
        if failed_by.is_empty() {
            self.highest_sustained = Some(self.highest_sustained.unwrap_or(0.0).max(measured.wanted));
        }
        let passed = failed_by.iter().any(|failing| *failing != Failing::Rate);
        if passed {
            (self.broken_at, self.broken_by) = (Some(measured.wanted), failed_by.clone());
        }
        self.steps.push(Step { measured, failed_by });
        if passed || self.is_done() { Next::Stop } else { Next::Climb }
    }

    /// Whether the last step is behind us.
    pub fn is_done(&self) -> bool {
        self.steps.len() as u64 >= self.steps_planned
    }
}

#[cfg(test)]
mod tests;
