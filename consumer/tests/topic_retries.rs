//! Retry topics go with their topic: its function, its breaker, its batch limit, and one share of what is short for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::desk::DeskSettings;
use consumer::guard::{Force, GuardSettings, Limits};
use consumer::topic::TopicPlan;
use rig::{Answer, FUNCTION, Rig, TOPIC, guarded, settings};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const LATENCY: Duration = Duration::from_millis(100);
const PRIO: &str = "prio";
const RETRY: &str = "prio.retry.5s";
const PRIO_FUNCTION: &str = "dispatcher-prio";
/// The partitions of the second topic begin here, those of its retry topic there.
const FROM: i32 = 100;
const RETRY_FROM: i32 = 200;

/// Two topics of the same weight, with functions of their own; the second one has a retry topic. Each of the three has 4 partitions.
fn rig(function: &str, max_in_flight: usize, change: impl FnOnce(&mut DeskSettings)) -> Rig {
    let limits = Limits { max_in_flight, invocations_per_second: 0.0 };
    let mut desk = settings(1, 20);
    let prio = TopicPlan { retries: vec![RETRY.into()], ..TopicPlan::new(PRIO, 1, function) };
    desk.topics = vec![TopicPlan::new(TOPIC, 1, FUNCTION), prio];
    desk.room.waiting = 8;
    change(&mut desk);
    let mut rig = Rig::behind(GuardSettings { topics: desk.topics.clone(), limits, ..guarded() }, desk);
    rig.latency(LATENCY);
    rig.assign(&four(0));
    rig.assign_of(PRIO, &four(FROM));
    rig.assign_of(RETRY, &four(RETRY_FROM));
    rig
}

fn four(from: i32) -> [i32; 4] {
    [from, from + 1, from + 2, from + 3]
}

/// Nine batches for every partition of the second topic and of its retry topic, whose records are due at once; one of each in turn.
fn load_prio(rig: &mut Rig) {
    for first in (0..180).step_by(20) {
        four(FROM).into_iter().for_each(|partition| rig.receive_of(PRIO, partition, first..first + 20));
        four(RETRY_FROM).into_iter().for_each(|partition| rig.receive_of(RETRY, partition, first..first + 20));
    }
}

/// Calls of the first topic, of the second, and of its retry topic.
fn calls(rig: &Rig) -> [usize; 3] {
    let of = |range: std::ops::Range<i32>| rig.calls().iter().filter(|call| range.contains(&call.partition)).count();
    [of(0..FROM), of(FROM..RETRY_FROM), of(RETRY_FROM..300)]
}

/// Batches of a partition that were handed over and are not settled.
fn outstanding(rig: &Rig, partition: i32) -> usize {
    rig.desk.standings().iter().find(|one| one.held.at.partition == partition).unwrap().outstanding
}

#[tokio::test(start_paused = true)]
async fn a_retry_topic_goes_to_the_function_of_its_topic_and_waits_for_its_breaker() {
    let mut rig = rig(PRIO_FUNCTION, 64, |_| {});
    rig.guard.force(Some(PRIO_FUNCTION), Force::Open).unwrap();
    rig.receive_of(RETRY, RETRY_FROM, 0..20);
    rig.pass(SECOND).await;
    assert_eq!((calls(&rig), rig.guard.view().topics[1].waiting), ([0, 0, 0], 1));
    rig.guard.force(Some(PRIO_FUNCTION), Force::Closed).unwrap();
    rig.pass(SECOND).await;
    assert_eq!((calls(&rig), rig.calls()[0].function.as_str()), ([0, 0, 1], PRIO_FUNCTION));
    assert_eq!(rig.commit(), [(RETRY_FROM, 20)]);
}

