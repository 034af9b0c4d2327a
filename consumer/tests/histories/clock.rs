//! The runtime's paused clock, as all parts of a history read it.

use runtime::clock::{Clock, SharedClock};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// See the head of the file; zero is when it was made.
struct PausedClock(Instant);

pub fn paused() -> SharedClock {
    Arc::new(PausedClock(Instant::now()))
}

impl Clock for PausedClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall_ms(&self) -> i64 {
        1_000_000 + i64::try_from(self.now().as_millis()).unwrap()
    }
}
