//! Batch limit: how many records a batch may have now, for all lanes whose batches go to one function.
//!
//! In: how calls ended. Out: the limit, for the desk and for what was closed under another one.
//! Never: cuts anything itself, waits, gives up a record, or lets one function's calls say anything about another's.

/// The limit as a pure rule.
mod size;

use crate::metrics::{BatchLimitMeters, Meters};
use runtime::clock::SharedClock;
use serde::Serialize;
use serde_json::{Value, json};
pub use size::{Call, End, Round, Size, SizeSettings};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The limits of all functions; clones are the same ones.
#[derive(Clone)]
pub struct BatchLimits {
    all: Arc<[BatchLimit]>,
}

/// The limit of one function; clones are the same limit.
#[derive(Clone)]
pub struct BatchLimit {
    shared: Arc<Shared>,
}

struct Shared {
    function: Arc<str>,
    size: Mutex<Size>,
    clock: SharedClock,
    meters: BatchLimitMeters,
}

/// How it stands, for /status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchLimitView {
    pub function: String,
    pub records: usize,
    pub least: usize,
    pub most: usize,
    /// Whether it follows the function, or is always `most`.
    pub adaptive: bool,
    /// How long a call may take before its batch counts as too large.
    pub budget_ms: u64,
}

impl BatchLimits {
    /// One for each function, each from the same settings.
    pub fn new(settings: SizeSettings, functions: &[&str], clock: &SharedClock, meters: &Meters) -> Self {
        let limit = |function: &&str| BatchLimit::new(settings, function, clock.clone(), meters);
        Self { all: functions.iter().map(limit).collect() }
    }

    /// `None` when there is no such function.
    pub fn of(&self, function: &str) -> Option<BatchLimit> {
        self.all.iter().find(|limit| *limit.shared.function == *function).cloned()
    }

    /// The limit; with several functions the first one's, and a list of all.
    pub fn json(&self) -> Value {
        let all: Vec<BatchLimitView> = self.all.iter().map(BatchLimit::view).collect();
        let mut shown = json!(all.first());
        if all.len() > 1 {
            shown["functions"] = json!(all);
        }
        shown
    }
}

impl BatchLimit {
    fn new(settings: SizeSettings, function: &str, clock: SharedClock, meters: &Meters) -> Self {
        let (size, meters) = (Size::new(settings), meters.batch_limit(function));
        meters.records.set(size.limit() as f64);
        Self { shared: Arc::new(Shared { function: Arc::from(function), size: Mutex::new(size), clock, meters }) }
    }

    pub fn function(&self) -> Arc<str> {
        self.shared.function.clone()
    }

    /// How many records a batch may have now; at least 1.
    pub fn records(&self) -> usize {
        self.size().limit()
    }

    /// For a call that begins.
    pub fn round(&self) -> Round {
        self.size().round()
    }

    /// How many of `records` that were closed together go into one call.
    pub fn part_of(&self, records: usize) -> usize {
        self.size().part_of(records)
    }

    /// A call ended; gives the limit when that changed it.
    pub fn ended(&self, call: Call, end: End) -> Option<usize> {
        let mut size = self.size();
        let (before, most) = (size.limit(), size.settings().most);
        size.ended(call, end, self.shared.clock.now());
        let now = size.limit();
        drop(size);
        if now == before {
            return None;
        }
        self.shared.meters.records.set(now as f64);
        self.shared.meters.shrunk.add(u64::from(now < before));
        tell(&self.shared.function, (before, now), most, end);
        Some(now)
    }

    pub fn view(&self) -> BatchLimitView {
        let size = self.size();
        let SizeSettings { adaptive, least, most, budget } = *size.settings();
        let budget_ms = u64::try_from(budget.as_millis()).unwrap_or(u64::MAX);
        let function = self.shared.function.to_string();
        BatchLimitView { function, records: size.limit(), least, most, adaptive, budget_ms }
    }

    fn size(&self) -> MutexGuard<'_, Size> {
        self.shared.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time-out, leaving the most and being back there are worth a line.
fn tell(function: &str, (was, limit): (usize, usize), most: usize, end: End) {
    if limit < was && end == End::TimedOut {
        tracing::warn!(function, limit, was, "smaller batches: an invocation was not answered in time");
    } else if limit < was && was == most {
        tracing::warn!(function, limit, was, "smaller batches: invocations take longer than their budget");
    } else if limit == most {
        tracing::info!(function, limit, "batches may be as large as is configured again");
    }
}
