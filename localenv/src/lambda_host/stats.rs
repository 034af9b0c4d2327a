//! What the host has seen, per function: outcomes, executions, processes and latency.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const HIGHEST_US: u64 = 900_000_000;

/// Everything at one moment, for `GET /_host/stats`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HostStats {
    pub functions: BTreeMap<String, FunctionStats>,
    /// Invocations of functions that do not exist.
    pub not_found: u64,
}

/// One function at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FunctionStats {
    /// Requests that named this function, whatever became of them.
    pub invocations: u64,
    /// How many times a process took an event: counts also what was reset, timed out or spoiled later.
    pub executions: u64,
    /// By `success`, AWS error type, `dry-run` or `connection-reset`.
    pub outcomes: BTreeMap<String, u64>,
    /// Now, and the most there were at once.
    pub in_flight: u64,
    pub in_flight_max: u64,
    pub processes: Processes,
    /// From the request's last byte to the answer, in milliseconds.
    pub latency_ms: Latency,
    /// From the start of a process to its first event, in milliseconds.
    pub init_ms: Latency,
}

/// The processes of one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Processes {
    /// There are now, busy or idle.
    pub alive: u64,
    pub idle: u64,
    pub started: u64,
    /// Ended for being idle too long.
    pub reaped: u64,
    /// Killed for running too long.
    pub killed: u64,
    /// Ended by themselves.
    pub exited: u64,
}

/// A latency distribution in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Latency {
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

impl Latency {
    /// Of a histogram whose unit is `per_ms` to the millisecond.
    pub fn of(histogram: &Histogram<u64>, per_ms: f64) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / per_ms;
        Self {
            mean: histogram.mean() / per_ms,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: histogram.max() as f64 / per_ms,
        }
    }
}

/// The counters of one function.
#[derive(Debug)]
pub struct Counters(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    seen: FunctionStats,
    latency_us: Histogram<u64>,
    init_us: Histogram<u64>,
}

/// Something that happened to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessEvent {
    Started,
    Reaped,
    Killed,
    Exited,
}

impl Counters {
    /// # Errors
    /// Only when the histogram's bounds were wrong.
    pub fn new() -> anyhow::Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, HIGHEST_US, 2);
        let inner = Inner { seen: FunctionStats::default(), latency_us: histogram()?, init_us: histogram()? };
        Ok(Self(Mutex::new(inner)))
    }

    /// An invocation has come in.
    pub fn began(&self) {
        let mut inner = self.lock();
        inner.seen.invocations += 1;
        inner.seen.in_flight += 1;
        inner.seen.in_flight_max = inner.seen.in_flight_max.max(inner.seen.in_flight);
    }

    /// It has been answered.
    pub fn ended(&self, outcome: &str, took: Duration) {
        let mut inner = self.lock();
        inner.seen.in_flight = inner.seen.in_flight.saturating_sub(1);
        match inner.seen.outcomes.get_mut(outcome) {
            Some(count) => *count += 1,
            None => {
                inner.seen.outcomes.insert(outcome.into(), 1);
            }
        }
        inner.latency_us.saturating_record(took.as_micros() as u64);
    }

    /// A process has taken an event; `init` when it was its first.
    pub fn executed(&self, init: Option<Duration>) {
        let mut inner = self.lock();
        inner.seen.executions += 1;
        if let Some(init) = init {
            inner.init_us.saturating_record(init.as_micros() as u64);
        }
    }

    pub fn process(&self, event: ProcessEvent) {
        let processes = &mut self.lock().seen.processes;
        match event {
            ProcessEvent::Started => processes.started += 1,
            ProcessEvent::Reaped => processes.reaped += 1,
            ProcessEvent::Killed => processes.killed += 1,
            ProcessEvent::Exited => processes.exited += 1,
        }
    }

    /// A copy; `alive` and `idle` are counted elsewhere.
    pub fn snapshot(&self, alive: usize, idle: usize) -> FunctionStats {
        let inner = self.lock();
        let mut seen = inner.seen.clone();
        seen.latency_ms = Latency::of(&inner.latency_us, 1000.0);
        seen.init_ms = Latency::of(&inner.init_us, 1000.0);
        seen.processes.alive = alive as u64;
        seen.processes.idle = idle as u64;
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
