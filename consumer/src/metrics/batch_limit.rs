//! The instruments of the batch limits.

use super::Meters;
use runtime::metrics::{Counter, Gauge};

/// Of one function; see the head of `metrics.rs`.
pub struct BatchLimitMeters {
    pub records: Gauge,
    pub shrunk: Counter,
}

impl Meters {
    /// The instruments of a function's batch limit; the same name gives the same ones.
    pub fn batch_limit(&self, function: &str) -> BatchLimitMeters {
        let (metrics, labels) = (&self.metrics, [("function", function)]);
        let (limit, shrunk) =
            ("comboio_consumer_collect_batch_limit_records", "comboio_consumer_collect_batch_limit_decreases_total");
        BatchLimitMeters {
            records: metrics.gauge(limit, "Records that a batch may have", &labels),
            shrunk: metrics.counter(shrunk, "Times that shrank", &labels),
        }
    }
}
