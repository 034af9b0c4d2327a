//! The guard's machines under any history: what they promise holds after every step.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use consumer::guard::{Breaker, BreakerSettings, BreakerState, Force, Look, Passed, Sign};
use consumer::guard::{Concurrency, ConcurrencySettings, InvocationRate, Load, Round};
use proptest::prelude::*;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const BREAKER: BreakerSettings = BreakerSettings {
    failures: 4,
    share: 0.5,
    window: Duration::from_secs(10),
    open_for: Duration::from_secs(1),
    open_cap: Duration::from_secs(6),
    probe_records: 1,
};

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Call,
    /// The nth call under way ends.
    End(usize, Sign),
    Abandon(usize),
    Force(Force),
}

fn step() -> impl Strategy<Value = Step> {
    let sign =
        prop::sample::select(vec![Sign::Up, Sign::Up, Sign::Busy, Sign::Down, Sign::Down, Sign::Down, Sign::Refuses]);
    let force = prop::sample::select(vec![Force::Auto, Force::Auto, Force::Open, Force::Closed]);
    prop_oneof![
        4 => (0..4_000_u64).prop_map(Step::Wait),
        8 => Just(Step::Call),
        8 => (0..6_usize, sign).prop_map(|(nth, sign)| Step::End(nth, sign)),
        1 => (0..6_usize).prop_map(Step::Abandon),
        1 => force.prop_map(Step::Force),
    ]
}

/// The breaker and what an onlooker remembers of it.
struct Watched {
    breaker: Breaker,
    now: Duration,
    under_way: Vec<Passed>,
    opened_at: Duration,
    /// Since it was closed: what it was told while closed.
    told: Vec<(Duration, Sign)>,
}

impl Watched {
    fn apply(&mut self, step: &Step) {
        let before = self.breaker.state();
        match *step {
            Step::Wait(ms) => self.now += MS * ms as u32,
            Step::Call => self.call(),
            Step::End(nth, sign) if nth < self.under_way.len() => {
                let passed = self.under_way.remove(nth);
                self.breaker.ended(passed, sign, self.now);
                self.told.push((self.now, sign));
            }
            Step::Abandon(nth) if nth < self.under_way.len() => self.breaker.abandoned(self.under_way.remove(nth)),
            Step::End(..) | Step::Abandon(_) => {}
            Step::Force(force) => self.breaker.set_force(force),
        }
        let after = self.breaker.state();
        if after == BreakerState::Open && before != after {
            self.opened_at = self.now;
            self.check_opening(before, step);
        }
        if after != before {
            self.told.clear();
        }
    }

    fn call(&mut self) {
        let (look, state) = (self.breaker.look(self.now), self.breaker.state());
        let passed = self.breaker.pass(self.now);
        assert_eq!(passed.is_some(), matches!(look, Look::Pass | Look::Probe));
        assert_eq!(passed.is_some_and(|passed| passed.probe), look == Look::Probe);
        if state == BreakerState::Closed {
            assert_eq!(look, Look::Pass);
        }
        if let (BreakerState::Open, Some(passed)) = (state, passed) {
            assert!(passed.probe && self.now >= self.opened_at + BREAKER.open_for);
            assert_eq!(self.breaker.state(), BreakerState::HalfOpen);
        }
        if passed.is_some_and(|passed| passed.probe) {
            assert_eq!(self.breaker.pass(self.now), None, "a second probe");
        }
        self.under_way.extend(passed);
    }

