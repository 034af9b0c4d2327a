//! How long after its due time an event left.

use super::summary::millis;
use super::{histogram, micros};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A send that is later than this is counted.
pub const LATE: Duration = Duration::from_millis(10);
/// Events due before this are not: connections and buffers come to life meanwhile.
const WARM: Duration = Duration::from_secs(1);
/// So many late moments are kept, the first ones.
pub const MOMENTS: usize = 1_000;

/// The lateness of every send.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lateness {
    /// Microseconds; there from the first send on.
    histogram: Option<Histogram<u64>>,
    late: u64,
    /// Of events due after the first second.
    latest: Duration,
    moments: Vec<LateMoment>,
}

/// A moment at which events left late, after the first second: when the first of them was due, and when it left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LateMoment {
    /// Milliseconds of the run.
    pub due_ms: f64,
    pub sent_ms: f64,
}

/// Lateness over the run, milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LatenessSummary {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
    /// Events that left more than 10 ms late; those due in the first second do not count.
    pub late_sends: u64,
    /// The latest of the events due after the first second.
    #[serde(default)]
    pub max_after_first_second: f64,
}

impl Lateness {
    /// An event that was due at `due` (since the start of the run) left `late` after it.
    pub fn note(&mut self, due: Duration, late: Duration) {
        if self.histogram.is_none() {
            self.histogram = histogram().ok();
        }
        if let Some(histogram) = &mut self.histogram {
            histogram.saturating_record(micros(late));
        }
        if due >= WARM {
            self.latest = self.latest.max(late);
            if late > LATE {
                self.late += 1;
                self.keep(due, due + late);
            }
        }
    }

    /// Events that leave together come in the order in which they were due.
    fn keep(&mut self, due: Duration, sent: Duration) {
        let [due_ms, sent_ms] = [due, sent].map(|at| millis(micros(at)));
        if self.moments.last().is_none_or(|last| last.sent_ms != sent_ms) && self.moments.len() < MOMENTS {
            self.moments.push(LateMoment { due_ms, sent_ms });
        }
    }

    /// In the order of time; the first thousand.
    pub fn moments(&self) -> &[LateMoment] {
        &self.moments
    }

    pub fn summary(&self) -> LatenessSummary {
        let Some(histogram) = &self.histogram else { return LatenessSummary::default() };
        let at = |quantile| millis(histogram.value_at_quantile(quantile));
        LatenessSummary {
            p50: at(0.5),
            p99: at(0.99),
            max: millis(histogram.max()),
            late_sends: self.late,
            max_after_first_second: self.latest.as_secs_f64() * 1_000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LateMoment, Lateness, LatenessSummary, MOMENTS};
    use std::time::Duration;

    #[test]
    fn late_sends_count_after_the_first_second() {
        let mut lateness = Lateness::default();
        assert_eq!(lateness.summary(), LatenessSummary::default());
        let ms = Duration::from_millis;
        // Due in the first second and sent in the next; just in time; twice one millisecond too late.
        [(999, 400), (1_000, 10), (1_000, 11), (1_700, 11)]
            .iter()
            .for_each(|(due, late)| lateness.note(ms(*due), ms(*late)));
        (0..96).for_each(|_| lateness.note(ms(2_000), Duration::ZERO));
        let summary = lateness.summary();
        assert_eq!((summary.late_sends, summary.p50, summary.max_after_first_second), (2, 0.0, 11.0));
        let moments = [(1_000.0, 1_011.0), (1_700.0, 1_711.0)].map(|(due_ms, sent_ms)| LateMoment { due_ms, sent_ms });
        assert_eq!(lateness.moments(), moments);
        assert!((summary.p99 - 11.0).abs() < 0.02 && (summary.max - 400.0).abs() < 0.5, "{summary:?}");
    }

    #[test]
    fn a_late_moment_is_that_of_its_first_event_and_memory_is_bounded() {
        let (mut lateness, ms) = (Lateness::default(), Duration::from_millis);
        [2_000, 2_001, 2_005].iter().for_each(|due| lateness.note(ms(*due), ms(2_020 - due)));
        assert_eq!(lateness.moments(), [LateMoment { due_ms: 2_000.0, sent_ms: 2_020.0 }]);
        (0..2_000).for_each(|n| lateness.note(ms(3_000 + n), ms(50)));
        assert_eq!((lateness.moments().len(), lateness.summary().late_sends), (MOMENTS, 2_003));
    }
}
