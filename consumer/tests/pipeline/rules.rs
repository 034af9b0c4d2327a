//! How the rig is set up: small batches, no jitter, the documented guard.

use consumer::batch_limit::SizeSettings;
use consumer::collect::Limits;
use consumer::deferral::{Deferral, Delay};
use consumer::desk::{DeskSettings, Room};
use consumer::guard::{BreakerSettings, ConcurrencySettings, GuardSettings, Limits as GuardLimits};
use consumer::policy::Pace;
use consumer::topic::TopicPlan;
use domain::backoff::Backoff;
use std::time::Duration;

pub const TOPIC: &str = "t";
pub const FUNCTION: &str = "dispatcher";
/// Backoff in the rig has no jitter: it always waits for the whole ceiling.
pub const BASE: Duration = Duration::from_millis(100);
pub const CAP: Duration = Duration::from_secs(2);
/// Function errors that a record may be part of: two, three cuts of eight, and one more.
pub const ATTEMPTS: u32 = 6;
/// Delays of a topic that puts records off.
pub const RETRIES: [(&str, u64); 2] = [("5s", 5), ("30s", 30)];

pub(super) fn pace() -> Pace {
    Pace { backoff: Backoff { base: BASE, cap: CAP }, suspect_after: 2, attempts: ATTEMPTS }
}

/// The defaults, as the documents say them; without jitter like everything here.
pub fn usual_pace() -> Pace {
    Pace { backoff: Backoff { base: BASE, cap: Duration::from_secs(5) }, suspect_after: 2, attempts: 16 }
}

pub fn settings(lanes: u32, records: usize) -> DeskSettings {
    DeskSettings {
        group: "g".into(),
        topics: vec![TopicPlan::new(TOPIC, 1, FUNCTION)],
        lanes,
        epoch: 0,
        limits: Limits { records, age: Duration::from_secs(1), bytes: 100_000 },
        room: Room { waiting: 1, bytes: 10_000_000 },
        from_end: false,
    }
}

/// The defaults, as the documents say them.
pub fn guarded() -> GuardSettings {
    let second = Duration::from_secs(1);
    GuardSettings {
        topics: vec![TopicPlan::new(TOPIC, 1, FUNCTION)],
        breaker: BreakerSettings {
            failures: 10,
            share: 0.5,
            window: second * 10,
            open_for: second,
            open_cap: second * 5,
            probe_records: 10,
        },
        concurrency: ConcurrencySettings { adaptive: true, latency_budget: None },
        limits: GuardLimits { max_in_flight: 64, invocations_per_second: 0.0 },
        most_in_flight: 100,
    }
}

/// A topic with retry topics puts records off.
pub(super) fn deferral(settings: &DeskSettings) -> Deferral {
    let delay = |(name, seconds): (&str, u64)| Delay { name: name.into(), span: Duration::from_secs(seconds) };
    let topics = settings.topics.iter().filter(|topic| !topic.retries.is_empty());
    Deferral::new(topics.map(|topic| topic.name.clone()).collect(), RETRIES.map(delay).to_vec())
}

/// Only time-outs make batches smaller here, down to few records, like everything here.
pub(super) fn sized(most: usize) -> SizeSettings {
    SizeSettings { adaptive: true, least: most.min(2), most, budget: Duration::from_secs(600) }
}
