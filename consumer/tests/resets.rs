//! Reading that goes back within an assignment: the log was cut or made anew; and records that the client brings twice, which do not go back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::assignment::TopicPartition;
use consumer::desk::{Other, Return};
use consumer::lag::{Committed, Look};
use rig::{Rig, TOPIC, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn back(from: i64, to: i64) -> Return {
    Return { at: TopicPartition::new(TOPIC, 0), from, to, why: Other::Log }
}

/// One partition, whose 300 records are delivered and committed.
async fn read_to_its_end() -> Rig {
    let mut rig = Rig::new(settings(1, 50));
    rig.assign(&[0]);
    rig.receive(0, 0..300);
    rig.pass(SECOND * 2).await;
    assert_eq!((rig.commit(), rig.meters.delivered.get()), (vec![(0, 300)], 300));
    rig
}

#[tokio::test(start_paused = true)]
async fn in_a_log_made_anew_the_group_s_offset_goes_back_at_once_and_everything_is_delivered() {
    let mut rig = read_to_its_end().await;
    let before = rig.desk.standings()[0].held.generation;
    rig.receive_of_other_log(0, 0..20);
    assert_eq!(rig.desk.take_returns(), [back(300, 0)]);
    assert_eq!(rig.commit(), [(0, 0)], "whoever comes next must not begin at 300");
    rig.pass(SECOND * 2).await;
    assert_eq!((rig.commit(), rig.meters.delivered.get()), (vec![(0, 20)], 320));
    assert!(rig.desk.standings()[0].held.generation > before);
    rig.receive(0, 20..400);
    rig.pass(SECOND * 5).await;
    assert_eq!((rig.commit(), rig.desk.take_returns(), rig.meters.delivered.get()), (vec![(0, 400)], vec![], 700));
}

#[tokio::test(start_paused = true)]
async fn the_last_word_of_a_partition_that_went_back_is_the_lower_offset() {
    let mut rig = read_to_its_end().await;
    rig.receive_of_other_log(0, [7]);
    let (_, held) = rig.revoke(&[0]);
    assert_eq!(rig.give_back(&held), [(0, 7)]);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_of_the_log_that_is_gone_is_still_delivered() {
    let mut rig = Rig::new(settings(1, 50));
    rig.assign(&[0]);
    rig.latency(SECOND);
    rig.receive(0, 0..130);
    rig.turn().await;
    rig.receive_of_other_log(0, [0]);
    rig.pass(SECOND * 8).await;
    let mut sent = rig.sent();
    sent.sort();
    let expected = [vec![0], (0..50).collect(), (50..100).collect(), (100..130).collect()];
    assert_eq!(sent, expected, "nobody could read it again");
    assert_eq!((rig.commit(), rig.desk.outstanding_bytes()), (vec![(0, 1)], 0));
    assert_eq!(rig.desk.standings()[0].outstanding, 0);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_calls_of_the_log_that_is_gone_too() {
    let mut rig = Rig::new(settings(1, 50));
    rig.assign(&[0]);
    rig.latency(SECOND);
    rig.receive(0, 0..150);
    rig.turn().await;
    rig.receive_of_other_log(0, [0]);
    rig.turn().await;
    let (ticket, held) = rig.revoke(&[0]);
    rig.turn().await;
    assert!(!rig.desk.is_drained(ticket), "a call is under way");
    rig.pass(SECOND * 2).await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!(rig.give_back(&held), [(0, 0)]);
    let calls = rig.calls().len();
    rig.pass(SECOND * 5).await;
    assert_eq!(rig.calls().len(), calls, "nothing is begun of a partition that is gone");
}

#[tokio::test(start_paused = true)]
async fn records_that_come_twice_are_delivered_once() {
    let mut rig = Rig::new(settings(1, 5));
    let held = rig.assign(&[0]);
    rig.receive(0, 0..10);
    rig.pass(SECOND).await;
    assert_eq!(rig.commit(), [(0, 10)]);
    rig.receive(0, 5..20);
    assert_eq!((rig.desk.take_returns(), rig.desk.take_repeats()), (vec![], 5));
    rig.pass(SECOND).await;
    assert_eq!((rig.commit(), rig.meters.delivered.get()), (vec![(0, 20)], 20));
    assert_eq!(rig.desk.standings()[0].held.generation, held[0].generation);
}

/// What lies before them is not finished: it must not be committed, and neither dropped nor overtaken when the partition goes.
#[tokio::test(start_paused = true)]
async fn records_that_come_twice_commit_nothing_before_them() {
    let mut rig = Rig::new(settings(1, 50));
    let held = rig.assign(&[0]);
    rig.latency(SECOND * 100);
    rig.receive(0, 0..150);
    rig.turn().await;
    rig.receive(0, 100..150);
    rig.turn().await;
    assert_eq!((rig.commit(), rig.calls().len(), rig.desk.take_returns()), (vec![], 1, vec![]));
    let (_, gone) = rig.revoke(&[0]);
    assert_eq!((gone.len(), rig.give_back(&held)), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_cut_by_a_few_records_is_another_log() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.receive(0, 0..10);
    rig.pass(SECOND).await;
    rig.receive_of_other_log(0, 8..12);
    assert_eq!((rig.desk.take_returns(), rig.desk.take_repeats()), (vec![back(10, 8)], 0));
    rig.pass(SECOND * 2).await;
    assert_eq!((rig.commit(), rig.meters.delivered.get()), (vec![(0, 12)], 14));
}

#[tokio::test(start_paused = true)]
async fn a_committed_offset_beyond_the_end_goes_back_although_no_record_comes() {
    for (from_end, to) in [(false, 20), (true, 60)] {
        let mut rig = Rig::new(consumer::desk::DeskSettings { from_end, ..settings(1, 5) });
        let held = rig.assign(&[0]).remove(0);
        rig.desk.begin_trail(&held, Committed::Next(1_000), 0);
        for at_ms in [500, 1_000, 1_500] {
            assert_eq!(rig.commit(), []);
            rig.desk.looked(&held.at, Look { low: 20, end: 60, at_ms });
        }
        assert_eq!((rig.desk.take_returns(), rig.commit()), (vec![back(1_000, to)], vec![(0, to)]));
        rig.desk.looked(&held.at, Look { low: 20, end: 60, at_ms: 2_000 });
        assert_eq!(rig.desk.take_returns(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_before_the_committed_offset_is_of_another_log_however_near() {
    let mut rig = Rig::new(settings(1, 5));
    let held = rig.assign(&[0]).remove(0);
    rig.desk.begin_trail(&held, Committed::Next(60), 0);
    rig.receive(0, 50..55);
    assert_eq!(rig.desk.take_returns(), [back(60, 50)]);
    rig.pass(SECOND).await;
    assert_eq!(rig.commit(), [(0, 55)]);
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_was_full_or_paused_is_read_on_as_before() {
    let mut rig = Rig::new(settings(1, 10));
    rig.assign(&[0]);
    rig.latency(SECOND);
    rig.receive(0, 0..200);
    rig.turn().await;
    assert_eq!(rig.paused, [0]);
    rig.receive_of_other_log(0, [0]);
    rig.pass(SECOND * 60).await;
    assert_eq!(rig.paused, [0; 0], "nobody would tell the client to go on");
    rig.pauses.pause(consumer::pause::Scope::ALL, 1);
    rig.turn().await;
    rig.receive(0, 1..150);
    rig.receive_of_other_log(0, [0]);
    rig.turn().await;
    assert_eq!(rig.paused, [0]);
    rig.pauses.resume(consumer::pause::Scope::ALL, 2);
    rig.pass(SECOND * 60).await;
    assert_eq!(rig.paused, [0; 0]);
}
