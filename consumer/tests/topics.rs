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
    let topics = vec![TopicPlan::new(TOPIC, 1, FUNCTION), TopicPlan::new(PRIO, 4, function)];
    let limits = Limits { max_in_flight, invocations_per_second: 0.0 };
    let mut desk = settings(1, 20);
    (desk.topics, desk.weights, desk.room.waiting) = (vec![TOPIC.into(), PRIO.into()], vec![1, 4], 8);
    change(&mut desk);
    let mut rig = Rig::behind(GuardSettings { topics, limits, ..guarded() }, desk);
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
    let mut rig = rig("dispatcher-prio", 64, |desk| desk.room.bytes = 40_000);
    rig.guard.force(Some("dispatcher-prio"), Force::Open).unwrap();
    for partition in 0..8 {
        rig.receive_of(PRIO, FROM + partition, 0..180);
    }
    rig.turn().await;
    let stuck = rig.desk.outstanding_bytes();
    assert!((32_000..40_000).contains(&stuck), "{stuck} bytes: it has what is its own and what is common");
    // Two batches are what one partition may have by the rule that none starves, and one.
    rig.receive(0, 0..60);
    rig.turn().await;
    assert!(!rig.paused.contains(&0), "no room although some is reserved: {:?}", rig.paused);
    rig.pass(LATENCY * 4).await;
    assert_eq!(calls(&rig), (3, 0));
    assert!(rig.commit().contains(&(0, 60)));
}
