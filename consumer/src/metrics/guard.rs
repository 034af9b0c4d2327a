//! The instruments of the guard in front of the functions.

use runtime::metrics::{Counter, Gauge, Metrics};
use std::sync::atomic::{AtomicI64, Ordering};

/// See the head of `metrics.rs`. What each function has of its own is in [`FunctionMeters`].
pub struct GuardMeters {
    metrics: Metrics,
    pub rate_limit: Gauge,
    waiting: AtomicI64,
    waiting_gauge: Gauge,
}

/// The instruments of one function.
pub struct FunctionMeters {
    states: Vec<(&'static str, Gauge)>,
    pub opened: Counter,
    pub concurrency_limit: Gauge,
    pub shrunk: Counter,
}

impl GuardMeters {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let gauge = |name, meaning| metrics.gauge(name, meaning, &[]);
        Self {
            metrics: metrics.clone(),
            rate_limit: gauge("comboio_consumer_invoke_rate_limit", "Invocations allowed in a second, 0 is any number"),
            waiting: AtomicI64::new(0),
            waiting_gauge: gauge("comboio_consumer_invoke_waiting_calls", "Invocations that wait for the guard"),
        }
    }

    /// The instruments of a function; the same name gives the same ones.
    pub fn function(&self, function: &str) -> FunctionMeters {
        let state = |word: &'static str| {
            let (meaning, labels) =
                ("1 for the breaker's state, 0 for the others", [("function", function), ("state", word)]);
            (word, self.metrics.gauge("comboio_consumer_invoke_breaker_state", meaning, &labels))
        };
        let gauge = |name, meaning| self.metrics.gauge(name, meaning, &[("function", function)]);
        let counter = |name, meaning| self.metrics.counter(name, meaning, &[("function", function)]);
        FunctionMeters {
            states: ["closed", "open", "half-open"].map(state).to_vec(),
            opened: counter("comboio_consumer_invoke_breaker_openings_total", "Times the breaker opened"),
            concurrency_limit: gauge("comboio_consumer_invoke_concurrency_limit", "Invocations allowed at once"),
            shrunk: counter("comboio_consumer_invoke_concurrency_decreases_total", "Times that limit shrank by itself"),
        }
    }

    /// Invocations that began for a topic.
    pub fn begun(&self, topic: &str, function: &str) -> Counter {
        let labels = [("topic", topic), ("function", function)];
        self.metrics.counter("comboio_consumer_invoke_begun_total", "Invocations begun", &labels)
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

impl FunctionMeters {
    /// The breaker's state, by its word.
    pub(crate) fn breaker(&self, now: &str) {
        for (word, gauge) in &self.states {
            gauge.set(f64::from(u8::from(*word == now)));
        }
    }
}

/// See [`GuardMeters::waits`].
pub struct Waiting<'a>(&'a GuardMeters);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.move_waiting(-1);
    }
}
