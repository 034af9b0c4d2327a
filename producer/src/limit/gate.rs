//! One governor limiter on our clock, paid in pieces no larger than its burst.

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use runtime::clock::SharedClock;
use std::num::NonZeroU32;
use std::time::Duration;

/// Our clock in governor's words.
#[derive(Clone)]
struct Ours(SharedClock);

impl GovernorClock for Ours {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.now())
    }
}

pub(super) struct Gate {
    limiter: RateLimiter<NotKeyed, InMemoryState, Ours, NoOpMiddleware<Nanos>>,
    clock: Ours,
    burst: NonZeroU32,
}

impl Gate {
    /// A gate for `rate` cells/s; `None` when the rate is 0, which is no limit.
    pub(super) fn new(rate: f64, largest_burst: u32, clock: &SharedClock) -> Option<Self> {
        if rate <= 0.0 {
            return None;
        }
        // A rounded-up interval: the limit is never passed, and missed by less than a thousandth below a million cells/s.
        let interval = Duration::from_nanos((1e9 / rate).ceil() as u64);
        let burst = NonZeroU32::new(((rate / 100.0) as u32).clamp(1, largest_burst)).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(interval)?.allow_burst(burst);
        let clock = Ours(clock.clone());
        Some(Self { limiter: RateLimiter::direct_with_clock(quota, clock.clone()), clock, burst })
    }

    pub(super) fn burst(&self) -> usize {
        self.burst.get() as usize
    }

    /// Pays `cells` down; the time until the next piece can be paid, or `None` when nothing is left.
    pub(super) fn pay(&self, cells: &mut u32) -> Option<Duration> {
        while let Some(piece) = NonZeroU32::new((*cells).min(self.burst.get())) {
            match self.limiter.check_n(piece) {
                Ok(Ok(())) => *cells -= piece.get(),
                Ok(Err(not_yet)) => return Some(not_yet.wait_time_from(self.clock.now())),
                // A piece is never larger than the burst, so there is always enough capacity.
                Err(_) => return Some(Duration::from_millis(1)),
            }
        }
        None
    }
}
