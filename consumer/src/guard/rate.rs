//! The invocation rate limit: governor's cells, one a call. Pure: time is an argument.

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Calls per second: never more than the rate, and a hundredth of a second of it at once.
#[derive(Debug)]
pub struct InvocationRate {
    per_second: f64,
    limiter: Option<RateLimiter<NotKeyed, InMemoryState, Hand, NoOpMiddleware<Nanos>>>,
    hand: Hand,
}

/// A clock that is set to the time of each question.
#[derive(Debug, Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl GovernorClock for Hand {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(Duration::from_nanos(self.0.load(Ordering::Relaxed)))
    }
}

impl Hand {
    fn set(&self, now: Duration) {
        self.0.store(u64::try_from(now.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl InvocationRate {
    /// `per_second` is 0, which is no limit, or positive.
    pub fn new(per_second: f64, now: Duration) -> Self {
        let hand = Hand::default();
        hand.set(now);
        Self {
            per_second,
            limiter: quota(per_second).map(|quota| RateLimiter::direct_with_clock(quota, hand.clone())),
            hand,
        }
    }

    pub fn per_second(&self) -> f64 {
        self.per_second
    }

    /// Takes one call off the rate; how long to wait when there is none.
    ///
    /// # Errors
    /// The rate is used up for so long.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        self.hand.set(now);
        limiter.check().map_err(|not_yet| not_yet.wait_time_from(self.hand.now()))
    }
}

fn quota(per_second: f64) -> Option<Quota> {
    if per_second <= 0.0 {
        return None;
    }
    // Rounded up: the limit is never passed.
    let interval = Duration::from_nanos((1e9 / per_second).ceil() as u64);
    let burst = NonZeroU32::new((per_second / 100.0) as u32).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(interval).map(|quota| quota.allow_burst(burst))
}

#[cfg(test)]
mod tests {
    use super::InvocationRate;
    use std::time::Duration;

    /// Calls within `seconds`, as many as there may be.
    fn run(rate: &mut InvocationRate, from: Duration, seconds: u64) -> u64 {
        let (mut now, mut calls) = (from, 0);
        while now < from + Duration::from_secs(seconds) {
            match rate.take(now) {
                Ok(()) => calls += 1,
                Err(wait) => now += wait.max(Duration::from_nanos(1)),
            }
        }
        calls
    }

    #[test]
    fn a_second_holds_the_rate_even_the_first() {
        for per_second in [0.5, 1.0, 7.0, 100.0, 1_000.0] {
            let start = Duration::from_secs(1_000);
            let calls = run(&mut InvocationRate::new(per_second, start), start, 10) as f64;
            let expected = per_second * 10.0;
            assert!(
                (expected - 1.0..=expected * 1.011 + 1.0).contains(&calls),
                "{calls} calls in 10 s at {per_second}"
            );
        }
    }

    #[test]
    fn zero_is_no_limit() {
        let mut rate = InvocationRate::new(0.0, Duration::ZERO);
        assert!((0..1_000_000).all(|_| rate.take(Duration::ZERO).is_ok()));
    }
}
