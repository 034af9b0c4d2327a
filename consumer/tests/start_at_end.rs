//! `consumer.start = "latest"`: what is skipped is skipped once, on purpose, and what comes while nobody reads is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::assignment::{Held, TopicPartition};
use consumer::desk::DeskSettings;
use consumer::lag::{Committed, Look, Lost, Why};
use kafka_client::topic_facts::{TopicFacts, TopicId};
use rig::{Rig, TOPIC, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn rig() -> Rig {
    let mut rig = Rig::new(DeskSettings { from_end: true, ..settings(1, 50) });
    see(&mut rig, 1);
    rig
}

fn see(rig: &mut Rig, partitions: i32) {
    rig.desk.topic_seen(TOPIC, TopicFacts { id: Some(TopicId(7)), partitions }, 0);
}

fn assigned(rig: &mut Rig, partition: i32, committed: Committed) -> Held {
    let held = rig.assign(&[partition]).remove(0);
    rig.desk.begin_trail(&held, committed, 1_000);
    held
}

fn look(rig: &mut Rig, partition: i32, at_ms: i64) {
    assert_eq!(rig.desk.looked(&TopicPartition::new(TOPIC, partition), Look { low: 100, end: 250, at_ms }), []);
}

#[tokio::test(start_paused = true)]
async fn the_end_where_reading_begins_is_committed_before_anything_is_read() {
    let mut rig = rig();
    let held = assigned(&mut rig, 0, Committed::Nothing);
    // From where the client has begun by itself.
    rig.receive(0, 240..260);
    look(&mut rig, 0, 999);
    assert_eq!((rig.desk.outsets(), rig.commit()), (vec![], vec![]), "asked before the partition was ours");
    rig.pass(SECOND).await;
    assert_eq!(rig.paused, [0]);
    look(&mut rig, 0, 1_000);
    assert_eq!((rig.desk.outsets(), rig.commit()), (vec![(held.clone(), 250)], vec![(0, 250)]));
    rig.desk.begun(&held, 250);
    rig.receive(0, 250..270);
    rig.pass(SECOND * 2).await;
    assert_eq!((rig.commit(), rig.meters.delivered.get(), rig.paused.clone()), (vec![(0, 270)], 20, vec![]));
    assert_eq!(rig.desk.take_returns(), []);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_was_added_is_read_from_its_beginning() {
    let mut rig = rig();
    see(&mut rig, 3);
    let held = assigned(&mut rig, 2, Committed::Nothing);
    look(&mut rig, 2, 1_000);
    assert_eq!((rig.desk.outsets(), rig.commit()), (vec![(held.clone(), 100)], vec![(2, 100)]));
    rig.desk.begun(&held, 100);
    rig.receive(2, 100..250);
    rig.pass(SECOND * 5).await;
    assert_eq!((rig.commit(), rig.meters.delivered.get()), (vec![(2, 250)], 150));
}

#[tokio::test(start_paused = true)]
async fn who_has_an_offset_goes_on_there() {
    let mut rig = rig();
    assigned(&mut rig, 0, Committed::Next(200));
    rig.receive(0, 200..250);
    look(&mut rig, 0, 1_000);
    rig.pass(SECOND * 2).await;
    assert_eq!((rig.desk.outsets(), rig.commit(), rig.meters.delivered.get()), (vec![], vec![(0, 250)], 50));
}

#[tokio::test(start_paused = true)]
async fn what_is_skipped_after_a_loss_is_told_and_committed_although_no_record_comes() {
    let mut rig = rig();
    let held = assigned(&mut rig, 0, Committed::Next(10));
    rig.latency(SECOND * 10);
    rig.receive(0, 10..20);
    rig.pass(SECOND).await;
    let look =
        |rig: &mut Rig| rig.desk.looked(&TopicPartition::new(TOPIC, 0), Look { low: 100, end: 250, at_ms: 1_000 });
    (0..3).for_each(|_| assert_eq!(look(&mut rig), [], "what was read ahead may come"));
    let lost = |from, to, why| Lost { from, to, why };
    assert_eq!(look(&mut rig), [lost(20, 100, Why::Deleted), lost(100, 250, Why::Skipped)]);
    assert_eq!((rig.desk.outsets(), rig.commit()), (vec![(held.clone(), 250)], vec![]), "ten are not finished");
    rig.pass(SECOND * 15).await;
    assert_eq!((rig.commit(), look(&mut rig)), (vec![(0, 250)], vec![]));
    rig.desk.begun(&held, 250);
    rig.receive(0, 250..260);
    rig.pass(SECOND * 15).await;
    assert_eq!((rig.commit(), look(&mut rig), rig.meters.delivered.get()), (vec![(0, 260)], vec![], 20));
    assert_eq!(rig.desk.lag(&held, Some(260), None, 2_000).unwrap().lost, 230);
}
