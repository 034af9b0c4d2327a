//! Tells everybody what changed: log lines, metrics, and whether the consumer is ready.

use super::breaker::{BreakerState, Force};
use super::rules::Rules;
use crate::condition::{Condition, Part};
use crate::metrics::Meters;
use std::sync::Arc;

/// See the head of the file.
pub(super) struct Herald {
    function: String,
    meters: Arc<Meters>,
    condition: Condition,
}

/// What is worth telling when it changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stand {
    state: BreakerState,
    force: Force,
    limit: usize,
    max: usize,
    rate: f64,
}

impl Stand {
    pub(super) fn of(rules: &Rules) -> Self {
        Self {
            state: rules.breaker.state(),
            force: rules.breaker.force(),
            limit: rules.concurrency.limit(),
            max: rules.concurrency.max(),
            rate: rules.rate.per_second(),
        }
    }

    /// Whether the breaker is another than before.
    pub(super) fn other_breaker(&self, before: &Self) -> bool {
        (self.state, self.force) != (before.state, before.force)
    }
}

impl Herald {
    pub(super) fn new(function: &str, meters: Arc<Meters>, condition: Condition) -> Self {
        Self { function: function.to_owned(), meters, condition }
    }

    /// Shows how things stand at the start.
    pub(super) fn begin(&self, now: &Stand) {
        self.show(now);
    }

    /// What became of `before`.
    pub(super) fn tell(&self, before: &Stand, rules: &Rules) {
        let now = Stand::of(rules);
        if now == *before {
            return;
        }
        if now.other_breaker(before) {
            self.tell_breaker(before, &now, rules);
        }
        if (now.limit, now.max) != (before.limit, before.max) {
            self.tell_limit(before, &now);
        }
        self.show(&now);
    }

    fn tell_breaker(&self, before: &Stand, now: &Stand, rules: &Rules) {
        let (state, was, forced) = (now.state.as_str(), before.state.as_str(), now.force.as_str());
        let why = rules.breaker.cause().map_or_else(String::new, |cause| cause.to_string());
        let function = &self.function;
        if now.state == BreakerState::Closed {
            self.condition.clear(Part::Breaker);
            tracing::info!(function, state, was, forced, "the breaker is closed: invocations pass");
            return;
        }
        self.condition.complain(Part::Breaker, format!("the breaker of function {function} is {state}: {why}"));
        if now.state == BreakerState::Open {
            self.meters.guard.opened.add(u64::from(before.state != BreakerState::Open));
            tracing::error!(function, state, was, forced, why, "the breaker is open: no invocation passes");
        } else {
            tracing::info!(function, state, was, forced, why, "the breaker is half-open: one probe at a time passes");
        }
    }

    /// Every decrease is counted; leaving the maximum and being back there is worth a line.
    fn tell_limit(&self, before: &Stand, now: &Stand) {
        let (function, limit, max) = (&self.function, now.limit, now.max);
        let by_itself = now.max == before.max;
        self.meters.guard.shrunk.add(u64::from(by_itself && now.limit < before.limit));
        if by_itself && before.limit == before.max {
            tracing::warn!(
                function,
                limit,
                max,
                "fewer invocations at once: the function throttles or is over the latency budget"
            );
        } else if by_itself && now.limit == now.max {
            tracing::info!(function, limit, max, "as many invocations at once as are allowed again");
        }
    }

    fn show(&self, now: &Stand) {
        let meters = &self.meters.guard;
        meters.breaker(now.state.as_str());
        meters.concurrency_limit.set(now.limit as f64);
        meters.rate_limit.set(now.rate);
    }
}
