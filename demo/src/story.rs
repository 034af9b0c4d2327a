//! The stories: what happens on the way, and what each must show beside the ledger.

/// A consumer is killed and a new one joins.
mod kill;
/// A consumer stands still for longer than the group waits.
mod freeze;
/// All consumers are restarted, one after the other.
mod rolling;
/// From one consumer to many and back, twice.
mod scaling;
/// One broker is killed and comes back.
mod broker;
/// The broker that coordinates the group is stopped.
mod coordinator;
/// A topic gets twice its partitions.
mod partitions;
/// All consumers are restarted while the function is slow.
mod sev2;

use crate::options::{Fault, Story};
use crate::stage::{Setting, Stage};
use anyhow::Result;
use domain::ledger::Produced;
use std::ops::RangeInclusive;
use std::time::Duration;

/// One event in so many is forgotten by the collector that drops deliveries.
const FORGET_EVERY: u64 = 5_000;
/// As in production: longer than a restart of a consumer takes, and than brokers take to notice that one of them is gone. The demo's own
/// is shorter, so that a dead consumer's partitions move while one watches.
const USUAL_SESSION: &str = "45s";
/// Kafka's clients ask every five minutes by default; nobody wants to watch that.
const SOON: &str = "1s";

/// Invocations at once of a consumer in the incident.
const SCARCE: i64 = 12;
/// Records of a batch as it was in the incident: so many and no more, which is enough until the function is slow.
const FIXED: i64 = 100;

/// Consumers that run before the story begins, by number.
pub fn cast(stage: &Stage<'_>) -> RangeInclusive<u32> {
    if stage.options.story == Story::Scaling { 1..=1 } else { 1..=stage.options.consumers() }
}

/// What the story wants otherwise than the demo, for consumers and for the producer.
pub fn settings(story: Story) -> (Vec<Setting>, Vec<Setting>) {
    match story {
        Story::Rolling | Story::Broker | Story::Coordinator => {
            (vec![("consumer.session_timeout", USUAL_SESSION.into())], Vec::new())
        }
        Story::Sev2 => {
            let scarce = ("function.max_in_flight", SCARCE.into());
            let fixed = [("batch.records", FIXED.into()), ("batch.adaptive", false.into())];
            let session = ("consumer.session_timeout", USUAL_SESSION.into());
            ([session, scarce].into_iter().chain(fixed).collect(), Vec::new())
        }
        // Not static: whoever goes for good shall not be waited for.
        Story::Scaling => (vec![("consumer.instance_id", "".into())], Vec::new()),
        Story::Partitions => {
            let soon = || vec![("kafka.metadata_refresh", SOON.into())];
            (soon(), soon())
        }
        _ => (Vec::new(), Vec::new()),
    }
}

/// Tells the story of this run; the load goes on meanwhile.
///
/// # Errors
/// When something does not happen in time that must, or dies that should not.
pub async fn play(stage: &mut Stage<'_>) -> Result<()> {
    if stage.options.fault == Fault::DropDelivery {
        stage.note(&format!("fault: the collector forgets every {FORGET_EVERY}th delivery from now on"));
        stage.world.collector.forget_every(Some(FORGET_EVERY));
    }
    match stage.options.story {
        Story::Kill => kill::play(stage).await,
        Story::Freeze => freeze::play(stage).await,
        Story::Rolling => rolling::play(stage).await,
        Story::Scaling => scaling::play(stage).await,
        Story::Broker => broker::play(stage).await,
        Story::Coordinator => coordinator::play(stage).await,
        Story::Partitions => partitions::play(stage).await,
        Story::Sev2 => sev2::play(stage).await,
    }
}

/// What can be said only when the load is over and everything is delivered.
pub fn sum_up(stage: &mut Stage<'_>, produced: &Produced) {
    if stage.options.story == Story::Partitions {
        partitions::count_moved_keys(stage, produced);
    }
}

/// Waits until the load is steady and every consumer has delivered something.
async fn settle(stage: &mut Stage<'_>) -> Result<()> {
    const STEADY: Duration = Duration::from_secs(2);
    let steady = async |stage: &mut Stage<'_>| {
        let delivering = |status: &serde_json::Value| crate::watch::count(status, "/delivered") > 0;
        Ok(stage.elapsed() >= STEADY && stage.statuses().await.values().all(delivering))
    };
    stage.until("every consumer delivers", crate::stage::PATIENCE, steady).await.map(drop)
}

/// Seconds with one digit.
fn seconds(span: Duration) -> String {
    format!("{:.1} s", span.as_secs_f64())
}
