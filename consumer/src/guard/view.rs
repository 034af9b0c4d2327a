//! How the guard stands, for /status and the admin port.

use super::Limits;
use super::breaker::{BreakerState, Force, Look};
use super::rules::Rules;
use serde::Serialize;
use std::time::Duration;

/// Everything that the guard says of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuardView {
    pub breaker: BreakerView,
    /// Calls that may be under way now; between 1 and `max_in_flight`.
    pub concurrency_limit: usize,
    /// Whether that follows the function, or is always the maximum.
    pub adaptive: bool,
    /// Calls that hold a permit.
    pub under_way: usize,
    #[serde(flatten)]
    pub limits: Limits,
}

/// How the breaker stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BreakerView {
    pub state: BreakerState,
    /// Wall clock, milliseconds since the epoch.
    pub since_ms: i64,
    pub forced: Force,
    /// Why it is not closed.
    pub why: Option<String>,
    /// How long until a probe may go, in milliseconds.
    pub next_probe_in_ms: Option<u64>,
}

impl GuardView {
    pub(super) fn of(rules: &Rules, since_ms: i64, now: Duration) -> Self {
        let (breaker, concurrency) = (&rules.breaker, &rules.concurrency);
        let next_probe_in_ms = match breaker.look(now) {
            Look::Later(span) => Some(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            Look::Probe => Some(0),
            Look::Pass | Look::Changed => None,
        };
        Self {
            breaker: BreakerView {
                state: breaker.state(),
                since_ms,
                forced: breaker.force(),
                why: breaker.cause().map(|cause| cause.to_string()),
                next_probe_in_ms,
            },
            concurrency_limit: concurrency.limit(),
            adaptive: concurrency.is_adaptive(),
            under_way: concurrency.under_way(),
            limits: rules.limits(),
        }
    }
}
