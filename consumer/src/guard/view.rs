//! How the guard stands, for /status and the admin port.

use super::Limits;
use super::book::Book;
use super::breaker::{BreakerState, Force, Look};
use crate::topic::TopicPlan;
use serde::Serialize;
use std::time::Duration;

/// Everything that the guard says of itself. With several functions, what stands here beside the list is the first one's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GuardView {
    pub function: String,
    pub breaker: BreakerView,
    /// Calls of the function that may be under way now; between 1 and `max_in_flight`.
    pub concurrency_limit: usize,
    /// Whether that follows the function, or is always the maximum.
    pub adaptive: bool,
    /// Calls that hold a permit, of all functions.
    pub under_way: usize,
    #[serde(flatten)]
    pub limits: Limits,
    /// All functions, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<FunctionView>,
    /// All topics, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<TopicView>,
}

/// How one function stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FunctionView {
    pub function: String,
    pub breaker: BreakerView,
    pub concurrency_limit: usize,
    pub under_way: usize,
}

/// How one topic stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicView {
    pub topic: String,
    pub weight: u32,
    pub function: String,
    /// Its calls that wait for a permit.
    pub waiting: usize,
}

/// How a breaker stands.
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
    pub(super) fn of(book: &Book, now: Duration) -> Self {
        let all: Vec<FunctionView> = (0..book.functions.len()).map(|nth| FunctionView::of(book, nth, now)).collect();
        let FunctionView { function, breaker, concurrency_limit, .. } = all[0].clone();
        let topics: Vec<TopicView> =
            book.topics().map(|(topic, waiting)| TopicView::of(&topic.plan, waiting)).collect();
        Self {
            function,
            breaker,
            concurrency_limit,
            adaptive: book.rules.functions[0].concurrency.is_adaptive(),
            under_way: book.rules.under_way(),
            limits: book.rules.limits(),
            functions: if all.len() > 1 { all } else { Vec::new() },
            topics: if topics.len() > 1 { topics } else { Vec::new() },
        }
    }
}

impl FunctionView {
    fn of(book: &Book, nth: usize, now: Duration) -> Self {
        let rules = &book.rules.functions[nth];
        Self {
            function: book.functions[nth].name.to_string(),
            breaker: BreakerView::of(book, nth, now),
            concurrency_limit: rules.concurrency.limit(),
            under_way: rules.concurrency.under_way(),
        }
    }
}

impl TopicView {
    fn of(plan: &TopicPlan, waiting: usize) -> Self {
        Self { topic: plan.name.clone(), weight: plan.weight, function: plan.function.clone(), waiting }
    }
}

impl BreakerView {
    fn of(book: &Book, nth: usize, now: Duration) -> Self {
        let breaker = &book.rules.functions[nth].breaker;
        let next_probe_in_ms = match breaker.look(now) {
            Look::Later(span) => Some(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            Look::Probe => Some(0),
            Look::Pass | Look::Changed => None,
        };
        Self {
            state: breaker.state(),
            since_ms: book.functions[nth].since_ms,
            forced: breaker.force(),
            why: breaker.cause().map(|cause| cause.to_string()),
            next_probe_in_ms,
        }
    }
}
