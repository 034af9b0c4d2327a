//! Several topics at one gate: weights decide what is short, and a function that is broken stops its own topics alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "guard/gate.rs"]
mod gate;

use consumer::guard::{BreakerState, Force, Limits, Outcome};
use consumer::topic::TopicPlan;
use domain::failure::FailureClass;
use gate::{Gate, MS, SECOND};
use proptest::prelude::*;

const DOWN: Outcome = Outcome::Failed(FailureClass::Transient);
const THROTTLED: Outcome = Outcome::Failed(FailureClass::Throttled);

/// Topic "fast" weighs 3, "slow" 1; the third shares the first one's function.
fn gate(max_in_flight: usize, functions: [&str; 3]) -> Gate {
    let topics = [("fast", 3), ("slow", 1), ("more", 1)];
    let plans =
        topics.into_iter().zip(functions).map(|((name, weight), function)| TopicPlan::new(name, weight, function));
    Gate::of(plans.collect(), Limits { max_in_flight, invocations_per_second: 0.0 })
}

#[tokio::test(start_paused = true)]
async fn what_is_short_goes_by_weight_and_by_the_order_of_asking_within() {
    let mut gate = gate(1, ["f", "f", "f"]);
    gate.guard.force(None, Force::Open).unwrap();
    // Numbers 0 to 3 are slow, 4 to 15 fast.
    for _ in 0..4 {
        gate.ask_for("slow").await;
    }
    for _ in 0..12 {
        gate.ask_for("fast").await;
    }
    gate.guard.force(None, Force::Closed).unwrap();
    for _ in 0..16 {
        gate.settle().await;
        gate.end(Outcome::Answered).await;
    }
    assert_eq!(gate.given(), [4, 5, 0, 6, 7, 8, 1, 9, 10, 11, 2, 12, 13, 14, 3, 15]);
}

