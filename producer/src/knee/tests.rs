//! The verdict over steps, without a clock.

use super::{Failing, Knee, Limits, Measured, Next, judge};
use crate::shape::Climb;
use runtime::config::Span;

const LIMITS: Limits = Limits { ack_p99_ms: 100.0, queue: 500 };

fn knee() -> Knee {
    Knee::new(&Climb {
        start: 1_000.0,
        factor: Some(2.0),
        add: None,
        every: Span::from_secs(5),
        highest: 5_000.0,
        settle: Span::from_secs(1),
        ack_p99: Span::from_millis(100),
        queue: 500,
    })
}

fn step(wanted: f64, reached: f64, p99: f64, queue: u64) -> Measured {
    Measured { wanted, planned: wanted, reached, ack_p99_ms: Some(p99), queue, seconds: 4.0 }
}

#[test]
fn a_step_holds_up_to_its_limits_and_fails_by_each_of_them() {
    let cases = [
        (step(1_000.0, 990.0, 100.0, 500), &[][..]),
        (step(1_000.0, 1_020.0, 5.0, 0), &[]),
        (step(1_000.0, 989.9, 5.0, 0), &[Failing::Rate]),
        // As many as a p99 of 100 ms leaves under way: 25 events/s over 4 s.
        (step(1_000.0, 975.0, 100.0, 0), &[]),
        (step(1_000.0, 974.9, 100.0, 0), &[Failing::Rate]),
        (step(1_000.0, 1_000.0, 100.1, 0), &[Failing::AckP99]),
        (step(1_000.0, 1_000.0, 5.0, 501), &[Failing::Queue]),
        (step(1_000.0, 0.0, 900.0, 4_000), &[Failing::AckP99, Failing::Queue, Failing::Rate]),
        (Measured { ack_p99_ms: None, ..step(1_000.0, 0.0, 0.0, 3) }, &[Failing::AckP99, Failing::Rate]),
    ];
    for (measured, fails) in cases {
        assert_eq!(judge(LIMITS, &measured), fails, "{measured:?}");
    }
}

#[test]
fn the_climb_ends_at_the_first_limit_that_is_passed() {
    let mut knee = knee();
    assert_eq!(knee.add(step(1_000.0, 1_000.0, 5.0, 10)), Next::Climb);
    assert_eq!(knee.add(step(2_000.0, 1_999.0, 9.0, 20)), Next::Climb);
    assert_eq!(knee.add(step(4_000.0, 3_500.0, 450.0, 400)), Next::Stop);
    assert_eq!((knee.highest_sustained, knee.broken_at), (Some(2_000.0), Some(4_000.0)));
    assert_eq!(knee.broken_by, [Failing::AckP99, Failing::Rate]);
    let text = knee.to_string();
    assert!(text.contains("the highest sustained rate is 2000.0 events/s; at 4000.0 ack p99 was 450.0 ms"), "{text}");
    assert!(text.contains("failed: ack p99, rate") && text.matches("held").count() == 2, "{text}");
}

#[test]
fn a_step_that_misses_its_rate_does_not_count_and_does_not_end_the_climb() {
    let mut knee = knee();
    assert_eq!(knee.add(step(1_000.0, 1_000.0, 5.0, 10)), Next::Climb);
    assert_eq!(knee.add(step(2_000.0, 1_900.0, 9.0, 20)), Next::Climb);
    assert_eq!((knee.highest_sustained, knee.broken_at), (Some(1_000.0), None));
    assert!(knee.sentence().ends_with("it ended before a step passed a limit"), "{}", knee.sentence());
}

#[test]
fn a_climb_without_a_knee_says_so() {
    let mut knee = knee();
    [1_000.0, 2_000.0, 4_000.0].iter().for_each(|rate| assert_eq!(knee.add(step(*rate, *rate, 5.0, 1)), Next::Climb));
    assert_eq!(knee.add(step(5_000.0, 5_000.0, 5.0, 1)), Next::Stop);
    assert!(knee.sentence().contains("5000.0 events/s; the last step passed no limit"), "{}", knee.sentence());
}

#[test]
fn a_climb_that_fails_at_once_has_no_highest_rate() {
    let mut knee = knee();
    assert_eq!(knee.add(Measured { ack_p99_ms: None, ..step(1_000.0, 0.0, 0.0, 3) }), Next::Stop);
    assert!(knee.sentence().starts_with("no step held; at 1000.0 nothing was acknowledged"), "{}", knee.sentence());
}
