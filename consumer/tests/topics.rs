//! Several topics on the whole pipeline: what is short goes by weight, and a topic that is stuck holds up no other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::desk::DeskSettings;
use consumer::guard::{Force, GuardSettings, Limits};
use consumer::topic::TopicPlan;
use domain::failure::FailureClass;
use rig::{Answer, CAP, FUNCTION, Rig, TOPIC, guarded, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const LATENCY: Duration = Duration::from_millis(100);
const PRIO: &str = "prio";
/// The partitions of the second topic begin there.
const FROM: i32 = 100;

/// The rig's topic weighs 1, another one 4; each has so many partitions, and the other one its function.
fn rig(function: &str, max_in_flight: usize, change: impl FnOnce(&mut DeskSettings)) -> Rig {
    let limits = Limits { max_in_flight, invocations_per_second: 0.0 };
    let mut desk = settings(1, 20);
    desk.topics = vec![TopicPlan::new(TOPIC, 1, FUNCTION), TopicPlan::new(PRIO, 4, function)];
    desk.room.waiting = 8;
    change(&mut desk);
    let mut rig = Rig::behind(GuardSettings { topics: desk.topics.clone(), limits, ..guarded() }, desk);
    rig.latency(LATENCY);
    rig.assign(&[0, 1, 2, 3, 4, 5, 6, 7]);
    rig.assign_of(PRIO, &[FROM, FROM + 1, FROM + 2, FROM + 3, FROM + 4, FROM + 5, FROM + 6, FROM + 7]);
    rig
}

/// As many records for every partition of both topics.
fn load(rig: &mut Rig, records: i64) {
    for partition in 0..8 {
        rig.receive(partition, 0..records);
        rig.receive_of(PRIO, FROM + partition, 0..records);
    }
}

/// As many records for every partition of one topic, a batch of each in turn.
fn load_in_turn(rig: &mut Rig, (topic, from): (&str, i32), batches: i64) {
    for batch in 0..batches {
        (from..from + 8).for_each(|partition| rig.receive_of(topic, partition, batch * 20..batch * 20 + 20));
    }
}

/// What one batch of the rig holds, about.
async fn bytes_of_a_batch() -> usize {
    let mut rig = rig(FUNCTION, 64, |_| {});
    rig.receive(0, 0..20);
    rig.turn().await;
    assert_eq!(outstanding(&rig), (1, 0));
    rig.desk.outstanding_bytes()
}

/// Batches of the rig's topic and of the other one that hold memory.
fn outstanding(rig: &Rig) -> (usize, usize) {
    let of = |prio: bool| {
        let standings = rig.desk.standings().into_iter();
        standings.filter(|one| (one.held.at.partition >= FROM) == prio).map(|one| one.outstanding).sum()
    };
    (of(false), of(true))
}

/// Calls of the rig's topic and of the other one.
fn calls(rig: &Rig) -> (usize, usize) {
    let calls = rig.calls();
    let prio = calls.iter().filter(|call| call.partition >= FROM).count();
    (calls.len() - prio, prio)
}

#[tokio::test(start_paused = true)]
async fn while_invocations_are_short_topics_share_them_by_weight() {
    let mut rig = rig(FUNCTION, 5, |_| {});
    load(&mut rig, 180);
    rig.pass(LATENCY / 2).await;
    let first = calls(&rig);
    assert_eq!(first.0 + first.1, 5, "who comes first finds room");
    rig.pass(LATENCY * 8).await;
    let (slow, prio) = calls(&rig);
    assert_eq!((slow - first.0, prio - first.1), (8, 32), "eight times five, one to four");
    rig.pass(SECOND * 3).await;
    assert_eq!((calls(&rig), rig.overlaps()), ((72, 72), 0));
    assert!(rig.commit().iter().all(|(_, next)| *next == 180));
}

#[tokio::test(start_paused = true)]
async fn where_there_is_room_nobody_waits() {
    let mut rig = rig(FUNCTION, 16, |_| {});
    load(&mut rig, 180);
    rig.pass(LATENCY / 2).await;
    assert_eq!((rig.meters.in_flight(), rig.meters.guard.waiting()), (16, 0));
    rig.pass(LATENCY * 9).await;
    assert_eq!(calls(&rig), (72, 72));
}

#[tokio::test(start_paused = true)]
async fn a_broken_function_of_one_topic_stops_neither_the_other_topic_nor_its_breaker() {
    let mut rig = rig("dispatcher-prio", 8, |_| {});
    rig.lambda.standing_of("dispatcher-prio", Some(Answer::Fail(FailureClass::Ours)));
    load(&mut rig, 180);
    rig.pass(SECOND * 2).await;
    let (healthy, _) = calls(&rig);
    assert_eq!(healthy, 72, "everything of the healthy topic");
    assert!(rig.calls().iter().all(|call| (call.partition >= FROM) == (call.function == "dispatcher-prio")));
    let why = rig.condition.why().unwrap();
    assert!(
        why.contains("function dispatcher-prio refuses us") && why.contains("breaker of function dispatcher-prio"),
        "{why}"
    );
    assert!(!why.contains("function dispatcher "), "{why}");
    let committed = rig.commit();
    assert!(
        committed.len() == 8 && committed.iter().all(|(partition, next)| *partition < FROM && *next == 180),
        "{committed:?}"
    );
    rig.lambda.standing_of("dispatcher-prio", None);
    rig.pass(SECOND * 30 + CAP).await;
    rig.pass(SECOND * 4).await;
    assert_eq!((rig.condition.why(), rig.dead_letters().len(), rig.overlaps()), (None, 0, 0));
    let committed = rig.commit();
    assert!(committed.len() == 8 && committed.iter().all(|(_, next)| *next == 180), "{committed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_topic_that_is_stuck_does_not_take_the_memory_of_the_others() {
    let one = bytes_of_a_batch().await;
    let mut rig = rig("dispatcher-prio", 64, |desk| desk.room.bytes = 40 * one);
    rig.guard.force(Some("dispatcher-prio"), Force::Open).unwrap();
    load_in_turn(&mut rig, (PRIO, FROM), 9);
    rig.turn().await;
    let (_, stuck) = outstanding(&rig);
    assert!(
        (34..=36).contains(&stuck),
        "{stuck}: it has the 16 that are its own and the 20 that are common, each a little larger"
    );
    // One more than that none starves, and one more than that.
    rig.receive(0, 0..60);
    rig.turn().await;
    assert!(!rig.paused.contains(&0), "no room although some is reserved: {:?}", rig.paused);
    rig.pass(LATENCY * 4).await;
    assert_eq!(calls(&rig), (3, 0));
    assert!(rig.commit().contains(&(0, 60)));
}

#[tokio::test(start_paused = true)]
async fn common_memory_goes_by_weight_too() {
    let one = bytes_of_a_batch().await;
    let mut rig = rig(FUNCTION, 64, |desk| desk.room.bytes = 40 * one);
    load_in_turn(&mut rig, (TOPIC, 0), 40);
    rig.turn().await;
    assert_eq!(outstanding(&rig), (24, 0), "who is alone has the 4 that are its own and the 20 that are common");
    load_in_turn(&mut rig, (PRIO, FROM), 40);
    rig.turn().await;
    assert_eq!(outstanding(&rig), (24, 16), "what is taken is not taken back");
    // Every lane has one batch at least: 8 of them are the lighter topic's, and a fifth of what becomes free.
    for _ in 0..6 {
        rig.pass(LATENCY).await;
        println!("{:?}", outstanding(&rig));
    }
    let (light, heavy) = outstanding(&rig);
    assert!((8..=12).contains(&light) && (28..=32).contains(&heavy), "{light} and {heavy}");
}

#[tokio::test(start_paused = true)]
async fn dead_letters_of_one_topic_that_get_through_do_not_hide_that_those_of_another_do_not() {
    let mut rig = rig(FUNCTION, 16, |_| {});
    rig.letters.only_down(Some("t.dlq"));
    rig.lambda.standing(Some(Answer::Reject(vec![0])));
    rig.receive(0, 0..20);
    rig.receive_of(PRIO, FROM, 0..20);
    // Between two attempts of the topic that is down, the other one's letters come through.
    for partition in [FROM + 1, FROM + 2, FROM + 3] {
        rig.pass(SECOND / 2).await;
        rig.receive_of(PRIO, partition, 0..20);
        rig.pass(SECOND / 4).await;
        let why = rig.condition.why().unwrap_or_default();
        assert!(why.contains("dead letters of t/0 are not acknowledged"), "{why}");
    }
    assert_eq!(rig.dead_letters().len(), 4);
    rig.letters.only_down(None);
    rig.pass(CAP).await;
    assert_eq!((rig.condition.why(), rig.dead_letters().len()), (None, 5));
}