#[tokio::test(start_paused = true)]
async fn where_there_is_room_nobody_waits() {
    let mut gate = gate(8, ["f", "f", "f"]);
    for topic in ["slow", "slow", "fast", "more", "slow", "slow", "slow", "slow"] {
        gate.ask_for(topic).await;
    }
    assert_eq!(gate.given(), [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test(start_paused = true)]
async fn each_function_has_its_breaker_and_a_row_that_stands_holds_up_no_other() {
    let mut gate = gate(3, ["f", "g", "f"]);
    for _ in 0..3 {
        let nth = gate.ask_for("slow").await;
        gate.take_of(nth).unwrap().ended(DOWN, MS);
    }
    let state = |gate: &Gate| gate.guard.view().functions.iter().map(|one| one.breaker.state).collect::<Vec<_>>();
    assert_eq!(state(&gate), [BreakerState::Closed, BreakerState::Open]);
    let why = gate.condition.why().unwrap();
    assert!(why.contains("function g is open") && !why.contains("function f"), "{why}");
    let waits = gate.ask_for("slow").await;
    for topic in ["fast", "more", "fast"] {
        let nth = gate.ask_for(topic).await;
        assert!(gate.given().contains(&nth), "{topic} waits behind a broken function");
    }
    gate.guard.force(Some("f"), Force::Open).unwrap();
    assert!(gate.condition.why().unwrap().contains("function f is open"));
    gate.guard.force(Some("f"), Force::Closed).unwrap();
    assert!(gate.condition.why().unwrap().contains("function g is open"), "what is well again takes nothing with it");
    gate.end(Outcome::Answered).await;
    gate.pass(SECOND).await;
    assert_eq!(
        gate.take_of(waits).map(|permit| (permit.is_probe(), permit.function().to_owned())),
        Some((true, "g".into()))
    );
    let unknown = gate.guard.force(Some("h"), Force::Open).unwrap_err();
    assert_eq!(unknown.to_string(), "h is no function of this consumer");
}

#[tokio::test(start_paused = true)]
async fn each_function_has_its_concurrency_and_all_together_keep_the_limit() {
    let mut gate = gate(4, ["f", "g", "f"]);
    let nth = gate.ask_for("slow").await;
    gate.take_of(nth).unwrap().ended(THROTTLED, MS);
    let limits = |gate: &Gate| gate.guard.view().functions.iter().map(|one| one.concurrency_limit).collect::<Vec<_>>();
    assert_eq!(limits(&gate), [4, 1]);
    for topic in ["slow", "slow", "fast", "fast", "fast", "fast"] {
        gate.ask_for(topic).await;
    }
    assert_eq!(gate.given(), [0, 1, 3, 4, 5], "one of slow's function, and four of all");
    assert_eq!(gate.under_way(), 4);
    gate.take_of(1).unwrap().ended(Outcome::Answered, MS);
    gate.settle().await;
    assert_eq!(gate.given(), [0, 1, 3, 4, 5, 6], "fast is heavier");
    let text = gate.metrics.render();
    for line in [
        "comboio_consumer_invoke_concurrency_limit{function=\"g\"} 2",
        "comboio_consumer_invoke_concurrency_limit{function=\"f\"} 4",
        "comboio_consumer_invoke_begun_total{function=\"f\",topic=\"fast\"} 4",
        "comboio_consumer_invoke_begun_total{function=\"g\",topic=\"slow\"} 2",
        "comboio_consumer_invoke_begun_total{function=\"f\",topic=\"more\"} 0",
    ] {
        assert!(text.lines().any(|shown| shown == line), "no `{line}` in\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_topic_waits_in_the_row_of_its_topic_and_a_stranger_finds_no_way_in() {
    let slow = TopicPlan { retries: vec!["slow.retry.5s".into()], ..TopicPlan::new("slow", 1, "g") };
    let limits = Limits { max_in_flight: 1, invocations_per_second: 0.0 };
    let mut gate = Gate::of(vec![TopicPlan::new("fast", 1, "f"), slow], limits);
    for topic in ["slow", "slow.retry.5s", "slow", "fast", "fast", "fast"] {
        gate.ask_for(topic).await;
    }
    for _ in 0..5 {
        gate.end(Outcome::Answered).await;
    }
    assert_eq!(gate.given(), [0, 3, 1, 4, 2, 5], "slow has every second turn, whichever of its topics it is for");
    for stranger in ["fast.retry.5s", "other", ""] {
        let Err(unknown) = gate.guard.entry(stranger) else { panic!("{stranger} counts as another") };
        assert!(unknown.to_string().starts_with(&format!("{stranger} is no topic")), "{unknown}");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Ask(&'static str),
    End(usize, Outcome),
    GiveUp(usize),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let topic = prop::sample::select(vec!["fast", "slow", "more"]);
    let outcome = prop::sample::select(vec![Outcome::Answered, Outcome::Answered, DOWN, THROTTLED]);
    prop_oneof![
        6 => topic.prop_map(Step::Ask),
        5 => (0..100_usize, outcome).prop_map(|(nth, outcome)| Step::End(nth, outcome)),
        1 => (0..100_usize).prop_map(Step::GiveUp),
        2 => (1..3_000_u64).prop_map(Step::Pass),
    ]
}

async fn play(steps: Vec<Step>) {
    let mut gate = gate(3, ["f", "g", "f"]);
    let mut topics: Vec<&str> = Vec::new();
    for step in steps {
        match step {
            Step::Ask(topic) => {
                gate.ask_for(topic).await;
                topics.push(topic);
            }
            Step::End(nth, outcome) => {
                if let Some(permit) = gate.take_of(nth) {
                    permit.ended(outcome, MS);
                }
            }
            Step::GiveUp(nth) if nth < topics.len() && !gate.given().contains(&nth) => {
                gate.asked[nth].abort();
                topics[nth] = "gone";
            }
            Step::GiveUp(_) => {}
            Step::Pass(ms) => gate.pass(MS * ms as u32).await,
        }
        gate.settle().await;
        assert!(gate.under_way() <= 3);
    }
    // Both functions work again: everybody who still waits gets a turn.
    for _ in 0..topics.len() + 8 {
        gate.end(Outcome::Answered).await;
        gate.pass(SECOND * 4).await;
    }
    let given = gate.given();
    for topic in ["fast", "slow", "more"] {
        let asked: Vec<usize> = (0..topics.len()).filter(|nth| topics[*nth] == topic).collect();
        let got: Vec<usize> = given.iter().copied().filter(|nth| topics[*nth] == topic).collect();
        assert_eq!(got, asked, "{topic}: somebody overtook or was forgotten");
    }
    assert_eq!(gate.under_way(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn within_a_topic_nobody_overtakes_and_nobody_is_forgotten(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(play(steps));
    }
}
