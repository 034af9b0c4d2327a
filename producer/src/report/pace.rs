//! How even the rate was.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Rates over the whole run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Planned events/s, up to the end or the second in which the last one was due; `None` for a source without a plan.
    pub target: Option<f64>,
    /// Sent events/s over the run.
    pub mean: f64,
    /// The largest rate error of a whole second, and which second it was.
    pub worst_second_error: Option<f64>,
    pub worst_second: Option<u64>,
    /// Every second of the run, the last one partial.
    pub seconds: Vec<Second>,
}

/// One second of the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Second {
    /// Events due in it; in the last second, up to the end.
    pub planned: Option<u64>,
    /// Events that the client's queue took in it.
    pub sent: u64,
}

/// The rates of a run of `elapsed` seconds; `planned_until` gives how many events were due before a moment of it.
pub fn rate(sent: &[u64], elapsed: f64, planned_until: impl Fn(Duration) -> Option<u64>) -> Rate {
    let end = Duration::from_secs_f64(elapsed);
    let due_by = |second: u64| planned_until(Duration::from_secs(second).min(end));
    let planned_in = |second: u64| Some(due_by(second + 1)?.saturating_sub(due_by(second)?));
    let seconds: Vec<Second> = (0..elapsed.ceil() as u64)
        .map(|second| Second {
            planned: planned_in(second),
            sent: sent.get(second as usize).copied().unwrap_or_default(),
        })
        .collect();
    let whole = seconds.iter().take(elapsed.floor() as usize).enumerate();
    let errors = whole.filter_map(|(second, counts)| Some((second as u64, error(*counts)?)));
    let worst = errors.max_by(|(_, a), (_, b)| a.total_cmp(b));
    let total: u64 = sent.iter().sum();
    let per_second = |events: u64| if elapsed > 0.0 { events as f64 / elapsed } else { 0.0 };
    Rate {
        target: target(&seconds, elapsed),
        mean: per_second(total),
        worst_second_error: worst.map(|(_, error)| error),
        worst_second: worst.map(|(second, _)| second),
        seconds,
    }
}

/// A run that fell behind lasts longer than its plan; the plan's rate is that of the plan's time.
fn target(seconds: &[Second], elapsed: f64) -> Option<f64> {
    let planned: u64 = seconds.iter().map(|second| second.planned).sum::<Option<u64>>()?;
    let last = seconds.iter().rposition(|second| second.planned.is_some_and(|planned| planned > 0))?;
    Some(planned as f64 / elapsed.min(last as f64 + 1.0))
}

fn error(counts: Second) -> Option<f64> {
    let planned = counts.planned.filter(|planned| *planned > 0)? as f64;
    Some((counts.sent as f64 - planned).abs() / planned)
}
