//! The guard's gate under the paused clock: who asked first goes first, nobody is forgotten, and a dropped call wedges nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "guard/gate.rs"]
mod gate;

use consumer::guard::{BreakerState, Force, Limits, Outcome};
use domain::failure::FailureClass;
use gate::{Gate, MS, SECOND};
use proptest::prelude::*;

const ANSWERED: Outcome = Outcome::Answered;
const DOWN: Outcome = Outcome::Failed(FailureClass::Transient);
const THROTTLED: Outcome = Outcome::Failed(FailureClass::Throttled);

#[tokio::test(start_paused = true)]
async fn who_asked_first_goes_first_and_an_end_makes_room_for_one() {
    let mut gate = Gate::new(2, 0.0);
    for _ in 0..5 {
        gate.ask().await;
    }
    assert_eq!(gate.given(), [0, 1]);
    gate.end(ANSWERED).await;
    assert_eq!(gate.given(), [0, 1, 2]);
    drop(gate.take());
    gate.settle().await;
    assert_eq!(gate.given(), [0, 1, 2, 3], "a permit that is dropped makes room too");
    assert_eq!(gate.under_way(), 2);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_waiting_takes_nobody_elses_turn() {
    let mut gate = Gate::new(1, 0.0);
    for _ in 0..5 {
        gate.ask().await;
    }
    gate.asked[1].abort();
    gate.asked[3].abort();
    gate.settle().await;
    gate.end(ANSWERED).await;
    gate.end(ANSWERED).await;
    assert_eq!(gate.given(), [0, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_probe_decides_and_a_dropped_one_wedges_nothing() {
    let mut gate = Gate::new(10, 0.0);
    for _ in 0..3 {
        gate.ask().await;
        gate.end(DOWN).await;
    }
    assert_eq!(gate.state(), BreakerState::Open);
    for _ in 0..3 {
        gate.ask().await;
    }
    gate.pass(SECOND - MS).await;
    assert_eq!(gate.given().len(), 3, "nobody passes while it is open");
    gate.pass(MS).await;
    assert_eq!((gate.given().len(), gate.state()), (4, BreakerState::HalfOpen), "one, and time alone woke it");
    let probe = gate.take().unwrap();
    assert!(probe.is_probe() && probe.most_records() == 10);
    drop(probe);
    gate.settle().await;
    assert_eq!(gate.given().len(), 5);
    gate.end(ANSWERED).await;
    assert_eq!((gate.given().len(), gate.state()), (6, BreakerState::Closed));
    assert_eq!(gate.take().unwrap().most_records(), usize::MAX);
}

#[tokio::test(start_paused = true)]
async fn an_operator_wakes_who_waits() {
    let mut gate = Gate::new(1, 0.0);
    gate.guard.force(None, Force::Open).unwrap();
    gate.ask().await;
    gate.ask().await;
    gate.pass(SECOND * 1_000).await;
    assert_eq!(gate.given(), [0; 0]);
    gate.guard.force(None, Force::Closed).unwrap();
    gate.settle().await;
    assert_eq!(gate.given(), [0]);
    gate.guard.set_limits(Limits { max_in_flight: 2, invocations_per_second: 0.0 });
    gate.settle().await;
    assert_eq!(gate.given(), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_kept_and_can_be_lifted_while_somebody_waits_for_it() {
    let mut gate = Gate::new(100, 0.1);
    for _ in 0..4 {
        gate.ask().await;
    }
    assert_eq!(gate.given(), [0]);
    gate.pass(SECOND * 9).await;
    assert_eq!(gate.given(), [0]);
    gate.pass(SECOND + MS).await;
    assert_eq!(gate.given(), [0, 1]);
    gate.guard.set_limits(Limits { max_in_flight: 100, invocations_per_second: 0.0 });
    gate.settle().await;
    assert_eq!(gate.given(), [0, 1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn the_metrics_say_what_is_so() {
    let mut gate = Gate::new(8, 2.5);
    let shows = |gate: &Gate, line: &str| {
        let text = gate.metrics.render();
        assert!(text.lines().any(|shown| shown == line), "no `{line}` in\n{text}");
    };
    shows(&gate, "comboio_consumer_invoke_breaker_state{function=\"f\",state=\"closed\"} 1");
    shows(&gate, "comboio_consumer_invoke_concurrency_limit{function=\"f\"} 8");
    shows(&gate, "comboio_consumer_invoke_rate_limit 2.5");
    gate.ask().await;
    gate.end(THROTTLED).await;
    shows(&gate, "comboio_consumer_invoke_concurrency_limit{function=\"f\"} 1");
    shows(&gate, "comboio_consumer_invoke_concurrency_decreases_total{function=\"f\"} 1");
    gate.guard.force(None, Force::Open).unwrap();
    gate.ask().await;
    shows(&gate, "comboio_consumer_invoke_breaker_state{function=\"f\",state=\"open\"} 1");
    shows(&gate, "comboio_consumer_invoke_breaker_state{function=\"f\",state=\"closed\"} 0");
    shows(&gate, "comboio_consumer_invoke_breaker_openings_total{function=\"f\"} 1");
    shows(&gate, "comboio_consumer_invoke_waiting_calls 1");
}

#[derive(Debug, Clone)]
enum Step {
    Ask,
    End(Outcome),
    Drop,
    GiveUp(usize),
    Pass(u64),
    Force(Force),
    Limits(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let class = prop::sample::select(FailureClass::ALL.to_vec());
    let force = prop::sample::select(vec![Force::Auto, Force::Auto, Force::Open, Force::Closed]);
    prop_oneof![
        8 => Just(Step::Ask),
        5 => Just(Step::End(ANSWERED)),
        3 => class.prop_map(|class| Step::End(Outcome::Failed(class))),
        1 => Just(Step::Drop),
        1 => (0..100_usize).prop_map(Step::GiveUp),
        3 => (1..3_000_u64).prop_map(Step::Pass),
        1 => force.prop_map(Step::Force),
        1 => (1..6_usize, any::<bool>()).prop_map(|(max, slow)| Step::Limits(max, slow)),
    ]
}

async fn play(steps: &[Step]) {
    let mut gate = Gate::new(4, 0.0);
    let mut gone = Vec::new();
    for step in steps {
        match step.clone() {
            Step::Ask => _ = gate.ask().await,
            Step::End(outcome) => gate.end(outcome).await,
            Step::Drop => drop(gate.take()),
            Step::GiveUp(nth) if nth < gate.asked.len() && !gate.given().contains(&nth) => {
                gate.asked[nth].abort();
                gone.push(nth);
            }
            Step::GiveUp(_) => {}
            Step::Pass(ms) => gate.pass(MS * ms as u32).await,
            Step::Force(force) => gate.guard.force(None, force).unwrap(),
            Step::Limits(max_in_flight, slow) => {
                let invocations_per_second = if slow { 2.0 } else { 0.0 };
                gate.guard.set_limits(Limits { max_in_flight, invocations_per_second });
            }
        }
        gate.settle().await;
        let given = gate.given();
        assert!(given.is_sorted(), "{given:?}: somebody overtook");
    }
    // Whatever happened: the other side works again, and everybody who waits gets a turn.
    gate.guard.force(None, Force::Auto).unwrap();
    gate.guard.set_limits(Limits { max_in_flight: 4, invocations_per_second: 0.0 });
    gate.ask().await;
    for _ in 0..gate.asked.len() + 4 {
        gate.pass(SECOND * 4).await;
        gate.end(ANSWERED).await;
    }
    let expected: Vec<usize> = (0..gate.asked.len()).filter(|number| !gone.contains(number)).collect();
    let given: Vec<usize> = gate.given().into_iter().filter(|number| !gone.contains(number)).collect();
    assert_eq!(given, expected, "somebody was forgotten");
    assert_eq!((gate.under_way(), gate.state()), (0, BreakerState::Closed));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_overtakes_and_nobody_is_forgotten(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(&steps));
    }
}
