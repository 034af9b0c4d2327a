//! When a batch passed its stations: broker, poll, close.

use domain::offset::Offset;
use runtime::clock::Clock;
use std::time::Duration;

/// Of the oldest and the newest record of a batch; its first and its last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pub oldest: Passed,
    pub newest: Passed,
    /// When the batch was closed; monotonic.
    pub closed: Duration,
}

/// How one record came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    pub offset: Offset,
    /// Broker timestamp, milliseconds since the epoch; `None` when the record has none.
    pub broker_ms: Option<i64>,
    /// When it was polled; monotonic.
    pub polled: Duration,
}

/// One moment by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub now: Duration,
    pub wall_ms: i64,
}

impl Moment {
    pub fn read(clock: &impl Clock) -> Self {
        Self { now: clock.now(), wall_ms: clock.wall_ms() }
    }
}

impl Passed {
    /// A broker timestamp of 0 or below is none.
    pub fn new(offset: Offset, broker_ms: i64, polled: Duration) -> Self {
        Self { offset, broker_ms: Some(broker_ms).filter(|ms| *ms > 0), polled }
    }

    /// From the broker's timestamp to the poll, seen from a later moment; nothing below zero.
    pub fn on_the_broker(&self, later: Moment) -> Option<Duration> {
        self.age(later).map(|age| age.saturating_sub(later.now.saturating_sub(self.polled)))
    }

    /// From the broker's timestamp to that moment; nothing below zero.
    pub fn age(&self, at: Moment) -> Option<Duration> {
        let since = |ms: i64| Duration::from_millis(u64::try_from(at.wall_ms - ms).unwrap_or(0));
        self.broker_ms.map(since)
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, Passed};
    use domain::offset::Offset;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_time_on_the_broker_is_the_age_without_the_time_with_us() {
        let passed = Passed::new(Offset(1), 1_000_000, SECOND * 5);
        let later = Moment { now: SECOND * 7, wall_ms: 1_010_000 };
        assert_eq!((passed.age(later), passed.on_the_broker(later)), (Some(SECOND * 10), Some(SECOND * 8)));
    }

    #[test]
    fn a_broker_s_clock_ahead_of_ours_is_no_time_at_all_and_no_timestamp_no_age() {
        let at = Moment { now: SECOND, wall_ms: 1_000 };
        assert_eq!(Passed::new(Offset(1), 2_000, SECOND).age(at), Some(Duration::ZERO));
        assert_eq!(Passed::new(Offset(1), 0, SECOND).age(at), None);
    }
}
