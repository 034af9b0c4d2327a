//! Histories of a whole group: the real desk, commit ledger, coordinator and deliveries of three consumers against a model of Kafka.
//!
//! A history is a list of steps (`step.rs`): records arrive and are polled, the function and the dead-letter topic answer as they like, commits get
//! through or not, partitions move with and without a chance to commit, consumers stop, hang and are killed. Kafka's log, its committed
//! offsets and their metadata are all that outlives a consumer (`truth.rs`). What must hold:
//!
//! - committed is only what the committing generation finished: by a verdict, or by a dead letter that Kafka acknowledged;
//! - nothing is committed for a partition that is another's, and nothing backwards;
//! - what is finished when a partition is given back in order is committed, and what is known of suspects with it;
//! - a lane has one call at a time, and nothing is begun for a partition that is gone;
//! - within a key, first deliveries come in the order of the log;
//! - a record becomes a dead letter alone, once for each owner that cannot know better, and only after so many function errors over all owners, and
//!   when the function answered others between them, or somebody opened what is held; a good one only when the function failed it by itself;
//! - a record that failed so often, and others not, is not called again, by whoever owns it then;
//! - a fence that a dispatcher builds from the requests never holds a record that is neither delivered nor a dead letter;
//! - records that Kafka's client brings twice change nothing;
//! - at the end, when everything answers again, every record is delivered or a dead letter, and everything is committed.
//!
//! Not in here: librdkafka, Lambda's client, and the poll thread around the desk, whose part `member.rs` plays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clock;
mod function;
mod group;
mod letters;
mod log;
mod member;
#[path = "../pipeline/rules.rs"]
#[allow(dead_code)]
mod rules;
mod step;
mod tenure;
mod truth;
mod world;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use step::History;
use truth::Seen;
use world::World;

/// Something that takes so long by the paused clock.
async fn lasting(span: std::time::Duration) {
    let _ = tokio::time::timeout(span, std::future::pending::<()>()).await;
}

fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES").map_or(cases, |wanted| wanted.parse().unwrap());
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Plays a history, and says what came about in it.
fn play(lanes: u32, history: &History) -> Result<Seen, TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(World::play(lanes, history)).map_err(TestCaseError::fail)
}

proptest! {
    #![proptest_config(config(12_000))]

    #[test]
    fn with_one_lane_nothing_is_lost_or_out_of_order_or_committed_by_others(history in step::history()) {
        play(1, &history)?;
    }

    #[test]
    fn with_four_lanes_nothing_is_lost_or_out_of_order_or_committed_by_others(history in step::history()) {
        play(4, &history)?;
    }
}

/// What the rules are about.
const ABOUT: [&str; 20] = [
    "a call outlives its process",
    "a commit from before a move is refused",
    "a commit is taken",
    "a drain takes too long",
    "a fence holds a record that comes again",
    "a flood is opened",
    "a former member's commit is refused",
    "a good record fails by accidents alone",
    "a letter is not acknowledged",
    "a partition is handed over in order",
    "a record at fault is set aside",
    "a record fails for the last time",
    "a record is delivered again",
    "a rejected record is set aside",
    "an answer comes too late",
    "an owner inherits a record that is condemned",
    "an owner inherits a record that is set aside",
    "an owner inherits suspects",
    "records come twice",
    "the last commit does not get through",
];

/// A rule that is never tried proves nothing.
#[test]
fn histories_come_to_everything_that_the_rules_are_about() {
    let (mut runner, mut seen) = (TestRunner::deterministic(), Seen::new());
    for nth in 0..3_000 {
        let history = step::history().new_tree(&mut runner).unwrap().current();
        for (what, times) in play(if nth % 2 == 0 { 1 } else { 4 }, &history).unwrap() {
            *seen.entry(what).or_default() += times;
        }
    }
    let all: String = seen.iter().map(|(what, times)| format!("{times:7} {what}\n")).collect();
    println!("{all}");
    let rare = ABOUT.iter().filter(|what| seen.get(**what).is_none_or(|times| *times < 10));
    assert_eq!(rare.collect::<Vec<_>>(), [&""; 0], "{all}");
}
