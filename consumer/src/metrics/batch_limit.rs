//! The instruments of the batch limit.

use runtime::metrics::{Counter, Gauge, Metrics};

/// See the head of `metrics.rs`.
pub struct BatchLimitMeters {
    pub records: Gauge,
    pub shrunk: Counter,
}

impl BatchLimitMeters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let meaning = "Records that a batch may have";
        Self {
            records: metrics.gauge("comboio_consumer_collect_batch_limit_records", meaning, &[]),
            shrunk: metrics.counter("comboio_consumer_collect_batch_limit_decreases_total", "Times that shrank", &[]),
        }
    }
}
