//! Pauses by hand beside those for lack of room, over rebalances, and what the lag says of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::assignment::TopicPartition;
use consumer::lag::{Committed, Found, Look};
use consumer::pause::Scope;
use rig::{Rig, TOPIC, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn zero() -> Scope {
    Scope::partition(TOPIC, 0)
}

/// Two partitions, the first with as much as stops it for lack of room.
async fn full() -> Rig {
    let mut rig = Rig::new(settings(1, 10));
    rig.assign(&[0, 1]);
    rig.latency(SECOND);
    rig.receive(0, 0..30);
    rig.turn().await;
    assert_eq!(rig.paused, [0]);
    rig
}

#[tokio::test(start_paused = true)]
async fn what_is_paused_by_hand_stops_alone_and_what_was_read_is_still_delivered() {
    let mut rig = Rig::new(settings(1, 10));
    rig.assign(&[0, 1]);
    rig.receive(0, 0..15);
    rig.pauses.pause(zero(), 1);
    rig.turn().await;
    assert_eq!((rig.paused.clone(), rig.condition.why()), (vec![0], None), "that is no reason not to be ready");
    let shown: Vec<(bool, bool)> = rig.desk.standings().iter().map(|one| (one.paused, one.paused_by_hand)).collect();
    assert_eq!(shown, [(true, true), (false, false)]);
    rig.pass(SECOND * 2).await;
    assert_eq!((rig.commit(), rig.paused.clone()), (vec![(0, 15)], vec![0]));
    rig.pauses.pause(Scope::ALL, 2);
    rig.turn().await;
    assert_eq!(rig.paused, [0, 1]);
    rig.pauses.resume(Scope::topic(TOPIC), 3);
    rig.turn().await;
    assert_eq!(rig.paused, [0; 0]);
    assert_eq!(rig.desk.take_filled(), 0, "nobody was full");
}

#[tokio::test(start_paused = true)]
async fn room_does_not_undo_a_pause_by_hand() {
    let mut rig = full().await;
    rig.pauses.pause(zero(), 1);
    rig.pass(SECOND * 10).await;
    assert_eq!((rig.paused.clone(), rig.desk.outstanding_bytes()), (vec![0], 0));
    rig.pauses.resume(zero(), 2);
    rig.turn().await;
    assert_eq!((rig.paused.clone(), rig.desk.take_filled()), (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn a_resume_by_hand_makes_no_room() {
    let mut rig = full().await;
    rig.pauses.pause(zero(), 1);
    rig.turn().await;
    rig.pauses.resume(zero(), 2);
    rig.turn().await;
    assert_eq!(rig.paused, [0], "its lane is still full");
    rig.pass(SECOND * 10).await;
    assert_eq!(rig.paused, [0; 0]);
    assert_eq!(rig.commit(), [(0, 30)]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_outlives_the_assignment_and_goes_with_the_next_one() {
    let mut rig = Rig::new(settings(1, 10));
    rig.assign(&[0, 1]);
    rig.pauses.pause(zero(), 1);
    rig.turn().await;
    let (_, held) = rig.revoke(&[0]);
    rig.turn().await;
    rig.give_back(&held);
    assert_eq!(rig.paused, [0; 0], "the client forgets it with the partition");
    rig.turn().await;
    rig.assign(&[0]);
    rig.turn().await;
    assert_eq!(rig.paused, [0]);
}

#[tokio::test(start_paused = true)]
async fn the_lag_of_what_is_paused_by_hand_goes_on_growing() {
    let mut rig = Rig::new(settings(1, 10));
    let (held, at) = (rig.assign(&[0]).remove(0), TopicPartition::new(TOPIC, 0));
    rig.desk.begin_trail(&held, Committed::Next(0), 1_000);
    rig.pauses.pause(zero(), 1_000);
    rig.turn().await;
    for now_ms in [5_000, 60_000, 3_600_000] {
        assert_eq!(rig.desk.looked(&at, Look { low: 0, end: 100, at_ms: now_ms }), []);
        if let [(_, offset)] = rig.desk.wanted_times(now_ms)[..] {
            rig.desk.found_time(&at, offset, Found::Record { timestamp_ms: 2_000 });
        }
        let lag = rig.desk.lag(&held, Some(0), None, now_ms + 2_000).unwrap();
        assert_eq!((lag.records, lag.seconds), (100, now_ms as f64 / 1_000.0));
    }
}
