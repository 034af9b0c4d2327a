//! Guard: whether the function may be called now, and by how many at once.
//!
//! In: who wants to call, how calls ended, what an operator wants. Out: permits, first come first served.
//! Never: calls anything, gives up a record, or lets anybody overtake.

/// Whether it makes sense to call at all.
mod breaker;
/// How many calls may be under way at once.
mod concurrency;
/// Tells everybody what changed.
mod herald;
/// What can be changed while the consumer runs.
mod limits;
/// How a call ended, and what that says about the other side.
mod outcome;
/// The permit for one call.
mod permit;
/// How many calls may begin in a second.
mod rate;
/// The three rules together.
mod rules;
/// How it stands.
mod view;
/// What happened in the last while.
mod window;

use crate::condition::Condition;
use crate::metrics::Meters;
pub use breaker::{Breaker, BreakerSettings, BreakerState, Cause, Force, Look, Passed};
pub use concurrency::{Concurrency, ConcurrencySettings, Load, Round};
use herald::{Herald, Stand};
pub use limits::Limits;
pub use outcome::{Outcome, Sign};
pub use permit::Permit;
pub use rate::InvocationRate;
use rules::{Rules, Ticket, Wait};
use runtime::clock::SharedClock;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
pub use view::{BreakerView, GuardView};

/// Timers are no finer.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// What the guard must know, immutable.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardSettings {
    /// The function, for people.
    pub function: String,
    pub breaker: BreakerSettings,
    pub concurrency: ConcurrencySettings,
    /// At the start.
    pub limits: Limits,
    /// How many calls can be carried at once, however many are wanted later.
    pub most_in_flight: usize,
}

/// The guard in front of the function; clones are the same guard.
#[derive(Clone)]
pub struct Guard {
    shared: Arc<Shared>,
    most_in_flight: usize,
}

struct Shared {
    clock: SharedClock,
    meters: Arc<Meters>,
    herald: Herald,
    /// Whoever has the turn asks the rules; all others wait for it in a row.
    turn: tokio::sync::Mutex<()>,
    /// The rules may say something else now. Only who has the turn listens, and a call for nobody is kept for the next.
    changed: Notify,
    held: Mutex<HeldRules>,
}

struct HeldRules {
    rules: Rules,
    /// Since when the breaker is as it is; wall clock.
    since_ms: i64,
}

impl Guard {
    pub fn new(settings: GuardSettings, clock: SharedClock, meters: Arc<Meters>, condition: Condition) -> Self {
        let Limits { max_in_flight, invocations_per_second } = settings.limits;
        let rules = Rules {
            breaker: Breaker::new(settings.breaker),
            concurrency: Concurrency::new(settings.concurrency, max_in_flight),
            rate: InvocationRate::new(invocations_per_second, clock.now()),
        };
        let herald = Herald::new(&settings.function, meters.clone(), condition);
        herald.begin(&Stand::of(&rules));
        let held = Mutex::new(HeldRules { rules, since_ms: clock.wall_ms() });
        let (turn, changed) = (tokio::sync::Mutex::new(()), Notify::new());
        let shared = Arc::new(Shared { clock, meters, herald, turn, changed, held });
        Self { shared, most_in_flight: settings.most_in_flight }
    }

    /// Waits until a call may begin. Who asked first goes first; may be dropped at any time.
    pub async fn acquire(&self) -> Permit {
        let shared = &self.shared;
        let _waiting = shared.meters.guard.waits();
        let _turn = shared.turn.lock().await;
        loop {
            match shared.begin() {
                Ok((ticket, most)) => return Permit::new(shared.clone(), ticket, most),
                Err(Wait::Change) => shared.changed.notified().await,
                // Over time or a change, whichever comes first: then the rules are asked again.
                Err(Wait::For(span)) => {
                    let _ = tokio::time::timeout(span.max(LEAST_WAIT), shared.changed.notified()).await;
                }
            }
        }
    }

    /// Forces the breaker, or lets it decide by itself again.
    pub fn force(&self, force: Force) {
        tracing::info!(force = force.as_str(), "an operator moves the breaker");
        self.shared.change(|rules, _| rules.breaker.set_force(force));
    }

    /// Changes the limits from the next call on. They must be valid for [`Guard::most_in_flight`].
    pub fn set_limits(&self, limits: Limits) {
        self.shared.change(|rules, now| rules.set_limits(limits, now));
    }

    /// How many calls can be carried at once.
    pub fn most_in_flight(&self) -> usize {
        self.most_in_flight
    }

    /// How it stands; answers at once.
    pub fn view(&self) -> GuardView {
        let held = self.shared.held();
        GuardView::of(&held.rules, held.since_ms, self.shared.clock.now())
    }
}

impl Shared {
    /// Lets a call begin, with the most records that it may send. Nobody is woken by that: it only takes room.
    fn begin(&self) -> Result<(Ticket, usize), Wait> {
        self.ask(|rules, now| rules.begin(now).map(|ticket| (ticket, rules.most_records(ticket))))
    }

    /// Changes something that may let somebody pass.
    fn change(&self, act: impl FnOnce(&mut Rules, Duration)) {
        self.ask(act);
        self.changed.notify_one();
    }

    /// Asks the rules, and tells what changed by that.
    fn ask<T>(&self, act: impl FnOnce(&mut Rules, Duration) -> T) -> T {
        let mut held = self.held();
        let before = Stand::of(&held.rules);
        let answer = act(&mut held.rules, self.clock.now());
        if Stand::of(&held.rules).other_breaker(&before) {
            held.since_ms = self.clock.wall_ms();
        }
        self.herald.tell(&before, &held.rules);
        answer
    }

    fn held(&self) -> MutexGuard<'_, HeldRules> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
