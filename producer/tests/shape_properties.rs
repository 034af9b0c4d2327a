//! Load shapes hold for any rate and time: due times never go back, and counts agree with them exactly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use producer::shape::{Burst, Climb, Constant, DayCurve, Ramp, Shape, Sine, Step, Steps};
use proptest::prelude::*;
use runtime::config::Span;
use std::time::Duration;

fn span() -> impl Strategy<Value = Span> {
    (1u64..600_000).prop_map(Span::from_millis)
}

fn rate() -> impl Strategy<Value = f64> {
    prop_oneof![0.01..1.0, 1.0..1_000.0, 1_000.0..1_000_000.0]
}

fn rate_or_none() -> impl Strategy<Value = f64> {
    prop_oneof![1 => Just(0.0), 4 => rate()]
}

fn climb() -> impl Strategy<Value = Shape> {
    let growth = prop_oneof![(1.05f64..5.0).prop_map(|by| (Some(by), None)), rate().prop_map(|by| (None, Some(by)))];
    (rate(), growth, 1.1f64..8.0, 1_000u64..60_000).prop_map(|(start, (factor, add), over, every)| {
        // At most 100 steps up.
        let highest = add.map_or(start * over, |add| start + add * over);
        let (every, settle) = (Span::from_millis(every), Span::from_millis(every / 2));
        Shape::Climb(Climb { start, factor, add, every, highest, settle, ack_p99: every, queue: 1 })
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    let constant = rate().prop_map(|rate| Shape::Constant(Constant { rate }));
    let ramp = (rate_or_none(), rate(), span()).prop_map(|(from, to, over)| Shape::Ramp(Ramp { from, to, over }));
    let step = (rate_or_none(), span()).prop_map(|(rate, length)| Step { rate, length });
    let last = (rate(), span()).prop_map(|(rate, length)| Step { rate, length });
    let steps = (prop::collection::vec(step, 0..5), last).prop_map(|(mut steps, last)| {
        steps.push(last);
        Shape::Step(Steps { steps })
    });
    let burst = (rate_or_none(), rate(), span(), span()).prop_map(|(rate, burst, length, more)| {
        let every = Span::from_millis(length.as_millis() + more.as_millis());
        Shape::Burst(Burst { rate, burst, length, every })
    });
    let sine = (rate(), 0.0..=1.0, span())
        .prop_map(|(high, part, period)| Shape::Sine(Sine { low: high * part, high, period }));
    let hours = (prop::collection::vec(rate_or_none(), 23), rate());
    let day = (hours, span()).prop_map(|((mut hours, last), day)| {
        hours.push(last);
        Shape::DayCurve(DayCurve { hours, day })
    });
    prop_oneof![constant, ramp, steps, burst, sine, day, climb()]
}

/// The rate at a time, from the definition of the shape and not from its integral.
fn rate_at(shape: &Shape, seconds: f64) -> f64 {
    match shape {
        Shape::Constant(shape) => shape.rate,
        Shape::Ramp(ramp) => {
            let along = (seconds / ramp.over.get().as_secs_f64()).min(1.0);
            ramp.from + (ramp.to - ramp.from) * along
        }
        Shape::Step(Steps { steps }) => {
            let mut end = 0.0;
            let current = steps.iter().find(|step| {
                end += step.length.get().as_secs_f64();
                seconds < end
            });
            current.or(steps.last()).unwrap().rate
        }
        Shape::Burst(burst) => {
            let into = seconds % burst.every.get().as_secs_f64();
            let quiet = burst.every.get() - burst.length.get();
            if into < quiet.as_secs_f64() { burst.rate } else { burst.burst }
        }
        Shape::Sine(sine) => {
            let angle = seconds / sine.period.get().as_secs_f64() * std::f64::consts::TAU;
            sine.low + (sine.high - sine.low) * (1.0 - angle.cos()) / 2.0
        }
        Shape::DayCurve(day) => {
            let hour = seconds / day.day.get().as_secs_f64() * 24.0 % 24.0;
            let (from, to) = (day.hours[hour as usize], day.hours[(hour as usize + 1) % 24]);
            from + (to - from) * hour.fract()
        }
        Shape::Climb(climb) => {
            let step = (seconds / climb.every.get().as_secs_f64()) as i32;
            let grown = climb.add.map_or_else(
                || climb.start * climb.factor.unwrap().powi(step),
                |add| climb.start + add * f64::from(step),
            );
            grown.min(climb.highest)
        }
    }
}

/// How long the shape takes until it is the same again; a sum in slices must be much finer.
fn period(shape: &Shape) -> f64 {
    let span = match shape {
        Shape::Constant(_) | Shape::Ramp(_) | Shape::Step(_) | Shape::Climb(_) => return f64::INFINITY,
        Shape::Burst(burst) => burst.every,
        Shape::Sine(sine) => sine.period,
        Shape::DayCurve(day) => day.day,
    };
    span.get().as_secs_f64()
}

proptest! {
    #[test]
    fn due_times_never_go_back(shape in shape(), first in 0u64..1_000_000, steps in prop::collection::vec(1u64..5_000, 1..50)) {
        prop_assert!(shape.validate().is_ok());
        let curve = shape.curve();
        let (mut index, mut before) = (first, curve.due(first));
        for step in steps {
            index += step;
            let due = curve.due(index);
            prop_assert!(due >= before, "event {index} is due at {due:?}, an earlier one at {before:?}");
            before = due;
        }
    }

    #[test]
    fn a_count_is_exactly_the_events_due_before(shape in shape(), millis in 1u64..1_000_000) {
        let (curve, until) = (shape.curve(), Duration::from_millis(millis));
        let count = curve.count(until);
        prop_assert!(count == 0 || curve.due(count - 1) < until);
        prop_assert!(curve.due(count) >= until);
    }

    #[test]
    fn counts_add_up_to_the_rate(shape in shape(), millis in 0u64..1_000_000) {
        // A midpoint sum over slices that no bend or border spoils by more than a slice; of what repeats, a few rounds.
        let seconds = (millis as f64 / 1_000.0).min(3.0 * period(&shape));
        let slices = 60_000;
        let width = seconds / f64::from(slices);
        let sum: f64 = (0..slices).map(|slice| rate_at(&shape, (f64::from(slice) + 0.5) * width) * width).sum();
        let count = shape.curve().count(Duration::from_secs_f64(seconds)) as f64;
        let tolerance = 1.0 + 10.0 * shape.peak() * width + 1e-4 * sum;
        prop_assert!((count - sum).abs() <= tolerance, "{count} events, {sum} by the rate");
    }

    /// The hundred thousandth round is like the first: no error adds up in a long run, up to the 10^13 events that a curve tells
    /// apart.
    #[test]
    fn rounds_are_alike(shape in shape(), rounds in 1u64..100_000, part in 0.0..1.0) {
        let round = period(&shape);
        if round.is_finite() {
            let curve = shape.curve();
            let at = |seconds: f64| curve.count(Duration::from_secs_f64(seconds)) as f64;
            let per_round = at(1000.0 * round) / 1000.0;
            let rounds = rounds.min((5e12 / per_round) as u64).max(1);
            let (one, whole) = (at(part * round), at(rounds as f64 * round));
            let events = at((rounds as f64 + part) * round) - whole;
            prop_assert!((events - one).abs() <= 2.0 + 1e-6 * one, "{events} events in round {rounds}, {one} in the first");
            let expected = per_round * rounds as f64;
            prop_assert!((whole - expected).abs() <= 2.0 + rounds as f64 / 1000.0 + 1e-9 * expected);
        }
    }

    #[test]
    fn scaling_keeps_the_form(shape in shape(), peak in rate(), millis in 1u64..1_000_000) {
        let scaled = shape.scaled_to(peak);
        prop_assert!((scaled.peak() / peak - 1.0).abs() < 1e-9);
        let until = Duration::from_millis(millis);
        let expected = shape.curve().count(until) as f64 * peak / shape.peak();
        let tolerance = 2.0 + 2.0 * peak / shape.peak() + 1e-6 * expected;
        prop_assert!((scaled.curve().count(until) as f64 - expected).abs() <= tolerance);
    }
}

#[test]
fn the_first_event_is_due_at_once_and_a_pause_delays_only_what_comes_after() {
    let step = |rate, seconds| Step { rate, length: Span::from_secs(seconds) };
    let curve = Shape::Step(Steps { steps: vec![step(10.0, 1), step(0.0, 5), step(10.0, 1)] }).curve();
    assert_eq!(curve.due(0), Duration::ZERO);
    assert_eq!(curve.due(9), Duration::from_millis(900));
    assert_eq!(curve.due(10), Duration::from_secs(6));
    let curve = Shape::Ramp(Ramp { from: 0.0, to: 100.0, over: Span::from_secs(10) }).curve();
    assert_eq!(curve.count(Duration::from_secs(10)), 500);
    assert_eq!(curve.count(Duration::from_secs(11)), 600);
}

#[test]
fn bursts_waves_and_days_have_the_events_that_a_person_would_count() {
    let seconds = Duration::from_secs;
    let (length, every) = (Span::from_secs(5), Span::from_secs(60));
    let burst = Shape::Burst(Burst { rate: 100.0, burst: 1_000.0, length, every });
    let curve = burst.curve();
    assert_eq!([55, 60, 115, 120].map(|at| curve.count(seconds(at))), [5_500, 10_500, 16_000, 21_000]);
    assert_eq!((curve.due(5_500), burst.peak()), (seconds(55), 1_000.0));
    let sine = Shape::Sine(Sine { low: 0.0, high: 1_000.0, period: Span::from_secs(40) });
    let curve = sine.curve();
    assert_eq!([20, 40, 80].map(|at| curve.count(seconds(at))), [10_000, 20_000, 40_000]);
    assert_eq!(sine.peak(), 1_000.0);
    // A quarter of a wave: t/2 - sin(t)/2 of the height, within the 0.01 % of its straight pieces.
    let quarter = (10.0 - 40.0 / std::f64::consts::TAU) / 2.0 * 1_000.0;
    assert!((curve.count(seconds(10)) as f64 - quarter).abs() < 2.0);
    let hours = (0..24).map(|hour| if (6..18).contains(&hour) { 240.0 } else { 24.0 }).collect();
    let day = Shape::DayCurve(DayCurve { hours, day: Span::from_secs(24 * 60) }).curve();
    // Twelve hours at each rate; the two slopes between them are as much above as below. Day two is like day one.
    let all = 12 * 60 * (240 + 24);
    assert_eq!([24, 48].map(|minutes| day.count(seconds(minutes * 60))), [all, 2 * all]);
    assert_eq!(day.count(seconds(60)), 24 * 60);
}

#[test]
fn a_month_at_a_million_a_second_is_exact_to_the_event() {
    let hours: Vec<f64> = (0..24).map(|hour| f64::from(hour) * 40_000.0).collect();
    let day = Shape::DayCurve(DayCurve { hours, day: Span::from_secs(86_400) }).curve();
    let (midnight, second) = (Duration::from_secs(30 * 86_400), Duration::from_secs(1));
    let a_day = 12 * 40_000 * 23 * 3_600;
    assert_eq!(day.count(midnight), 30 * a_day);
    for index in [30 * a_day - 1, 30 * a_day + 12_345_678] {
        let due = day.due(index);
        assert!(day.due(index + 1) > due && day.count(due) <= index && day.count(due + second) > index);
    }
}
