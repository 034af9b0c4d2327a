//! Liveness means progress: each component beats, and says whether it is ready.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::clock::{Clock, SharedClock};

/// In place of a last beat: nothing to do, not counted.
const RESTING: u64 = u64::MAX;

/// The health of a process: the sum of its components. Clones are the same health.
#[derive(Clone)]
pub struct Health {
    clock: SharedClock,
    components: Arc<Mutex<Vec<Arc<Component>>>>,
}

struct Component {
    name: String,
    limit: Duration,
    last_beat_nanos: AtomicU64,
    unready: Mutex<Option<String>>,
}

/// The heartbeat of one component. Dropping it (a thread that died) does not remove the component: it then shows as
/// stuck; [`Beat::retire`] does.
#[derive(Clone)]
pub struct Beat {
    health: Health,
    component: Arc<Component>,
}

/// What a health check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checkup {
    /// True when nothing is wrong.
    pub ok: bool,
    /// Who is wrong, and why.
    pub wrong: Vec<Complaint>,
}

/// One component that is stuck or not ready.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// The component's name.
    pub component: String,
    /// A short reason.
    pub why: String,
}

impl Health {
    /// No components yet: live, but not ready.
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, components: Arc::default() }
    }

    /// Adds a component that must call [`Beat::progress`] at least every `limit` to be live. It starts as just having
    /// progressed, and as not ready.
    pub fn component(&self, name: &str, limit: Duration) -> Beat {
        let component = Arc::new(Component {
            name: name.to_owned(),
            limit,
            last_beat_nanos: AtomicU64::new(nanos(self.clock.now())),
            unready: Mutex::new(Some("starting".to_owned())),
        });
        self.components.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&component));
        Beat { health: self.clone(), component }
    }

    /// Whether every component progressed within its limit.
    pub fn live(&self) -> Checkup {
        let now = self.clock.now();
        Checkup::of(self.components().iter().filter_map(|component| component.stuck(now)).collect())
    }

    /// Whether every component is ready for work; not before there is one.
    pub fn ready(&self) -> Checkup {
        let components = self.components();
        if components.is_empty() {
            return Checkup::of(vec![Complaint { component: "process".to_owned(), why: "starting".to_owned() }]);
        }
        Checkup::of(components.iter().filter_map(|component| component.not_ready()).collect())
    }

    fn components(&self) -> Vec<Arc<Component>> {
        self.components.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Beat {
    /// Something moved forward. Cheap enough for every turn of a loop.
    pub fn progress(&self) {
        self.component.last_beat_nanos.store(nanos(self.health.clock.now()), Ordering::Relaxed);
    }

    /// There is nothing to do: no progress is expected until the next [`Beat::progress`]. Only for who cannot be
    /// stuck while waiting.
    pub fn rest(&self) {
        self.component.last_beat_nanos.store(RESTING, Ordering::Relaxed);
    }

    /// Whether this component can take work, and if not, why; `why` is ignored when it is.
    pub fn ready(&self, ready: bool, why: &str) {
        let why = (!ready).then(|| why.to_owned());
        *self.component.unready.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// The component ended as it should: it no longer counts.
    pub fn retire(self) {
        let mut components = self.health.components.lock().unwrap_or_else(PoisonError::into_inner);
        components.retain(|component| !Arc::ptr_eq(component, &self.component));
    }
}

impl Component {
    fn stuck(&self, now: Duration) -> Option<Complaint> {
        let last = self.last_beat_nanos.load(Ordering::Relaxed);
        let silent = now.saturating_sub(Duration::from_nanos(last));
        if last == RESTING || silent <= self.limit {
            return None;
        }
        let why = format!("no progress for {} ms, allowed is {} ms", silent.as_millis(), self.limit.as_millis());
        Some(Complaint { component: self.name.clone(), why })
    }

    fn not_ready(&self) -> Option<Complaint> {
        let why = self.unready.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(Complaint { component: self.name.clone(), why })
    }
}

impl Checkup {
    fn of(wrong: Vec<Complaint>) -> Self {
        Self { ok: wrong.is_empty(), wrong }
    }
}

/// `poll: no progress for 9000 ms, allowed is 5000 ms; invoke: ...`, or `ok`.
impl fmt::Display for Checkup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ok {
            return f.write_str("ok");
        }
        let each: Vec<String> = self.wrong.iter().map(|wrong| format!("{}: {}", wrong.component, wrong.why)).collect();
        f.write_str(&each.join("; "))
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").field("live", &self.live()).field("ready", &self.ready()).finish()
    }
}

impl fmt::Debug for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beat").field("component", &self.component.name).finish_non_exhaustive()
    }
}

fn nanos(at: Duration) -> u64 {
    u64::try_from(at.as_nanos()).unwrap_or(RESTING - 1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::ManualClock;

    const LIMIT: Duration = Duration::from_secs(5);

    fn health() -> (ManualClock, Health) {
        let clock = ManualClock::default();
        (clock.clone(), Health::new(Arc::new(clock)))
    }

    #[test]
    fn a_component_is_live_as_long_as_it_progresses_within_its_limit() {
        let (clock, health) = health();
        let poll = health.component("poll", LIMIT);
        let _invoke = health.component("invoke", Duration::from_secs(60));
        clock.advance(LIMIT);
        assert!(health.live().ok);
        clock.advance(Duration::from_secs(1));
        assert_eq!(health.live().to_string(), "poll: no progress for 6000 ms, allowed is 5000 ms");
        poll.progress();
        assert_eq!(health.live().to_string(), "ok");
    }

    #[test]
    fn a_component_that_died_is_stuck_and_one_that_retired_is_not() {
        let (clock, health) = health();
        drop(health.component("died", LIMIT));
        health.component("retired", LIMIT).retire();
        clock.advance(LIMIT * 2);
        let stuck: Vec<String> = health.live().wrong.into_iter().map(|wrong| wrong.component).collect();
        assert_eq!(stuck, ["died"]);
    }

    #[test]
    fn a_resting_component_is_not_watched_until_it_works_again() {
        let (clock, health) = health();
        let invoke = health.component("invoke", LIMIT);
        invoke.rest();
        clock.advance(LIMIT * 100);
        assert!(health.live().ok);
        invoke.progress();
        clock.advance(LIMIT * 2);
        assert!(!health.live().ok);
    }

    #[test]
    fn ready_means_that_every_component_said_so() {
        let (_, health) = health();
        assert_eq!(health.ready().to_string(), "process: starting");
        let (poll, invoke) = (health.component("poll", LIMIT), health.component("invoke", LIMIT));
        poll.ready(true, "");
        assert_eq!(health.ready().to_string(), "invoke: starting");
        invoke.ready(true, "");
        assert!(health.ready().ok);
        poll.ready(false, "no assignment");
        assert_eq!(health.ready().to_string(), "poll: no assignment");
    }
}
