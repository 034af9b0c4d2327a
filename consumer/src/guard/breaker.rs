//! The circuit breaker: whether it makes sense to call at all. Pure: time is an argument.

use super::outcome::Sign;
use super::window::{Tally, Window};
use domain::backoff::Backoff;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// When the breaker opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerSettings {
    /// So many failures in a row open it; fewer than that never do.
    pub failures: u32,
    /// So large a share of the window's calls opens it too; over 0, at most 1.
    pub share: f64,
    pub window: Duration,
    /// How long it is open at first; twice as long after each probe that fails.
    pub open_for: Duration,
    pub open_cap: Duration,
    /// The most records that a probe sends.
    pub probe_records: usize,
}

/// What the breaker does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// Calls pass.
    Closed,
    /// No call passes.
    Open,
    /// One call at a time passes, as a probe.
    HalfOpen,
}

/// What an operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Force {
    /// The breaker decides by itself.
    #[default]
    Auto,
    /// No call passes until somebody says otherwise.
    Open,
    /// Calls pass, whatever comes of them.
    Closed,
}

/// Why the breaker is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Row(u32),
    Share(u32, u32),
    Refused,
    Operator,
}

/// Whether a call would pass now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    Pass,
    /// It would pass as a probe.
    Probe,
    /// Not for so long.
    Later(Duration),
    /// Not before a probe ends or an operator changes his mind.
    Changed,
}

/// A call that passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    epoch: u64,
    pub probe: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open { until: Duration },
    HalfOpen { probing: bool },
}

/// Closed, it counts calls: enough failures in a row, too large a share of failures over a sliding window, or a refusal that
/// people must mend, and it opens. Open, it lets nothing pass for a while. Then it is half-open: exactly one call at a time
/// passes, the probe. A probe that finds the other side there closes it; one that does not opens it again, for twice as long;
/// one that is told to slow down, or never ends, makes room for the next probe.
///
/// Calls that passed before its last change say nothing about what is now: each carries the epoch in which it passed, and
/// counts for nothing in a later one. An operator can force it open or closed; given back, it starts half-open after the
/// first and closed after the second.
#[derive(Debug, Clone)]
pub struct Breaker {
    settings: BreakerSettings,
    phase: Phase,
    force: Force,
    epoch: u64,
    /// Failures in a row while closed.
    row: u32,
    window: Window,
    /// How often it opened since it was last closed.
    openings: u32,
    cause: Option<Cause>,
}

impl Breaker {
    pub fn new(settings: BreakerSettings) -> Self {
        let window = Window::new(settings.window);
        let (phase, force) = (Phase::Closed, Force::Auto);
        Self { settings, phase, force, epoch: 0, row: 0, window, openings: 0, cause: None }
    }

    pub fn settings(&self) -> &BreakerSettings {
        &self.settings
    }

    pub fn state(&self) -> BreakerState {
        match (self.force, self.phase) {
            (Force::Closed, _) | (Force::Auto, Phase::Closed) => BreakerState::Closed,
            (Force::Open, _) | (Force::Auto, Phase::Open { .. }) => BreakerState::Open,
            (Force::Auto, Phase::HalfOpen { .. }) => BreakerState::HalfOpen,
        }
    }

    pub fn force(&self) -> Force {
        self.force
    }

    /// Why it is not closed.
    pub fn cause(&self) -> Option<Cause> {
        match self.force {
            Force::Open => Some(Cause::Operator),
            Force::Closed => None,
            Force::Auto => self.cause,
        }
    }

    /// Whether a call would pass; changes nothing.
    pub fn look(&self, now: Duration) -> Look {
        match (self.force, self.phase) {
            (Force::Closed, _) | (Force::Auto, Phase::Closed) => Look::Pass,
            (Force::Open, _) | (Force::Auto, Phase::HalfOpen { probing: true }) => Look::Changed,
            (Force::Auto, Phase::Open { until }) if now < until => Look::Later(until - now),
            (Force::Auto, Phase::Open { .. } | Phase::HalfOpen { probing: false }) => Look::Probe,
        }
    }

