//! The instruments of the guard in front of the function.

use runtime::metrics::{Counter, Gauge, Metrics};
use std::sync::atomic::{AtomicI64, Ordering};

/// See the head of `metrics.rs`.
pub struct GuardMeters {
    states: Vec<(&'static str, Gauge)>,
    pub opened: Counter,
    pub concurrency_limit: Gauge,
    pub shrunk: Counter,
    pub rate_limit: Gauge,
    waiting: AtomicI64,
    waiting_gauge: Gauge,
}

impl GuardMeters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let state = |word: &'static str| {
            let meaning = "1 for the breaker's state, 0 for the others";
            (word, metrics.gauge("comboio_consumer_invoke_breaker_state", meaning, &[("state", word)]))
        };
        let gauge = |name, meaning| metrics.gauge(name, meaning, &[]);
        let counter = |name, meaning| metrics.counter(name, meaning, &[]);
        Self {
            states: ["closed", "open", "half-open"].map(state).to_vec(),
            opened: counter("comboio_consumer_invoke_breaker_openings_total", "Times the breaker opened"),
            concurrency_limit: gauge("comboio_consumer_invoke_concurrency_limit", "Invocations allowed at once"),
            shrunk: counter("comboio_consumer_invoke_concurrency_decreases_total", "Times that limit shrank by itself"),
            rate_limit: gauge("comboio_consumer_invoke_rate_limit", "Invocations allowed in a second, 0 is any number"),
            waiting: AtomicI64::new(0),
            waiting_gauge: gauge("comboio_consumer_invoke_waiting_calls", "Invocations that wait for the guard"),
        }
    }

    /// The breaker's state, by its word.
    pub fn breaker(&self, now: &str) {
        for (word, gauge) in &self.states {
            gauge.set(f64::from(u8::from(*word == now)));
        }
    }

    /// Somebody waits until the result is dropped.
    pub fn waits(&self) -> Waiting<'_> {
        self.move_waiting(1);
        Waiting(self)
    }

    pub fn waiting(&self) -> i64 {
        self.waiting.load(Ordering::Relaxed)
    }

    fn move_waiting(&self, by: i64) {
        let now = self.waiting.fetch_add(by, Ordering::Relaxed) + by;
        self.waiting_gauge.set(now as f64);
    }
}

/// See [`GuardMeters::waits`].
pub struct Waiting<'a>(&'a GuardMeters);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.move_waiting(-1);
    }
}
