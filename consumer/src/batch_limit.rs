//! Batch limit: how many records a batch may have now, for all lanes of the process.
//!
//! In: how calls ended. Out: the limit, for the desk and for what was closed under another one.
//! Never: cuts anything itself, waits, or gives up a record.

/// The limit as a pure rule.
mod size;

use crate::metrics::Meters;
use runtime::clock::SharedClock;
use serde::Serialize;
pub use size::{Call, End, Round, Size, SizeSettings};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the head of the file; clones are the same limit.
#[derive(Clone)]
pub struct BatchLimit {
    shared: Arc<Shared>,
}

struct Shared {
    size: Mutex<Size>,
    clock: SharedClock,
    meters: Arc<Meters>,
}

/// How it stands, for /status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BatchLimitView {
    pub records: usize,
    pub least: usize,
    pub most: usize,
    /// Whether it follows the function, or is always `most`.
    pub adaptive: bool,
    /// How long a call may take before its batch counts as too large.
    pub budget_ms: u64,
}

impl BatchLimit {
    pub fn new(settings: SizeSettings, clock: SharedClock, meters: Arc<Meters>) -> Self {
        let size = Size::new(settings);
        meters.batch_limit.records.set(size.limit() as f64);
        Self { shared: Arc::new(Shared { size: Mutex::new(size), clock, meters }) }
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
        self.shared.meters.batch_limit.records.set(now as f64);
        self.shared.meters.batch_limit.shrunk.add(u64::from(now < before));
        tell(before, now, most, end);
        Some(now)
    }

    pub fn view(&self) -> BatchLimitView {
        let size = self.size();
        let SizeSettings { adaptive, least, most, budget } = *size.settings();
        let budget_ms = u64::try_from(budget.as_millis()).unwrap_or(u64::MAX);
        BatchLimitView { records: size.limit(), least, most, adaptive, budget_ms }
    }

    fn size(&self) -> MutexGuard<'_, Size> {
        self.shared.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A time-out, leaving the most and being back there are worth a line.
fn tell(before: usize, now: usize, most: usize, end: End) {
    if now < before && end == End::TimedOut {
        tracing::warn!(records = now, was = before, "smaller batches: an invocation was not answered in time");
    } else if now < before && before == most {
        tracing::warn!(records = now, was = before, "smaller batches: invocations take longer than their budget");
    } else if now == most {
        tracing::info!(records = now, "batches may be as large as is configured again");
    }
}
