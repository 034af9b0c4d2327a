//! How long each part of a batch took: written down by the steps, read by metrics and spans.

use crate::deadline::now;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// One step, or what one destination did in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lap {
    /// `validate`, `dedupe`, `deliver` or `remember`.
    pub step: &'static str,
    /// The destination's name, when it is about one.
    pub destination: Option<String>,
    /// Since the batch began.
    pub from: Duration,
    pub took: Duration,
    /// How many records it was about, and how many of them the destination does not hold.
    pub records: usize,
    pub missed: usize,
}

/// All laps of one batch.
#[derive(Debug)]
pub struct Laps {
    began: Instant,
    laps: Mutex<Vec<Lap>>,
}

impl Laps {
    /// The batch begins.
    pub fn begin() -> Self {
        Self { began: now(), laps: Mutex::default() }
    }

    /// Runs a step that is about so many records.
    pub async fn step<T>(&self, step: &'static str, records: usize, work: impl Future<Output = T>) -> T {
        let from = self.so_far();
        let done = work.await;
        self.note(Lap { step, destination: None, from, took: self.so_far() - from, records, missed: 0 });
        done
    }

    pub fn note(&self, lap: Lap) {
        self.laps.lock().unwrap_or_else(PoisonError::into_inner).push(lap);
    }

    /// Since the batch began.
    pub fn so_far(&self) -> Duration {
        self.began.elapsed()
    }

    /// What was noted, in the order in which it ended.
    pub fn all(&self) -> Vec<Lap> {
        self.laps.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::Laps;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn each_step_has_its_time() {
        let laps = Laps::begin();
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(laps.step("dedupe", 7, async { tokio::time::sleep(Duration::from_millis(30)).await }).await, ());
        let all = laps.all();
        assert_eq!(
            (all[0].step, all[0].from, all[0].took),
            ("dedupe", Duration::from_millis(5), Duration::from_millis(30))
        );
        assert_eq!((all[0].records, laps.so_far()), (7, Duration::from_millis(35)));
    }
}
