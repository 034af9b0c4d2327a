//! What becomes of batches: verdicts, failures, dead letters, order, backpressure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use domain::failure::FailureClass;
use rig::{Answer, Rig, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn delivered_records_are_committed_in_order_and_exactly() {
    let mut rig = Rig::new(settings(1, 10));
    rig.assign(&[0, 1]);
    rig.receive(0, 100..125);
    rig.receive(1, 7..9);
    rig.pass(SECOND / 2).await;
    assert_eq!(rig.commit(), [(0, 120)], "the open batches are not old enough");
    rig.pass(SECOND).await;
    assert_eq!(rig.commit(), [(0, 125), (1, 9)]);
    assert_eq!(rig.commit(), []);
    let sent = rig.sent();
    let of = |first: i64| sent.iter().find(|offsets| offsets[0] == first).unwrap().len();
    assert_eq!((sent.len(), of(100), of(110), of(120), of(7)), (4, 10, 10, 5, 2));
    assert_eq!(rig.meters.delivered.get(), 27);
}

#[tokio::test(start_paused = true)]
async fn a_lane_has_one_call_at_a_time_and_lanes_of_a_partition_have_their_own() {
    let mut rig = Rig::new(settings(4, 5));
    rig.assign(&[0]);
    rig.latency(SECOND / 5);
    rig.receive(0, 0..60);
    rig.pass(SECOND / 10).await;
    let lanes: std::collections::HashSet<u32> = rig.calls().iter().map(|call| call.lane).collect();
    assert!(lanes.len() > 1, "{lanes:?}");
    assert_eq!(rig.meters.in_flight(), lanes.len() as i64);
    rig.pass(SECOND * 5).await;
    assert_eq!(rig.overlaps(), 0);
    assert_eq!(rig.commit(), [(0, 60)]);
    for key in 0..10 {
        let of_key: Vec<i64> = rig.sent().concat().into_iter().filter(|offset| offset % 10 == key).collect();
        assert!(of_key.is_sorted(), "key {key}: {of_key:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn backpressure_and_failures_bring_the_same_batch_again_and_never_a_dead_letter() {
    let mut rig = Rig::new(settings(1, 3));
    rig.assign(&[0]);
    let failures = [FailureClass::Throttled, FailureClass::Transient, FailureClass::Throttled, FailureClass::Ours];
    rig.script(failures.map(Answer::Fail));
    rig.script([Answer::Malformed]);
    rig.receive(0, 0..6);
    rig.pass(SECOND).await;
    assert_eq!(rig.commit(), []);
    assert!(rig.condition.why().unwrap().contains("dispatcher"), "{:?}", rig.condition.why());
    rig.pass(SECOND * 10).await;
    let again = rig.calls();
    assert!(again[..6].iter().all(|call| call.offsets == [0, 1, 2]), "{again:?}");
    assert_eq!(again[..6].iter().map(|call| call.attempt).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(again[6].offsets, [3, 4, 5]);
    assert_eq!(rig.commit(), [(0, 6)]);
    assert!(rig.dead_letters().is_empty());
    assert_eq!(rig.condition.why(), None);
    assert_eq!(rig.meters.calls_malformed.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_too_large_is_split_in_order_down_to_the_record_that_is() {
    let mut rig = Rig::new(settings(1, 4));
    rig.assign(&[0]);
    let large = || Answer::Fail(FailureClass::TooLarge);
    // 0-3, then 0-1 (fits), 2-3, then 2 alone (too large by itself), 3.
    rig.script([large(), Answer::Deliver, large(), large(), Answer::Deliver]);
    rig.receive(0, 0..4);
    rig.pass(SECOND).await;
    assert_eq!(rig.sent(), [vec![0, 1, 2, 3], vec![0, 1], vec![2, 3], vec![2], vec![3]]);
    let letters = rig.dead_letters();
    assert_eq!(letters.len(), 1);
    assert_eq!((letters[0].record.offset.0, letters[0].class, letters[0].attempts), (2, FailureClass::TooLarge, 3));
    assert_eq!(rig.commit(), [(0, 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_record_becomes_a_dead_letter_with_its_bytes_and_the_rest_goes_on() {
    let mut rig = Rig::new(settings(1, 3));
    rig.assign(&[0]);
    rig.script([Answer::Reject(vec![1])]);
    rig.receive(0, 0..6);
    rig.pass(SECOND / 10).await;
    let letters = rig.dead_letters();
    assert_eq!(letters.len(), 1);
    let record = &letters[0].record;
    assert_eq!((record.offset.0, record.timestamp, letters[0].reason.as_str()), (1, 1_001, "schema"));
    assert_eq!(
        (record.key.as_deref(), record.value.as_deref()),
        (Some(b"key-1".as_slice()), Some(b"{\"v\":1}".as_slice()))
    );
    assert_eq!(rig.commit(), [(0, 6)]);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_acknowledged_before_its_record_is_committed_and_its_partition_waits_alone() {
    let mut rig = Rig::new(settings(1, 3));
    rig.assign(&[0, 1]);
    rig.dead_letters_down(true);
    rig.script([Answer::Reject(vec![1])]);
    rig.receive(0, 0..6);
    rig.turn().await;
    rig.receive(1, 0..3);
    rig.pass(SECOND * 5).await;
    assert_eq!(rig.commit(), [(0, 1), (1, 3)], "up to the rejected record, and the other partition");
    assert_eq!(rig.sent().len(), 2, "the lane waits with its next batch");
    assert!(rig.condition.why().unwrap().contains("t/0"));
    rig.dead_letters_down(false);
    rig.pass(SECOND * 3).await;
    assert_eq!(rig.commit(), [(0, 6)]);
    assert_eq!((rig.dead_letters().len(), rig.condition.why()), (1, None));
}

#[tokio::test(start_paused = true)]
async fn records_with_the_verdict_retry_come_again_before_anything_else_of_their_lane() {
    let mut rig = Rig::new(settings(1, 4));
    rig.assign(&[0]);
    rig.script([Answer::Retry(vec![1, 3]), Answer::Retry(vec![3])]);
    rig.receive(0, 0..8);
    rig.turn().await;
    assert_eq!(rig.commit(), [(0, 1)], "0 and 2 are finished, 1 is not");
    rig.pass(SECOND * 2).await;
    assert_eq!(rig.sent(), [vec![0, 1, 2, 3], vec![1, 3], vec![3], vec![4, 5, 6, 7]]);
    assert_eq!(rig.calls()[2].attempt, 3);
    assert_eq!(rig.commit(), [(0, 8)]);
    assert_eq!((rig.meters.retries.get(), rig.meters.delivered.get()), (3, 8));
}

#[tokio::test(start_paused = true)]
async fn a_retried_record_of_the_first_half_goes_before_the_second_half() {
    let mut rig = Rig::new(settings(1, 4));
    rig.assign(&[0]);
    rig.script([Answer::Fail(FailureClass::TooLarge), Answer::Retry(vec![1])]);
    rig.receive(0, 0..4);
    rig.pass(SECOND * 2).await;
    assert_eq!(rig.sent(), [vec![0, 1, 2, 3], vec![0, 1], vec![1], vec![2, 3]]);
    assert_eq!(rig.commit(), [(0, 4)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_never_enters_a_request() {
    let mut rig = Rig::new(settings(1, 4));
    rig.assign(&[0]);
    rig.receive(0, 0..1);
    rig.receive_value(0, 1, Some(b"{\"broken"));
    rig.receive_value(0, 2, None);
    rig.receive(0, 3..4);
    rig.receive_value(0, 4, Some(b"\xff"));
    rig.pass(SECOND * 2).await;
    assert_eq!(rig.sent(), [vec![0, 3]]);
    let letters: Vec<_> = rig
        .dead_letters()
        .iter()
        .map(|letter| (letter.record.offset.0, letter.record.value.clone(), letter.attempts))
        .collect();
    assert_eq!(letters, [(1, Some(b"{\"broken".to_vec()), 0), (2, None, 0), (4, Some(b"\xff".to_vec()), 0)]);
    assert_eq!(rig.commit(), [(0, 5)]);
}

#[tokio::test(start_paused = true)]
async fn a_full_lane_pauses_its_partition_and_goes_on_with_hysteresis() {
    let mut rig = Rig::new(settings(1, 10));
    rig.assign(&[0, 1]);
    rig.latency(SECOND);
    rig.receive(0, 0..20);
    rig.receive(1, 0..5);
    rig.turn().await;
    assert_eq!(rig.paused, [0; 0], "one in flight and one waiting is no reason to pause");
    rig.receive(0, 20..30);
    rig.turn().await;
    assert_eq!(rig.paused, [0], "a closed batch has no room");
    // The first call ends: the closed batch moves up, but one still waits.
    rig.pass(SECOND + SECOND / 10).await;
    assert_eq!((rig.paused.clone(), rig.meters.in_flight()), (vec![0], 2));
    rig.pass(SECOND).await;
    assert_eq!(rig.paused, [0; 0], "nothing waits any more");
    rig.pass(SECOND * 3).await;
    assert_eq!(rig.commit(), [(0, 30), (1, 5)]);
    assert_eq!(rig.desk.outstanding_bytes(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_open_batch_goes_on_growing_while_its_lane_has_no_room() {
    let mut rig = Rig::new(settings(1, 10));
    rig.assign(&[0]);
    rig.latency(SECOND * 10);
    rig.receive(0, 0..1);
    rig.pass(SECOND * 2).await;
    rig.receive(0, 1..2);
    rig.pass(SECOND * 2).await;
    rig.receive(0, 2..5);
    rig.pass(SECOND * 2).await;
    assert_eq!(rig.sent(), [vec![0]]);
    rig.receive(0, 5..10);
    rig.pass(SECOND * 40).await;
    assert_eq!(rig.sent(), [vec![0], vec![1], (2..10).collect()]);
    assert_eq!(rig.commit(), [(0, 10)]);
}

#[tokio::test(start_paused = true)]
async fn the_bytes_of_all_batches_are_bounded_but_nobody_starves() {
    let mut settings = settings(1, 5);
    settings.room.bytes = 1;
    let mut rig = Rig::new(settings);
    rig.assign(&[0, 1]);
    rig.latency(SECOND);
    rig.receive(0, 0..10);
    rig.receive(1, 0..10);
    rig.turn().await;
    assert_eq!(rig.calls().len(), 2, "each lane has its one batch");
    assert_eq!(rig.paused, [0, 1]);
    rig.pass(SECOND * 4).await;
    assert_eq!(rig.paused, [0; 0]);
    assert_eq!(rig.commit(), [(0, 10), (1, 10)]);
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_breaks_off_ends_the_process_and_commits_nothing() {
    let mut rig = Rig::new(settings(1, 3));
    rig.assign(&[0]);
    rig.script([Answer::Panic]);
    rig.receive(0, 0..3);
    rig.pass(SECOND).await;
    assert_eq!(rig.commit(), []);
    let end = (&mut rig.fatal).await.unwrap().unwrap_err();
    assert!(end.0.contains("t/0#0"), "{end}");
}
