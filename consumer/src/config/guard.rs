//! Sections `[breaker]` and `[concurrency]`, and the limits of `[function]`: what protects the function.

use super::Raw;
use crate::guard::{BreakerSettings, ConcurrencySettings, GuardSettings, Limits};
use crate::topic::TopicPlan;
use runtime::config::{ConfigError, Settings, Span};
use serde::{Deserialize, Serialize};

/// More calls at once than any one process should make.
const MOST_IN_FLIGHT: usize = 10_000;

/// Section `[breaker]`: when no invocation passes any more, and for how long. Being throttled never opens it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerRaw {
    /// So many failures in a row open it, and fewer never do. A failure is a connection that breaks, an answer 5xx, no answer in time.
    pub failures: u32,
    /// So large a share of the invocations within `window` opens it too.
    pub share: f64,
    pub window: Span,
    /// How long it is open at first; twice as long after each failed probe, up to `open_cap`.
    pub open_for: Span,
    pub open_cap: Span,
    /// The most records of a probe.
    pub probe_records: u32,
}

/// Section `[concurrency]`: whether the number of invocations at once follows the function.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConcurrencyRaw {
    /// It shrinks while the function throttles, and grows back to `function.max_in_flight`.
    pub adaptive: bool,
    /// It shrinks too while invocations take longer; 0: however long they take.
    pub latency_budget: Span,
}

impl Default for BreakerRaw {
    fn default() -> Self {
        Self {
            // One lost connection may end many calls at once: it costs open_for once and is over with the first probe.
            failures: 10,
            share: 0.5,
            window: Span::from_secs(10),
            open_for: Span::from_secs(1),
            // As with retry.cap.
            open_cap: Span::from_secs(5),
            probe_records: 10,
        }
    }
}

impl Default for ConcurrencyRaw {
    fn default() -> Self {
        // No budget: a slow Lambda is not made faster by fewer calls, unless what stands behind it is overloaded.
        Self { adaptive: true, latency_budget: Span::from_millis(0) }
    }
}

/// `carried` is how many calls there can be at once, for later changes.
pub(super) fn validate(
    settings: &Settings,
    raw: &Raw,
    (topics, carried): (&[TopicPlan], usize),
) -> Result<GuardSettings, ConfigError> {
    check_breaker(settings, &raw.breaker)?;
    let budget = raw.concurrency.latency_budget;
    if budget != Span::from_millis(0) && !(Span::from_millis(1)..=Span::from_secs(900)).contains(&budget) {
        return Err(settings.refuse("concurrency.latency_budget", "allowed is 0 (no budget) or 1ms to 900s"));
    }
    let limits = Limits {
        max_in_flight: raw.function.max_in_flight as usize,
        invocations_per_second: raw.function.invocations_per_second,
    };
    limits.validate(MOST_IN_FLIGHT).map_err(|(name, allowed)| settings.refuse(&format!("function.{name}"), allowed))?;
    Ok(GuardSettings {
        topics: topics.to_vec(),
        breaker: breaker(&raw.breaker),
        concurrency: ConcurrencySettings {
            adaptive: raw.concurrency.adaptive,
            latency_budget: Some(budget.get()).filter(|budget| !budget.is_zero()),
        },
        limits,
        most_in_flight: carried,
    })
}

fn check_breaker(settings: &Settings, raw: &BreakerRaw) -> Result<(), ConfigError> {
    for (key, value) in [("breaker.failures", raw.failures), ("breaker.probe_records", raw.probe_records)] {
        if !(1..=10_000).contains(&value) {
            return Err(settings.refuse(key, "allowed is 1 to 10000"));
        }
    }
    if !(0.01..=1.0).contains(&raw.share) {
        return Err(settings.refuse("breaker.share", "allowed is 0.01 to 1"));
    }
    let hour = Span::from_secs(3_600);
    let ranges = [
        ("breaker.window", raw.window, Span::from_secs(1), hour),
        ("breaker.open_for", raw.open_for, Span::from_millis(100), hour),
        ("breaker.open_cap", raw.open_cap, raw.open_for, hour),
    ];
    for (key, value, least, most) in ranges {
        if value < least || value > most {
            return Err(settings.refuse(key, format!("allowed is {:?} to {:?}", least.get(), most.get())));
        }
    }
    Ok(())
}

fn breaker(raw: &BreakerRaw) -> BreakerSettings {
    BreakerSettings {
        failures: raw.failures,
        share: raw.share,
        window: raw.window.get(),
        open_for: raw.open_for.get(),
        open_cap: raw.open_cap.get(),
        probe_records: raw.probe_records as usize,
    }
}
