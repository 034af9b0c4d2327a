//! The breaker by the clock: what opens it, for how long, and what closes it.

use super::{Breaker, BreakerSettings, BreakerState, Cause, Force, Look, Passed};
use crate::guard::outcome::Sign;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn breaker() -> Breaker {
    Breaker::new(BreakerSettings {
        failures: 3,
        share: 0.5,
        window: SECOND * 10,
        open_for: SECOND,
        open_cap: SECOND * 4,
        probe_records: 10,
    })
}

/// One call at `now` that passes and ends at once.
fn call(breaker: &mut Breaker, sign: Sign, now: Duration) -> Passed {
    let passed = breaker.pass(now).expect("passes");
    breaker.ended(passed, sign, now);
    passed
}

/// A breaker that is open since `now`.
fn open(now: Duration) -> Breaker {
    let mut breaker = breaker();
    call(&mut breaker, Sign::Refuses, now);
    breaker
}

#[test]
fn failures_in_a_row_open_it_and_an_answer_between_them_does_not_count_as_one() {
    let mut breaker = breaker();
    for sign in [Sign::Up, Sign::Up, Sign::Up, Sign::Down, Sign::Down, Sign::Up, Sign::Busy, Sign::Down] {
        call(&mut breaker, sign, SECOND);
    }
    assert_eq!((breaker.state(), breaker.row), (BreakerState::Closed, 1));
    call(&mut breaker, Sign::Busy, SECOND * 20);
    call(&mut breaker, Sign::Down, SECOND * 20);
    assert_eq!(breaker.state(), BreakerState::Closed);
    call(&mut breaker, Sign::Down, SECOND * 40);
    assert_eq!((breaker.state(), breaker.cause()), (BreakerState::Open, Some(Cause::Row(3))));
}

#[test]
fn a_share_of_failures_within_the_window_opens_it() {
    let mut within = breaker();
    for sign in [Sign::Up, Sign::Down, Sign::Down, Sign::Up, Sign::Up, Sign::Down] {
        assert_eq!(within.state(), BreakerState::Closed);
        call(&mut within, sign, SECOND);
    }
    assert_eq!((within.state(), within.cause()), (BreakerState::Open, Some(Cause::Share(3, 6))));
    let mut over = breaker();
    for (second, sign) in [(0, Sign::Down), (0, Sign::Down), (11, Sign::Up), (12, Sign::Down), (13, Sign::Up)] {
        call(&mut over, sign, SECOND * second);
    }
    call(&mut over, Sign::Down, SECOND * 14);
    assert_eq!(over.state(), BreakerState::Closed, "only two are within ten seconds");
}

#[test]
fn neither_being_told_to_slow_down_nor_a_failing_function_opens_it() {
    let mut breaker = breaker();
    for _ in 0..1_000 {
        call(&mut breaker, Sign::Busy, SECOND);
        call(&mut breaker, Sign::Up, SECOND);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn it_is_open_for_twice_as_long_after_each_failed_probe_up_to_the_cap() {
    let mut breaker = open(Duration::ZERO);
    let mut now = Duration::ZERO;
    for seconds in [1, 2, 4, 4] {
        let almost = now + SECOND * seconds - Duration::from_millis(1);
        assert_eq!(breaker.look(almost), Look::Later(Duration::from_millis(1)));
        assert_eq!(breaker.pass(almost), None);
        now += SECOND * seconds;
        assert!(call(&mut breaker, Sign::Down, now).probe);
        assert_eq!(breaker.state(), BreakerState::Open);
    }
    now += SECOND * 4;
    call(&mut breaker, Sign::Up, now);
    assert_eq!((breaker.state(), breaker.cause()), (BreakerState::Closed, None));
    call(&mut breaker, Sign::Refuses, now);
    assert_eq!(breaker.look(now), Look::Later(SECOND), "the doubling starts anew");
}

#[test]
fn half_open_lets_one_probe_pass_and_the_next_when_that_says_nothing() {
    let mut breaker = open(Duration::ZERO);
    let first = breaker.pass(SECOND).unwrap();
    assert_eq!((first.probe, breaker.state()), (true, BreakerState::HalfOpen));
    assert_eq!((breaker.pass(SECOND * 9), breaker.look(SECOND * 9)), (None, Look::Changed));
    breaker.abandoned(first);
    let second = breaker.pass(SECOND).expect("a probe that was dropped does not wedge it");
    breaker.ended(second, Sign::Busy, SECOND);
    let third = breaker.pass(SECOND).expect("it was told to slow down, no more");
    breaker.ended(first, Sign::Up, SECOND);
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "an earlier probe says nothing");
    breaker.ended(third, Sign::Up, SECOND);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn calls_from_before_it_opened_neither_close_it_nor_keep_it_open() {
    let mut breaker = breaker();
    let early = [(); 4].map(|()| breaker.pass(Duration::ZERO).unwrap());
    call(&mut breaker, Sign::Refuses, Duration::ZERO);
    breaker.ended(early[0], Sign::Up, SECOND / 2);
    breaker.ended(early[1], Sign::Down, SECOND / 2);
    assert_eq!(breaker.look(SECOND / 2), Look::Later(SECOND / 2));
    let probe = breaker.pass(SECOND).unwrap();
    breaker.ended(early[2], Sign::Refuses, SECOND);
    breaker.ended(early[3], Sign::Up, SECOND);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.ended(probe, Sign::Up, SECOND);
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn an_operator_forces_it_and_gives_it_back() {
    let mut breaker = breaker();
    let early = breaker.pass(SECOND).unwrap();
    breaker.set_force(Force::Open);
    assert_eq!((breaker.state(), breaker.look(SECOND * 99)), (BreakerState::Open, Look::Changed));
    breaker.ended(early, Sign::Up, SECOND);
    breaker.set_force(Force::Auto);
    assert_eq!(breaker.state(), BreakerState::HalfOpen, "a probe decides");
    breaker.set_force(Force::Closed);
    for _ in 0..100 {
        assert!(!call(&mut breaker, Sign::Refuses, SECOND).probe);
    }
    assert_eq!((breaker.state(), breaker.cause()), (BreakerState::Closed, None));
    breaker.set_force(Force::Auto);
    assert_eq!(breaker.state(), BreakerState::Closed, "with a clean count");
    call(&mut breaker, Sign::Refuses, SECOND);
    assert_eq!(breaker.state(), BreakerState::Open);
    breaker.set_force(Force::Auto);
    assert_eq!(breaker.state(), BreakerState::Open, "it decides by itself already");
}
