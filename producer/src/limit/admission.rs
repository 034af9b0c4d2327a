//! Admission: the same limits, for who must be told at once instead of waiting.
//!
//! A request is let in while nothing is owed, and may then cost more than is there: the rest is owed, and until time has paid
//! it nobody is let in. So a request of any size passes an idle limit, and over time no more passes than the limits allow. Up
//! to a second's worth may come at once, because a sender that is refused comes back in whole seconds.
//!
//! This is the rule of governor's cells (GCRA) without a largest cell count, which governor needs and requests do not have.

use super::LimitControl;
use runtime::clock::SharedClock;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How much unused time is kept for later.
const KEPT: Duration = Duration::from_secs(1);
/// The longest debt: a limit that is set lower later must not close the door for years.
const LONGEST_DEBT_SECONDS: f64 = 86_400.0;

/// The limits at the way in; follows the [`LimitControl`].
pub struct Admission {
    control: LimitControl,
    clock: SharedClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    version: u64,
    events: Account,
    bytes: Account,
}

/// One limit: up to when its time is spent.
#[derive(Default)]
struct Account {
    /// Per second; 0 is no limit.
    rate: f64,
    spent_until: Duration,
}

impl Admission {
    pub fn new(control: LimitControl, clock: SharedClock) -> Self {
        Self { control, clock, state: Mutex::default() }
    }

    /// Lets `events` of `bytes` bytes in and has them paid for; nothing at all only asks whether anything would be let in.
    ///
    /// # Errors
    /// How long until the limits are kept again.
    pub fn admit(&self, events: usize, bytes: usize) -> Result<(), Duration> {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.follow(&mut state, now);
        let owed = state.events.owed(now).max(state.bytes.owed(now));
        if !owed.is_zero() {
            return Err(owed);
        }
        state.events.pay(events, now);
        state.bytes.pay(bytes, now);
        Ok(())
    }

    fn follow(&self, state: &mut State, now: Duration) {
        let version = self.control.version.load(Ordering::Acquire);
        if version == state.version {
            return;
        }
        state.version = version;
        let limits = self.control.get();
        state.events.change(limits.events_per_second, now);
        state.bytes.change(limits.bytes_per_second.bytes() as f64, now);
    }
}

impl Account {
    fn owed(&self, now: Duration) -> Duration {
        if self.rate > 0.0 { self.spent_until.saturating_sub(now) } else { Duration::ZERO }
    }

    fn pay(&mut self, count: usize, now: Duration) {
        let cost = if self.rate > 0.0 { span(count as f64 / self.rate) } else { Duration::ZERO };
        self.spent_until = self.spent_until.max(now.saturating_sub(KEPT)) + cost;
    }

    /// What is owed is owed in events or bytes: a new rate pays it faster or slower.
    fn change(&mut self, rate: f64, now: Duration) {
        let owed = self.owed(now).as_secs_f64() * self.rate;
        *self = Self { rate, spent_until: now };
        if rate > 0.0 {
            self.spent_until += span(owed / rate);
        }
    }
}

fn span(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_DEBT_SECONDS))
}
