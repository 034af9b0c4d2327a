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

/// The lateness of every send.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lateness {
    /// Microseconds; there from the first send on.
    histogram: Option<Histogram<u64>>,
    late: u64,
    /// Of events due after the first second.
    latest: Duration,
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
            self.late += u64::from(late > LATE);
            self.latest = self.latest.max(late);
        }
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
    use super::{Lateness, LatenessSummary};
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
        assert!((summary.p99 - 11.0).abs() < 0.02 && (summary.max - 400.0).abs() < 0.5, "{summary:?}");
    }
}
