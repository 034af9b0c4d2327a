//! What the guard does for deliveries: an outage, throttling, a slow function, and an operator, on the whole pipeline.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::guard::{BreakerState, Force, Limits};
use consumer::policy::Pace;
use domain::backoff::Backoff;
use domain::failure::FailureClass;
use rig::{Answer, CAP, FUNCTION, Rig, guarded, settings, usual_pace};
use std::collections::BTreeMap;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const LATENCY: Duration = Duration::from_millis(120);

/// A function that takes 120 ms, with work for so many partitions.
fn rig(partitions: i32, records: i64) -> Rig {
    let mut settings = settings(1, 20);
    settings.room.waiting = 8;
    let mut rig = Rig::behind(guarded(), settings);
    rig.latency(LATENCY);
    rig.assign(&(0..partitions).collect::<Vec<_>>());
    for partition in 0..partitions {
        rig.receive(partition, 0..records);
    }
    rig
}

fn state(rig: &Rig) -> BreakerState {
    rig.guard.view().breaker.state
}

/// Everything was delivered once, in order, and committed; nothing was set aside.
fn assert_all_delivered(rig: &mut Rig, partitions: usize, records: i64) {
    rig.commit();
    let standings = rig.desk.standings();
    assert!(standings.iter().all(|standing| standing.committed == Some(records)), "{standings:?}");
    assert_eq!((standings.len(), rig.overlaps(), rig.dead_letters().len()), (partitions, 0, 0));
    assert_eq!(rig.meters.delivered.get(), partitions as u64 * records as u64);
    let mut last: BTreeMap<i32, i64> = BTreeMap::new();
    for call in rig.calls() {
        assert!(call.offsets.is_sorted());
        let before = last.insert(call.partition, call.offsets[0]).unwrap_or(0);
        assert!(before <= call.offsets[0], "partition {} goes back from {before}: {:?}", call.partition, call.offsets);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_opens_the_breaker_only_probes_call_and_all_is_delivered_soon_after_its_end() {
    let mut rig = rig(16, 100);
    rig.pass(LATENCY / 2).await;
    rig.lambda.standing(Some(Answer::Fail(FailureClass::Transient)));
    rig.pass(SECOND / 2).await;
    assert_eq!(state(&rig), BreakerState::Open);
    let why = rig.condition.why().unwrap();
    assert!(why.contains("the breaker of function dispatcher is open: 10 calls in a row failed"), "{why}");
    let opened = rig.calls().len();
    rig.pass(SECOND * 20).await;
    let probes = rig.calls().split_off(opened);
    assert_eq!(probes.len(), 5, "after 1, 2, 4, 5 and 5 s: {probes:?}");
    assert!(probes.iter().all(|probe| probe.offsets.len() <= 10), "a probe is small: {probes:?}");
    assert!(rig.commit().iter().all(|(_, next)| *next <= 20), "no more than what was under way before");
    rig.lambda.standing(None);
    // At most the time that it is open, the lane's own wait, and the deliveries themselves.
    rig.pass(SECOND * 5 + CAP + LATENCY * 10).await;
    assert_eq!((state(&rig), rig.condition.why()), (BreakerState::Closed, None));
    assert_eq!(rig.meters.guard.function(FUNCTION).opened.get(), 6);
    rig.pass(SECOND * 3).await;
    assert_all_delivered(&mut rig, 16, 100);
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_the_head_of_its_piece_and_the_rest_follows_in_order() {
    let mut rig = rig(1, 40);
    rig.script([Answer::Fail(FailureClass::Ours)]);
    rig.pass(SECOND * 8).await;
    let sent = rig.sent();
    assert_eq!(sent, [(0..20).collect::<Vec<_>>(), (0..10).collect(), (10..20).collect(), (20..40).collect()]);
    assert_eq!(rig.calls().iter().map(|call| call.attempt).collect::<Vec<_>>(), [1, 2, 2, 1]);
    assert_all_delivered(&mut rig, 1, 40);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_opens_the_breaker_at_once_for_all_and_neither_commits_nor_sets_aside() {
    let mut rig = rig(8, 100);
    rig.lambda.standing(Some(Answer::Fail(FailureClass::Ours)));
    rig.pass(SECOND / 2).await;
    assert_eq!((state(&rig), rig.calls().len()), (BreakerState::Open, 8));
    assert!(rig.condition.why().unwrap().contains("people must mend"), "{:?}", rig.condition.why());
    rig.pass(SECOND * 60).await;
    assert!(rig.calls().len() <= 8 + 14, "{} calls in a minute", rig.calls().len());
    assert_eq!((rig.commit(), rig.dead_letters().len()), (vec![], 0));
    rig.lambda.standing(None);
    rig.pass(SECOND * 10).await;
    assert_all_delivered(&mut rig, 8, 100);
}

#[tokio::test(start_paused = true)]
async fn throttling_shrinks_concurrency_and_never_opens_the_breaker_or_sets_aside() {
    let mut rig = rig(32, 180);
    rig.lambda.room(Some(4));
    rig.pass(SECOND * 3).await;
    let limit = rig.guard.view().concurrency_limit;
    assert!((2..=6).contains(&limit), "{limit} at once where 4 are served");
    assert_eq!(state(&rig), BreakerState::Closed);
    let (delivered, calls) = (rig.meters.delivered.get(), rig.calls().len() as u64);
    rig.pass(SECOND * 4).await;
    let delivered = rig.meters.delivered.get() - delivered;
    let calls = rig.calls().len() as u64 - calls;
    // 4 at once, each 120 ms and 20 records, are 2,667 records in 4 s.
    assert!(delivered >= 2_667 * 7 / 10, "only {delivered} records in 4 s");
    assert!(calls <= delivered / 20 * 13 / 10, "{calls} calls for {delivered} records");
    rig.lambda.room(None);
    rig.pass(SECOND * 12).await;
    assert_all_delivered(&mut rig, 32, 180);
    assert_eq!(rig.condition.why(), None);
    assert!(rig.meters.guard.function(FUNCTION).shrunk.get() > 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_function_neither_opens_the_breaker_nor_shrinks_anything() {
    let mut rig = rig(16, 180);
    rig.pass(SECOND / 2).await;
    rig.latency(Duration::from_millis(950));
    rig.pass(SECOND * 3).await;
    let view = rig.guard.view();
    assert_eq!((view.breaker.state, view.concurrency_limit, rig.meters.in_flight()), (BreakerState::Closed, 64, 16));
    rig.latency(LATENCY);
    rig.pass(SECOND * 2).await;
    assert_all_delivered(&mut rig, 16, 180);
}

#[tokio::test(start_paused = true)]
async fn forced_open_stops_calls_and_commits_and_forced_closed_goes_on() {
    let mut rig = rig(4, 100);
    rig.guard.force(None, Force::Open).unwrap();
    rig.pass(SECOND * 60).await;
    assert_eq!((rig.calls().len(), rig.commit(), rig.dead_letters().len()), (0, vec![], 0));
    assert!(rig.condition.why().unwrap().contains("an operator forced it"));
    assert_eq!(rig.meters.guard.waiting(), 4);
    rig.guard.force(None, Force::Closed).unwrap();
    rig.lambda.standing(Some(Answer::Fail(FailureClass::Transient)));
    rig.pass(SECOND * 20).await;
    assert!(rig.calls().len() > 4 * 8, "{} calls: nothing holds them but their own waits", rig.calls().len());
    assert_eq!(rig.condition.why(), None);
    rig.lambda.standing(None);
    rig.guard.force(None, Force::Auto).unwrap();
    rig.pass(SECOND * 5).await;
    assert_eq!(state(&rig), BreakerState::Closed);
    assert_all_delivered(&mut rig, 4, 100);
}

#[tokio::test(start_paused = true)]
async fn limits_change_while_calls_wait_for_them() {
    let mut rig = rig(16, 200);
    rig.guard.set_limits(Limits { max_in_flight: 2, invocations_per_second: 0.0 });
    rig.pass(LATENCY / 2).await;
    assert_eq!(rig.meters.in_flight(), 2);
    rig.guard.set_limits(Limits { max_in_flight: 8, invocations_per_second: 0.0 });
    rig.turn().await;
    assert_eq!(rig.meters.in_flight(), 8);
    rig.guard.set_limits(Limits { max_in_flight: 8, invocations_per_second: 5.0 });
    let before = rig.calls().len();
    rig.pass(SECOND * 4).await;
    let calls = rig.calls().len() - before;
    assert!((19..=21).contains(&calls), "{calls} calls in 4 s at 5/s");
    rig.guard.set_limits(Limits { max_in_flight: 64, invocations_per_second: 0.0 });
    rig.pass(SECOND * 3).await;
    assert_all_delivered(&mut rig, 16, 200);
}

#[tokio::test(start_paused = true)]
async fn a_revoke_does_not_wait_for_an_open_breaker() {
    let mut rig = rig(2, 100);
    rig.guard.force(None, Force::Open).unwrap();
    rig.pass(SECOND).await;
    let (ticket, held) = rig.revoke(&[0]);
    rig.turn().await;
    assert!(rig.desk.is_drained(ticket));
    assert_eq!(rig.give_back(&held), []);
    rig.guard.force(None, Force::Auto).unwrap();
    rig.pass(SECOND * 2).await;
    assert!(rig.calls().iter().all(|call| call.partition == 1));
    assert_eq!(rig.commit(), [(1, 100)], "the one that waited behind it goes on");
}

/// What may be wrong with a function for a while.
fn faults() -> Vec<Answer> {
    let classes = [FailureClass::Throttled, FailureClass::Transient, FailureClass::FunctionError, FailureClass::Ours];
    classes.map(Answer::Fail).into_iter().chain([Answer::Malformed, Answer::TimeOut]).collect()
}

/// A minute and a half of a fault at the default waits, with a batch of records every ten seconds, and what is left of it ten seconds after its end.
async fn outlast(partitions: i32, fault: Answer) {
    const LASTS: u32 = 90;
    // A time-out is no matter of size here: it halves batches, which is another story.
    let records = if matches!(fault, Answer::TimeOut) { 2 } else { 20 };
    let mut rig = Rig::paced(settings(1, records as usize), usual_pace());
    rig.latency(LATENCY);
    rig.assign(&(0..partitions).collect::<Vec<_>>());
    let mut next = 0;
    let mut calls = Vec::new();
    for second in 0..=LASTS + 5 {
        if second % 10 == 0 {
            (0..partitions).for_each(|partition| rig.receive(partition, next..next + records));
            next += records;
        }
        rig.lambda.standing((5..LASTS + 5).contains(&second).then(|| fault.clone()));
        let before = rig.calls().len();
        rig.pass(SECOND).await;
        calls.push(rig.calls().len() - before);
    }
    rig.pass(SECOND * 9).await;
    assert_eq!((state(&rig), rig.condition.why()), (BreakerState::Closed, None), "{fault:?}");
    assert_all_delivered(&mut rig, partitions as usize, next);
    // A batch of twenty is cut five times, twice it is tried before, and then each lane waits for five seconds.
    let most = partitions as usize * (LASTS as usize / 5 + 14);
    let during: usize = calls[6..5 + LASTS as usize].iter().sum();
    assert!(during <= most, "{fault:?}: {during} calls in {LASTS} s, {most} are allowed: {calls:?}");
    let busiest = calls[20..5 + LASTS as usize].iter().max();
    assert!(busiest <= Some(&(partitions as usize)), "{fault:?}: {calls:?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_was_wrong_for_long_is_over_within_ten_seconds_at_the_default_waits() {
    for fault in faults() {
        outlast(12, fault.clone()).await;
        outlast(1, fault).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_after_failures_comes_soon_after_the_first_that_is_answered() {
    for class in [FailureClass::Throttled, FailureClass::Transient, FailureClass::FunctionError] {
        let backoff = Backoff { base: SECOND, cap: SECOND * 600 };
        let mut rig = Rig::paced(settings(1, 1), Pace { backoff, suspect_after: 2, attempts: 16 });
        rig.latency(LATENCY);
        rig.lambda.standing(Some(Answer::Fail(class)));
        for partition in 0..4 {
            rig.assign(&[partition]);
            rig.receive(partition, 0..1);
            // Each lane's waits end at other times.
            rig.pass(SECOND * 7).await;
        }
        rig.pass(SECOND * 200).await;
        rig.lambda.standing(None);
        let before = rig.calls().len();
        let mut waited = 0;
        while rig.calls().len() == before {
            rig.pass(LATENCY).await;
            waited += 1;
        }
        assert!(waited < 5_000, "{class:?}");
        rig.pass(SECOND + LATENCY * 3).await;
        assert_eq!(rig.meters.delivered.get(), 4, "{class:?}: {:?}", rig.calls().split_off(before));
        assert_eq!(rig.calls().len(), before + 4, "{class:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_asked_for_is_not_cut_short() {
    let mut rig = Rig::paced(settings(1, 1), usual_pace());
    rig.lambda.throttle_for(Some(SECOND * 60));
    rig.assign(&[0]);
    rig.receive(0, 0..1);
    rig.pass(SECOND * 2).await;
    rig.lambda.throttle_for(None);
    rig.assign(&[1]);
    rig.receive(1, 0..1);
    rig.pass(SECOND * 50).await;
    assert_eq!((rig.calls().len(), rig.meters.delivered.get()), (2, 1), "the other one is answered");
    rig.pass(SECOND * 10).await;
    assert_eq!((rig.calls().len(), rig.meters.delivered.get()), (3, 2));
}