#[tokio::test(start_paused = true)]
async fn a_topic_and_its_retry_topics_have_one_share_of_the_invocations() {
    let mut rig = rig(FUNCTION, 4, |_| {});
    four(0).into_iter().for_each(|partition| rig.receive(partition, 0..180));
    load_prio(&mut rig);
    // From the third round on lanes of both wait all the time.
    rig.pass(LATENCY * 5 / 2).await;
    let [first, ..] = calls(&rig);
    rig.pass(LATENCY * 6).await;
    let [topic, prio, retry] = calls(&rig);
    assert_eq!((topic - first, topic + prio + retry), (12, 36), "half of six times four: {prio} and {retry}");
    assert!(prio > 6 && retry > 6, "within the topic first come first served: {prio} and {retry}");
}

#[tokio::test(start_paused = true)]
async fn a_topic_and_its_retry_topics_have_one_part_of_the_memory() {
    let mut probe = rig(FUNCTION, 64, |_| {});
    probe.receive(0, 0..20);
    probe.turn().await;
    let one = probe.desk.outstanding_bytes();
    let mut rig = rig(PRIO_FUNCTION, 64, |desk| desk.room.bytes = 40 * one);
    rig.guard.force(Some(PRIO_FUNCTION), Force::Open).unwrap();
    load_prio(&mut rig);
    rig.turn().await;
    let stuck: usize = rig.desk.standings().iter().map(|one| one.outstanding).sum();
    assert!(
        (28..=30).contains(&stuck),
        "{stuck}: 10 of its own and the 20 that are common, each a little larger, with its retry topic"
    );
    rig.receive(0, 0..180);
    rig.turn().await;
    assert_eq!(outstanding(&rig, 0), 9, "another one has what is its own");
    rig.guard.force(Some(PRIO_FUNCTION), Force::Closed).unwrap();
    rig.pass(SECOND * 4).await;
    assert_eq!((calls(&rig), rig.desk.outstanding_bytes()), ([9, 36, 36], 0), "all of it was given back");
}

#[tokio::test(start_paused = true)]
async fn each_function_has_its_batch_limit_and_retry_topics_have_that_of_their_topic() {
    let mut rig = rig(PRIO_FUNCTION, 64, |_| {});
    rig.lambda.standing_of(PRIO_FUNCTION, Some(Answer::TimeOut));
    rig.receive_of(PRIO, FROM, 0..20);
    // Long enough for one time-out.
    rig.pass(LATENCY * 2).await;
    assert_eq!((rig.batch_limits.of(PRIO_FUNCTION).unwrap().records(), rig.batch_limit().records()), (10, 20));
    // A partition that was there, one that comes now, and those of the other function.
    let late = RETRY_FROM + 4;
    rig.assign_of(RETRY, &[late]);
    rig.receive_of(RETRY, RETRY_FROM, 0..20);
    rig.receive_of(RETRY, late, 0..20);
    rig.receive(0, 0..20);
    rig.turn().await;
    let batches = [RETRY_FROM, late, 0].map(|partition| outstanding(&rig, partition));
    assert_eq!(batches, [2, 2, 1]);
    rig.pass(LATENCY * 2).await;
    assert!(rig.calls().iter().any(|call| call.partition == 0 && call.offsets.len() == 20));
    let shown = rig.batch_limits.json();
    let of = |nth: usize| (shown["functions"][nth]["function"].clone(), shown["functions"][nth]["most"].clone());
    assert_eq!((of(0), of(1)), ((FUNCTION.into(), 20.into()), (PRIO_FUNCTION.into(), 20.into())));
    assert_eq!((&shown["function"], &shown["records"]), (&FUNCTION.into(), &20.into()), "the first one's");
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_a_topic_that_nothing_is_configured_for_is_called_by_nobody_and_ends_the_consumer() {
    let mut desk = settings(1, 20);
    desk.topics.push(TopicPlan::new(PRIO, 1, PRIO_FUNCTION));
    // The guard knows of the first topic alone.
    let mut rig = Rig::behind(guarded(), desk);
    rig.assign_of(PRIO, &[FROM]);
    rig.receive_of(PRIO, FROM, 0..20);
    rig.pass(SECOND).await;
    assert_eq!((rig.calls().len(), rig.commit()), (0, vec![]));
    let fatal = (&mut rig.fatal).await.unwrap().unwrap_err();
    assert!(fatal.0.contains("prio is no topic of this consumer"), "{fatal}");
}
