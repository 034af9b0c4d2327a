//! One partition: counts in a row, in a window, and their share. Pure.

use std::fmt;
use std::time::Duration;

/// More than this is a flood. 0 switches a limit off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FloodLimits {
    /// Dead letters without a delivered record in between.
    pub in_a_row: u64,
    /// Dead letters within `window`.
    pub in_window: u64,
    /// Of the records that met their fate within `window`, once they are at least `enough`.
    pub share: f64,
    pub enough: u64,
    pub window: Duration,
}

impl Default for FloodLimits {
    fn default() -> Self {
        Self { in_a_row: 100, in_window: 10_000, share: 0.5, enough: 1_000, window: Duration::from_secs(60) }
    }
}

/// Which limit was passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cause {
    InARow(u64),
    InWindow(u64, Duration),
    Share(f64, Duration),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InARow(letters) => write!(f, "{letters} dead letters in a row and no record was delivered"),
            Self::InWindow(letters, window) => write!(f, "{letters} dead letters within {window:?}"),
            Self::Share(share, window) => {
                write!(f, "{:.0} % of the records within {window:?} are dead letters", share * 100.0)
            }
        }
    }
}

/// What one partition came to; a closed gauge stays closed.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauge {
    in_a_row: u64,
    window: Window,
    closed: Option<Cause>,
}

/// Two half windows: what is counted is between one half and a whole window old at most.
#[derive(Debug, Clone, Copy, Default)]
struct Window {
    since: Duration,
    now: Counts,
    before: Counts,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    letters: u64,
    delivered: u64,
}

impl Gauge {
    pub(super) fn delivered(&mut self, records: u64, now: Duration, limits: &FloodLimits) {
        self.in_a_row = 0;
        self.window.turn(now, limits.window);
        self.window.now.delivered += records;
    }

    /// How many of the letters may be set aside, from the first on; they are counted. When it is none the gauge is closed. `rows` are the letters of
    /// one answer in their order, parted where it delivered something.
    pub(super) fn set_aside(&mut self, rows: &[u64], now: Duration, limits: &FloodLimits) -> Result<u64, Cause> {
        self.window.turn(now, limits.window);
        let mut granted = 0;
        for (place, row) in rows.iter().enumerate() {
            if place > 0 {
                self.in_a_row = 0;
            }
            for _ in 0..*row {
                match self.closed.or_else(|| self.over(limits)) {
                    Some(_) if granted > 0 => return Ok(granted),
                    Some(cause) => return Err(*self.closed.insert(cause)),
                    None => {}
                }
                self.in_a_row += 1;
                self.window.now.letters += 1;
                granted += 1;
            }
        }
        Ok(granted)
    }

    pub(super) fn cause(&self) -> Option<Cause> {
        self.closed
    }

    /// Which limit what was set aside has reached.
    fn over(&self, limits: &FloodLimits) -> Option<Cause> {
        let Counts { letters, delivered } = self.window.sum();
        let share = letters as f64 / (letters + delivered).max(1) as f64;
        if limits.in_a_row > 0 && self.in_a_row >= limits.in_a_row {
            Some(Cause::InARow(self.in_a_row))
        } else if limits.in_window > 0 && letters >= limits.in_window {
            Some(Cause::InWindow(letters, limits.window))
        } else if limits.share > 0.0 && letters + delivered >= limits.enough && share >= limits.share {
            Some(Cause::Share(share, limits.window))
        } else {
            None
        }
    }
}

impl Window {
    fn turn(&mut self, now: Duration, window: Duration) {
        let half = window / 2;
        let age = now.saturating_sub(self.since);
        if age >= window {
            *self = Self { since: now, ..Self::default() };
        } else if age >= half {
            *self = Self { since: self.since + half, now: Counts::default(), before: self.now };
        }
    }

    fn sum(&self) -> Counts {
        let Self { now, before, .. } = self;
        Counts { letters: now.letters + before.letters, delivered: now.delivered + before.delivered }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cause, FloodLimits, Gauge};
    use std::time::Duration;

    const LIMITS: FloodLimits =
        FloodLimits { in_a_row: 10, in_window: 50, share: 0.5, enough: 20, window: Duration::from_secs(60) };

    fn one(gauge: &mut Gauge, letters: u64, now: Duration, limits: &FloodLimits) -> Option<Cause> {
        match gauge.set_aside(&[letters], now, limits) {
            Ok(granted) => {
                assert_eq!(granted, letters);
                None
            }
            Err(cause) => Some(cause),
        }
    }

    fn second(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_row_ends_with_a_delivered_record_and_a_closed_gauge_stays_closed() {
        let mut gauge = Gauge::default();
        assert_eq!(one(&mut gauge, 9, second(0), &LIMITS), None);
        gauge.delivered(100, second(0), &LIMITS);
        assert_eq!(one(&mut gauge, 9, second(1), &LIMITS), None);
        assert_eq!(one(&mut gauge, 1, second(1), &LIMITS), None);
        let cause = Some(Cause::InARow(10));
        assert_eq!(one(&mut gauge, 1, second(1), &LIMITS), cause);
        gauge.delivered(1_000, second(2), &LIMITS);
        assert_eq!((one(&mut gauge, 1, second(1_000), &LIMITS), gauge.cause()), (cause, cause));
    }

    #[test]
    fn a_share_counts_once_there_is_enough_and_a_window_forgets() {
        let limits = FloodLimits { in_a_row: 0, in_window: 0, ..LIMITS };
        let mut gauge = Gauge::default();
        assert_eq!(one(&mut gauge, 9, second(0), &limits), None);
        gauge.delivered(10, second(0), &limits);
        assert_eq!(one(&mut gauge, 1, second(0), &limits), None, "19 are not enough");
        assert_eq!(one(&mut gauge.clone(), 1, second(31), &limits), Some(Cause::Share(0.5, limits.window)));
        assert_eq!(one(&mut gauge, 1, second(61), &limits), None, "a window later");
    }

    #[test]
    fn a_window_has_its_absolute_limit_and_nought_switches_off() {
        let mut gauge = Gauge::default();
        let limits = FloodLimits { in_a_row: 0, share: 0.0, ..LIMITS };
        for at in 0..50 {
            assert_eq!(one(&mut gauge, 1, second(at / 5), &limits), None);
        }
        assert_eq!(one(&mut gauge.clone(), 1, second(10), &limits), Some(Cause::InWindow(50, limits.window)));
        let none = FloodLimits { in_window: 0, ..limits };
        assert_eq!(one(&mut gauge, 1, second(10), &none), None);
    }

    #[test]
    fn an_answer_is_stopped_where_a_limit_is_reached_and_not_where_something_was_delivered_between() {
        let mut gauge = Gauge::default();
        assert_eq!(gauge.set_aside(&[25], second(0), &LIMITS), Ok(10));
        assert_eq!(gauge.clone().set_aside(&[15], second(0), &LIMITS), Err(Cause::InARow(10)));
        gauge.delivered(30, second(0), &LIMITS);
        assert_eq!(gauge.set_aside(&[6, 6, 8, 0], second(0), &LIMITS), Ok(20));
        assert_eq!(gauge.set_aside(&[9, 12], second(0), &LIMITS), Err(Cause::Share(0.5, LIMITS.window)));
        let limits = FloodLimits { share: 0.0, ..LIMITS };
        let mut gauge = Gauge::default();
        assert_eq!(gauge.set_aside(&[9, 9, 9, 9, 9, 9], second(0), &limits), Ok(50));
        assert_eq!(gauge.set_aside(&[4], second(0), &limits), Err(Cause::InWindow(50, limits.window)));
    }
}