    /// It opens only for a reason that somebody saw.
    fn check_opening(&self, before: BreakerState, step: &Step) {
        let down = self.told.iter().filter(|(_, sign)| *sign == Sign::Down).count();
        match step {
            Step::Force(force) => assert_ne!(*force, Force::Closed),
            Step::End(_, Sign::Refuses) => {}
            Step::End(_, Sign::Down) if before == BreakerState::HalfOpen => {}
            Step::End(_, Sign::Down) => assert!(down >= BREAKER.failures as usize, "opened after {:?}", self.told),
            other => panic!("{other:?} opened it"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_breaker_keeps_its_promises(steps in prop::collection::vec(step(), 1..150)) {
        let breaker = Breaker::new(BREAKER);
        let (now, under_way, told) = (Duration::ZERO, Vec::new(), Vec::new());
        let mut watched = Watched { breaker, now, under_way, opened_at: Duration::ZERO, told };
        for step in &steps {
            watched.apply(step);
            let most = BREAKER.open_cap;
            if let Look::Later(span) = watched.breaker.look(watched.now) {
                prop_assert!(span <= most, "open for {span:?}");
            }
        }
        // It is never wedged: nobody forces it, what was under way is forgotten, and after the longest time a call passes.
        watched.breaker.set_force(Force::Auto);
        for passed in std::mem::take(&mut watched.under_way) {
            watched.breaker.abandoned(passed);
        }
        let passed = watched.breaker.pass(watched.now + BREAKER.open_cap).expect("a call passes");
        watched.breaker.ended(passed, Sign::Up, watched.now + BREAKER.open_cap);
        prop_assert_eq!(watched.breaker.state(), BreakerState::Closed);
    }

    #[test]
    fn the_limit_stays_in_bounds_and_shrinks_once_a_round_trip(
        max in 1..80_usize,
        steps in prop::collection::vec((0..10_u8, 0..100_usize), 1..400),
    ) {
        let settings = ConcurrencySettings { adaptive: true, latency_budget: Some(MS * 500) };
        let mut concurrency = Concurrency::new(settings, max);
        // Every call under way, with the number of decreases that it has seen begin.
        let mut under_way: Vec<(Round, usize)> = Vec::new();
        let mut decreases = 0;
        for (what, nth) in steps {
            let before = concurrency.limit();
            match what {
                0..5 if concurrency.has_room() => under_way.push((concurrency.begin(), decreases)),
                5..9 if !under_way.is_empty() => {
                    let held_back = under_way.len() >= before;
                    let (round, seen) = under_way.swap_remove(nth % under_way.len());
                    let load = [Load::Served(MS), Load::Served(MS * 900), Load::Throttled, Load::Unknown][usize::from(what - 5)];
                    concurrency.end(round, load);
                    let after = concurrency.limit();
                    match what {
                        6 | 7 if seen == decreases => {
                            decreases += 1;
                            prop_assert!(after < before || before == 1, "did not shrink");
                        }
                        5 if held_back => prop_assert!((before..=before + 1).contains(&after)),
                        _ => prop_assert_eq!(after, before, "moved without need"),
                    }
                }
                9 => concurrency.set_max(nth.max(1)),
                _ => {}
            }
            prop_assert_eq!(concurrency.under_way(), under_way.len());
            prop_assert!((1..=concurrency.max()).contains(&concurrency.limit()));
        }
    }

    #[test]
    fn no_span_of_time_holds_more_calls_than_the_rate(
        per_second in prop_oneof![0.1..10.0_f64, 10.0..2_000.0],
        gaps in prop::collection::vec(0..400_000_u64, 1..60),
    ) {
        let mut rate = InvocationRate::new(per_second, Duration::ZERO);
        let (mut now, mut calls) = (Duration::ZERO, Vec::new());
        for gap in gaps {
            now += Duration::from_micros(gap);
            while rate.take(now).is_ok() {
                calls.push(now);
            }
            let wait = rate.take(now).unwrap_err();
            prop_assert!(rate.take(now + wait).is_ok(), "what it says is what it takes");
            now += wait;
            calls.push(now);
        }
        // With n calls at t seconds, n - rate * t may rise over its lowest value so far by no more than what may come at once.
        let burst = (per_second / 100.0).max(1.0);
        let mut lowest = f64::MAX;
        for (nth, at) in calls.iter().enumerate() {
            let over = nth as f64 - at.as_secs_f64() * per_second;
            lowest = lowest.min(over);
            prop_assert!(over - lowest <= burst + 0.001, "{} calls too many at {at:?}", over - lowest - burst);
        }
    }
}
