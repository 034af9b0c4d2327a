//! The only place that reads time: monotonic and wall clock, and one that a test turns by hand.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where time comes from. Everything that decides by time takes one of these, so that a test can turn it.
pub trait Clock: Send + Sync + 'static {
    /// Monotonic time since an arbitrary start; never goes back. Differences are what matters.
    fn now(&self) -> Duration;
    /// Wall clock, milliseconds since the Unix epoch; may jump when the machine's clock is set.
    fn wall_ms(&self) -> i64;
}

/// A clock that is shared between parts.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock, shared.
pub fn system() -> SharedClock {
    Arc::new(SystemClock)
}

/// The machine's clock. All instances agree: the start is the first reading in this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

static START: OnceLock<Instant> = OnceLock::new();

#[allow(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
impl Clock for SystemClock {
    fn now(&self) -> Duration {
        START.get_or_init(Instant::now).elapsed()
    }

    fn wall_ms(&self) -> i64 {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Duration {
        (**self).now()
    }

    fn wall_ms(&self) -> i64 {
        (**self).wall_ms()
    }
}

/// A clock that stands still until it is told otherwise; clones show the same time.
#[derive(Clone, Default)]
pub struct ManualClock {
    hands: Arc<Hands>,
}

#[derive(Default)]
struct Hands {
    now_nanos: AtomicU64,
    wall_ms: AtomicI64,
}

impl ManualClock {
    /// Starts at zero on the monotonic side, and at `wall_ms` since the epoch.
    pub fn starting_at(wall_ms: i64) -> Self {
        let clock = Self::default();
        clock.hands.wall_ms.store(wall_ms, Ordering::SeqCst);
        clock
    }

    /// Moves both sides forward.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.hands.now_nanos.fetch_add(nanos, Ordering::SeqCst);
        self.hands.wall_ms.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets the wall clock alone, as an operator or NTP does.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        self.hands.wall_ms.store(wall_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.hands.now_nanos.load(Ordering::SeqCst))
    }

    fn wall_ms(&self) -> i64 {
        self.hands.wall_ms.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("now", &self.now()).field("wall_ms", &self.wall_ms()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_clock_moves_forward_and_all_instances_agree() {
        let first = SystemClock.now();
        let second = system().now();
        assert!(second >= first);
        assert!(SystemClock.wall_ms() > 1_700_000_000_000);
    }

    #[test]
    fn manual_clock_moves_only_when_told_and_clones_share_it() {
        let clock = ManualClock::starting_at(1_000);
        let other = clock.clone();
        assert_eq!((other.now(), other.wall_ms()), (Duration::ZERO, 1_000));
        clock.advance(Duration::from_millis(1_500));
        assert_eq!((other.now(), other.wall_ms()), (Duration::from_millis(1_500), 2_500));
        other.set_wall_ms(10);
        assert_eq!((clock.now(), clock.wall_ms()), (Duration::from_millis(1_500), 10));
    }
}
