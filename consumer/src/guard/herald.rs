//! Tells everybody what changed: log lines, metrics, and whether the consumer is ready.

use super::breaker::{Breaker, BreakerState, Force};
use super::rules::{FunctionRules, Rules};
use crate::condition::{Condition, Part};
use crate::metrics::{FunctionMeters, Meters};
use runtime::metrics::Gauge;
use std::sync::Arc;

/// See the head of the file. Each function has its own.
pub(super) struct Herald {
    function: Arc<str>,
    meters: FunctionMeters,
    rate_limit: Gauge,
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
    pub(super) fn of(rules: &Rules, function: usize) -> Self {
        let FunctionRules { breaker, concurrency } = &rules.functions[function];
        Self {
            state: breaker.state(),
            force: breaker.force(),
            limit: concurrency.limit(),
            max: concurrency.max(),
            rate: rules.rate.per_second(),
        }
    }

    /// Whether the breaker is another than before.
    pub(super) fn other_breaker(&self, before: &Self) -> bool {
        (self.state, self.force) != (before.state, before.force)
    }
}

impl Herald {
    pub(super) fn new(function: Arc<str>, meters: &Meters, condition: Condition) -> Self {
        let (own, rate_limit) = (meters.guard.function(&function), meters.guard.rate_limit.clone());
        Self { function, meters: own, rate_limit, condition }
    }

    /// Shows how things stand at the start.
    pub(super) fn begin(&self, now: &Stand) {
        self.show(now);
    }

    /// What became of `before`.
    pub(super) fn tell(&self, before: &Stand, now: &Stand, breaker: &Breaker) {
        if now == before {
            return;
        }
        if now.other_breaker(before) {
            self.tell_breaker(before, now, breaker);
        }
        if (now.limit, now.max) != (before.limit, before.max) {
            self.tell_limit(before, now);
        }
        self.show(now);
    }

    fn tell_breaker(&self, before: &Stand, now: &Stand, breaker: &Breaker) {
        let (state, was, forced) = (now.state.as_str(), before.state.as_str(), now.force.as_str());
        let why = breaker.cause().map_or_else(String::new, |cause| cause.to_string());
        let function = &*self.function;
        if now.state == BreakerState::Closed {
            self.condition.clear_about(Part::Breaker, function);
            tracing::info!(function, state, was, forced, "the breaker is closed: invocations pass");
            return;
        }
        let sentence = format!("the breaker of function {function} is {state}: {why}");
        self.condition.complain_about(Part::Breaker, function, sentence);
        if now.state == BreakerState::Open {
            self.meters.opened.add(u64::from(before.state != BreakerState::Open));
            tracing::error!(function, state, was, forced, why, "the breaker is open: no invocation passes");
        } else {
            tracing::info!(function, state, was, forced, why, "the breaker is half-open: one probe at a time passes");
        }
    }

    /// Every decrease is counted; leaving the maximum and being back there is worth a line.
    fn tell_limit(&self, before: &Stand, now: &Stand) {
        let (function, limit, max) = (&*self.function, now.limit, now.max);
        let by_itself = now.max == before.max;
        self.meters.shrunk.add(u64::from(by_itself && now.limit < before.limit));
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
        self.meters.breaker(now.state.as_str());
        self.meters.concurrency_limit.set(now.limit as f64);
        self.rate_limit.set(now.rate);
    }
}
