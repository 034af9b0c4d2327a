//! When the spool is tried again: 100 ms, 500 ms, 1 s, 5 s, then every 5 s, on the wall clock so that a restart keeps it.

use serde::{Deserialize, Serialize};

/// Milliseconds before attempt 2, 3, 4 and every later one.
const WAITS: [i64; 4] = [100, 500, 1_000, 5_000];

/// What is remembered of the attempts; it lies in the spool's file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// Passes over the spool that have failed, ever.
    pub passes: u64,
    /// Those since Kafka last acknowledged anything.
    pub in_a_row: u32,
    /// Ms since the epoch.
    pub next_at_ms: i64,
}

impl Schedule {
    /// True when the spool may be tried. A wall clock that was set back costs at most the longest wait.
    pub fn is_due(&self, wall_ms: i64) -> bool {
        wall_ms >= self.next_at_ms || self.next_at_ms - wall_ms > WAITS[WAITS.len() - 1]
    }

    /// A pass ended without an acknowledgement in time.
    pub fn failed(&mut self, wall_ms: i64) {
        let wait = WAITS[(self.in_a_row as usize).min(WAITS.len() - 1)];
        self.passes += 1;
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.next_at_ms = wall_ms.saturating_add(wait);
    }

    /// Kafka acknowledges again.
    pub fn succeeded(&mut self) {
        self.in_a_row = 0;
        self.next_at_ms = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn waits_grow_to_five_seconds_and_success_forgets_them() {
        let mut schedule = Schedule::default();
        assert!(schedule.is_due(0));
        let waits: Vec<i64> = (0..6)
            .map(|_| {
                schedule.failed(1_000_000);
                schedule.next_at_ms - 1_000_000
            })
            .collect();
        assert_eq!(waits, [100, 500, 1_000, 5_000, 5_000, 5_000]);
        assert!(!schedule.is_due(1_004_999) && schedule.is_due(1_005_000));
        schedule.succeeded();
        schedule.failed(2_000_000);
        assert_eq!((schedule.passes, schedule.next_at_ms), (7, 2_000_100));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_the_spool() {
        let mut schedule = Schedule::default();
        schedule.failed(9_000_000);
        assert!(schedule.is_due(1_000_000));
    }
}