    /// Lets a call pass, if one may.
    pub fn pass(&mut self, now: Duration) -> Option<Passed> {
        let probe = match self.look(now) {
            Look::Pass => false,
            Look::Probe => {
                self.change(Phase::HalfOpen { probing: true });
                true
            }
            Look::Later(_) | Look::Changed => return None,
        };
        Some(Passed { epoch: self.epoch, probe })
    }

    /// A call that passed came to an end.
    pub fn ended(&mut self, passed: Passed, sign: Sign, now: Duration) {
        if passed.epoch != self.epoch || self.force != Force::Auto {
            return;
        }
        match (self.phase, sign) {
            (Phase::Closed, _) => self.count(sign, now),
            (Phase::HalfOpen { .. }, Sign::Up) => self.close(),
            (Phase::HalfOpen { .. }, Sign::Busy) => self.phase = Phase::HalfOpen { probing: false },
            (Phase::HalfOpen { .. }, Sign::Refuses) => self.open(Cause::Refused, now),
            (Phase::HalfOpen { .. }, Sign::Down) => self.open(self.cause.unwrap_or(Cause::Row(1)), now),
            // Nothing passes in an epoch in which it is open.
            (Phase::Open { .. }, _) => {}
        }
    }

    /// A call that passed will never end: nothing is known of it.
    pub fn abandoned(&mut self, passed: Passed) {
        if passed.probe && passed.epoch == self.epoch && self.force == Force::Auto {
            self.phase = Phase::HalfOpen { probing: false };
        }
    }

    /// An operator decides, or gives the decision back.
    pub fn set_force(&mut self, force: Force) {
        match (self.force, force) {
            (before, wanted) if before == wanted => return,
            (Force::Closed, Force::Auto) => self.close(),
            (Force::Open, Force::Auto) => {
                self.cause = Some(Cause::Operator);
                self.change(Phase::HalfOpen { probing: false });
            }
            _ => self.epoch += 1,
        }
        self.force = force;
    }

    fn count(&mut self, sign: Sign, now: Duration) {
        match sign {
            Sign::Busy => {}
            Sign::Refuses => self.open(Cause::Refused, now),
            Sign::Up => {
                self.row = 0;
                self.window.add(false, now);
            }
            Sign::Down => {
                self.row += 1;
                self.window.add(true, now);
                if let Some(cause) = self.too_many(now) {
                    self.open(cause, now);
                }
            }
        }
    }

    fn too_many(&self, now: Duration) -> Option<Cause> {
        if self.row >= self.settings.failures {
            return Some(Cause::Row(self.row));
        }
        let Tally { up, down } = self.window.tally(now);
        let all = down.saturating_add(up);
        let share = f64::from(down) >= self.settings.share * f64::from(all);
        (down >= self.settings.failures && share).then_some(Cause::Share(down, all))
    }

    fn open(&mut self, cause: Cause, now: Duration) {
        self.openings = self.openings.saturating_add(1);
        let doubling = Backoff { base: self.settings.open_for, cap: self.settings.open_cap };
        self.cause = Some(cause);
        self.change(Phase::Open { until: now + doubling.ceiling(self.openings) });
    }

    fn close(&mut self) {
        self.openings = 0;
        self.row = 0;
        self.window.clear();
        self.cause = None;
        self.change(Phase::Closed);
    }

    fn change(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch += 1;
    }
}

impl BreakerState {
    /// The word in logs, metrics and /status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}

impl Force {
    /// The word on the admin port and in /status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(failures) => write!(f, "{failures} calls in a row failed"),
            Self::Share(failed, all) => write!(f, "{failed} of the last {all} calls failed"),
            Self::Refused => f.write_str("it refuses us for a reason that people must mend"),
            Self::Operator => f.write_str("an operator forced it"),
        }
    }
}

#[cfg(test)]
mod tests;
