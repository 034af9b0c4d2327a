//! The lag as the desk shows it: standing still, draining, gone, and after a loss.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::assignment::{Held, TopicPartition};
use consumer::lag::{Committed, Found, Lag, Look, Lost, Why};
use rig::{Rig, TOPIC, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// A partition at its committed offset 0, assigned at 1,000 ms; the rig's records are at 1,000 ms plus their offset.
fn assigned(rig: &mut Rig) -> Held {
    let held = rig.assign(&[0]).remove(0);
    rig.desk.begin_trail(&held, Committed::Next(0), 1_000);
    held
}

fn lag(rig: &Rig, held: &Held, now_ms: i64) -> Lag {
    let standing = rig.desk.standings().remove(0);
    rig.desk.lag(held, standing.committed, None, now_ms).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_function_that_stands_still_is_as_many_seconds_as_its_oldest_record_is_old() {
    let mut rig = Rig::new(settings(1, 10));
    let held = assigned(&mut rig);
    rig.latency(SECOND * 60);
    rig.receive(0, 0..30);
    rig.pass(SECOND * 5).await;
    assert_eq!(rig.paused, [0]);
    let stuck = lag(&rig, &held, 3_601_000);
    assert_eq!((stuck.seconds, stuck.records), (3_600.0, 30));
    rig.pass(SECOND * 180).await;
    rig.commit();
    let done = lag(&rig, &held, 3_601_000);
    assert_eq!((done.seconds, done.records), (0.0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_partition_keeps_its_lag_while_it_drains_and_loses_it_when_it_goes() {
    let mut rig = Rig::new(settings(1, 10));
    let held = assigned(&mut rig);
    rig.latency(SECOND);
    rig.receive(0, 0..15);
    rig.turn().await;
    let (_, leaving) = rig.revoke(&[0]);
    assert_eq!(lag(&rig, &held, 11_000).seconds, 10.0);
    rig.pass(SECOND * 2).await;
    assert_eq!(lag(&rig, &held, 21_010).seconds, 20.01, "the first batch is finished, the next owner reads the second");
    rig.give_back(&leaving);
    assert_eq!(rig.desk.lag(&held, None, None, 21_000), None);
}

#[tokio::test(start_paused = true)]
async fn a_backlog_that_was_not_polled_is_asked_for_and_as_old_as_kafka_says() {
    let mut rig = Rig::new(settings(1, 10));
    let (held, at) = (assigned(&mut rig), TopicPartition::new(TOPIC, 0));
    assert_eq!(rig.desk.looked(&at, Look { low: 0, end: 100, at_ms: 1_000 }), []);
    assert_eq!(rig.desk.wanted_times(1_010), [(at.clone(), 0)]);
    rig.desk.found_time(&at, 0, Found::Record { timestamp_ms: 500 });
    assert_eq!((lag(&rig, &held, 7_500).seconds, rig.desk.wanted_times(7_500)), (7.0, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_retention_deleted_is_told_once() {
    let mut rig = Rig::new(settings(1, 10));
    let (held, at) = (assigned(&mut rig), TopicPartition::new(TOPIC, 0));
    rig.receive(0, 40..50);
    let look = Look { low: 40, end: 50, at_ms: 1_000 };
    assert_eq!(rig.desk.looked(&at, look), [Lost { from: 0, to: 40, why: Why::Deleted }]);
    assert_eq!((rig.desk.looked(&at, look), lag(&rig, &held, 1_000).lost), (vec![], 40));
    assert_eq!(rig.desk.looked(&TopicPartition::new(TOPIC, 9), look), [], "not ours");
}
