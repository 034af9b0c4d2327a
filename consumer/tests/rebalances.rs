//! What becomes of batches when partitions go: drain, late answers, revoked and assigned again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::event::Event;
use consumer::pause::Scope;
use domain::failure::FailureClass;
use rig::{Answer, Rig, TOPIC, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_revoke_waits_for_what_is_in_flight_and_starts_nothing() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0, 1]);
    rig.latency(SECOND);
    rig.receive(0, 0..12);
    rig.receive(1, 0..5);
    rig.pass(SECOND / 2).await;
    let (ticket, held) = rig.revoke(&[0]);
    rig.turn().await;
    assert!(!rig.desk.is_drained(ticket), "a call is under way");
    rig.receive(0, 12..20);
    rig.pass(SECOND).await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!(rig.give_back(&held), [(0, 5)], "what was in flight, not what waited");
    rig.pass(SECOND * 5).await;
    let of_zero: Vec<_> = rig.calls().into_iter().filter(|call| call.partition == 0).collect();
    assert_eq!(of_zero.len(), 1);
    assert_eq!(rig.commit(), [(1, 5)], "the partition that stays goes on");
    assert_eq!(rig.desk.outstanding_bytes(), 0);
    assert_eq!(rig.desk.not_ours(), 8);
}

#[tokio::test(start_paused = true)]
async fn an_idle_partition_is_drained_at_once() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.receive(0, 0..3);
    let (ticket, held) = rig.revoke(&[0]);
    rig.turn().await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!(rig.give_back(&held), [], "received, never sent: nothing to commit");
}

#[tokio::test(start_paused = true)]
async fn after_the_deadline_a_late_success_commits_nothing() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.receive(0, 0..5);
    rig.pass(SECOND / 10).await;
    rig.latency(SECOND * 30);
    rig.receive(0, 5..10);
    rig.turn().await;
    let (ticket, held) = rig.revoke(&[0]);
    rig.pass(SECOND * 5).await;
    assert!(!rig.desk.is_drained(ticket));
    assert_eq!(rig.give_back(&held), [(0, 5)]);
    rig.pass(SECOND * 40).await;
    assert_eq!(rig.meters.delivered.get(), 10, "the late call did succeed");
    assert_eq!(rig.commit(), []);
    assert!(rig.desk.standings().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_late_success_does_not_speak_for_the_next_generation() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.latency(SECOND * 10);
    rig.receive(0, 0..5);
    rig.pass(SECOND).await;
    let (_, held) = rig.revoke(&[0]);
    assert_eq!(rig.give_back(&held), []);
    let again = rig.assign(&[0]);
    assert_ne!(again, held);
    rig.latency(SECOND * 30);
    // The same records again: the group has no commit of them.
    rig.receive(0, 0..5);
    rig.pass(SECOND * 15).await;
    assert_eq!(rig.meters.delivered.get(), 5, "the first generation's call came back");
    assert_eq!(rig.commit(), [], "but the second generation's is still under way");
    rig.pass(SECOND * 30).await;
    assert_eq!(rig.commit(), [(0, 5)]);
}

