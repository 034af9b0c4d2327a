//! One fault from beginning to end: how long, how many attempts it may cost, and that all is well soon after it.

use crate::brain::Fault;
use crate::consumer::{Consumer, Setting};
use crate::world::{PARTITIONS, World};
use consumer::config::Raw;
use runtime::config::Span;
use std::time::{Duration, Instant};

const LANES: u32 = 2;

/// All lanes of all partitions: each has one call at a time.
const CALLERS: f64 = PARTITIONS as f64 * LANES as f64;

/// Everything that says how often and how long is as it is by default.
pub fn settings() -> Vec<Setting> {
    vec![("CONSUMER__LANES", LANES.to_string())]
}

/// How many calls a fault of `span` may cost, by the settings.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// Every lane waits between its calls: first the doublings from `retry.base` to `retry.cap`, then on average half of `retry.cap`, because
    /// the wait is uniform below it. Half as much again is far outside of what chance does.
    Backoff,
    /// The same after the cuts of a batch, each of which starts the doublings over.
    Cuts,
    /// What was asked for is waited for: one call a lane, and one more for each time the wait is over.
    RetryAfter(Duration),
    /// The breaker opens after `breaker.failures`, when each lane may have one call more under way; from then on there is one probe at a
    /// time, after waits that double from `breaker.open_for` to `breaker.open_cap`.
    Breaker,
}

impl Bound {
    pub fn calls(self, span: Duration) -> usize {
        let (seconds, raw) = (span.as_secs_f64(), Raw::default());
        let doublings = |from: Span, to: Span| (to.get().as_secs_f64() / from.get().as_secs_f64()).log2().ceil();
        let (retry, breaker) = (raw.retry, raw.breaker);
        let backoff = doublings(retry.base, retry.cap) + 2.0 * seconds / retry.cap.get().as_secs_f64();
        let cuts = f64::from(retry.suspect_after) + f64::from(raw.batch.records).log2().ceil();
        let most = match self {
            Self::Backoff => CALLERS * backoff * 1.5,
            Self::Cuts => CALLERS * (cuts + backoff) * 1.5,
            Self::RetryAfter(wait) => CALLERS * (1.0 + (seconds / wait.as_secs_f64()).floor()),
            Self::Breaker => {
                let open = (breaker.open_for, breaker.open_cap);
                let probes = doublings(open.0, open.1) + seconds / open.1.get().as_secs_f64() + 1.0;
                f64::from(breaker.failures) + CALLERS + probes
            }
        };
        most.ceil() as usize
    }
}

/// Lets `faults` strike for `span`, each in turn, with events coming all the time; then everything must be there within the time in which a
/// fault must be over, nothing set aside, and the attempts within `bound`.
pub async fn strike(world: &mut World, faults: Vec<Fault>, span: Duration, bound: Bound) {
    let (kinds, before) = (faults.len(), world.brain.calls().len());
    world.brain.begin(faults);
    let begun = Instant::now();
    world.produce_for(span, 30).await;
    world.brain.end();
    let lasted = begun.elapsed();
    world.assert_recovered().await;
    let struck: Vec<usize> = world.brain.calls()[before..].iter().filter_map(|call| call.struck).collect();
    for kind in 0..kinds {
        assert!(struck.contains(&kind), "fault {kind} of {kinds} struck nothing in {} calls", struck.len());
    }
    let most = bound.calls(lasted);
    println!("{} calls in {lasted:?}, allowed are {most} ({bound:?})", struck.len());
    assert!(struck.len() <= most, "{} calls in {lasted:?}, allowed are {most} ({bound:?})", struck.len());
}

/// A world in which everything works: some events have arrived.
pub async fn healthy(topic: &str) -> (World, Consumer) {
    let mut world = World::embedded(topic).await;
    let consumer = world.start(&settings());
    world.produce(200);
    world.assert_recovered_from_start().await;
    (world, consumer)
}