#[tokio::test(start_paused = true)]
async fn a_lane_in_backoff_gives_way_at_once() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.script((0..50).map(|_| Answer::Fail(FailureClass::Throttled)));
    rig.receive(0, 0..5);
    rig.pass(SECOND * 5).await;
    let before = rig.calls().len();
    let (ticket, held) = rig.revoke(&[0]);
    rig.turn().await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!(rig.give_back(&held), []);
    rig.pass(SECOND * 10).await;
    assert_eq!(rig.calls().len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_under_way_is_part_of_the_drain() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.script([Answer::Reject(vec![0])]);
    rig.receive(0, 0..5);
    rig.turn().await;
    assert_eq!(rig.commit(), []);
    let (ticket, held) = rig.revoke(&[0]);
    rig.turn().await;
    assert!(!rig.desk.is_drained(ticket));
    rig.pass(SECOND / 10).await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!(rig.give_back(&held), [(0, 5)]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_rejects_a_record_during_the_drain_still_leaves_nothing_to_repeat() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.latency(SECOND);
    rig.script([Answer::Reject(vec![1])]);
    rig.receive(0, 0..5);
    rig.pass(SECOND / 2).await;
    let (ticket, held) = rig.revoke(&[0]);
    rig.pass(SECOND).await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!(rig.dead_letters().len(), 1, "the letter is part of what was in flight");
    assert_eq!(rig.give_back(&held), [(0, 5)], "what comes behind the rejected record was delivered");
}

#[tokio::test(start_paused = true)]
async fn the_letter_of_a_record_that_may_not_be_sent_is_written_with_its_batch_or_not_at_all() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    let receive = |rig: &mut Rig, first: i64| {
        rig.receive(0, [first]);
        rig.receive_value(0, first + 1, Some(b"\xff{no json"));
        rig.receive(0, first + 2..first + 5);
    };
    receive(&mut rig, 0);
    rig.turn().await;
    let (ticket, held) = rig.revoke(&[0]);
    rig.pass(SECOND).await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!((rig.give_back(&held), rig.dead_letters().len()), (vec![(0, 5)], 1), "its call was under way");

    rig.assign(&[0]);
    rig.script((0..50).map(|_| Answer::Fail(FailureClass::Throttled)));
    receive(&mut rig, 5);
    rig.pass(SECOND).await;
    let (ticket, held) = rig.revoke(&[0]);
    rig.turn().await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!(
        (rig.give_back(&held), rig.dead_letters().len()),
        (vec![], 1),
        "it comes again, and would be written twice"
    );
}

#[tokio::test(start_paused = true)]
async fn of_lost_partitions_nothing_is_committed() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.latency(SECOND);
    rig.receive(0, 0..5);
    rig.turn().await;
    let held = rig.desk.lose(&[(TOPIC.to_owned(), 0)]);
    rig.desk.release(&held);
    rig.pass(SECOND * 3).await;
    assert_eq!((rig.commit(), rig.desk.outstanding_bytes()), (vec![], 0));
}

#[tokio::test(start_paused = true)]
async fn a_paused_partition_is_told_when_it_goes_so_that_the_client_forgets_the_pause() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.pauses.pause(Scope::ALL, 1);
    rig.turn().await;
    assert_eq!(rig.paused, [0]);
    rig.pauses.resume(Scope::ALL, 2);
    let (_, held) = rig.revoke(&[0]);
    let paused = rig.desk.release(&held);
    assert_eq!(paused.len(), 1);
    rig.assign(&[0]);
    assert!(!rig.desk.standings()[0].paused);
}

#[tokio::test(start_paused = true)]
async fn two_drains_at_once_are_answered_each() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0, 1]);
    rig.latency(SECOND);
    rig.receive(0, 0..5);
    rig.pass(SECOND / 2).await;
    rig.receive(1, 0..5);
    rig.turn().await;
    // A rebalance takes one partition while the process is already draining everything.
    let (all, _) = rig.desk.begin_revoke(None);
    let (one, _) = rig.revoke(&[0]);
    rig.pass(SECOND * 6 / 10).await;
    assert!(rig.desk.is_drained(one) && !rig.desk.is_drained(all));
    rig.pass(SECOND).await;
    assert!(rig.desk.is_drained(all));
    assert!(rig.assign(&[2]).is_empty(), "nothing is taken up any more");
}

#[tokio::test(start_paused = true)]
async fn a_hurry_waits_for_nothing() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.latency(SECOND * 100);
    rig.receive(0, 0..5);
    rig.turn().await;
    let (ticket, held) = rig.desk.begin_revoke(None);
    assert!(!rig.desk.is_drained(ticket));
    rig.desk.apply(consumer::event::Command::Hurry);
    assert!(rig.desk.is_drained(ticket));
    assert_eq!(rig.give_back(&held), []);
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_a_partition_that_is_gone_is_settled_and_never_sent() {
    let mut rig = Rig::new(settings(1, 5));
    rig.assign(&[0]);
    rig.turn().await;
    rig.receive(0, 0..5);
    let events = rig.desk.take_events();
    assert!(matches!(events[..], [Event::Closed(_)]));
    let (_, _) = rig.revoke(&[0]);
    rig.turn().await;
    for event in events {
        rig.send(event);
    }
    rig.pass(SECOND).await;
    assert_eq!((rig.calls().len(), rig.desk.outstanding_bytes()), (0, 0));
}
