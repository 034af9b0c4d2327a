//! Load shapes hold for any rate and time: due times never go back, and counts agree with them exactly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use producer::shape::{Climb, Constant, Ramp, Shape, Step, Steps};
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
    prop_oneof![constant, ramp, steps, climb()]
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

proptest! {
    #[test]
    fn due_times_never_go_back(shape in shape(), first in 0u64..1_000_000, steps in prop::collection::vec(1u64..5_000, 1..50)) {
        prop_assert!(shape.validate().is_ok());
        let (mut index, mut before) = (first, shape.due(first));
        for step in steps {
            index += step;
            let due = shape.due(index);
            prop_assert!(due >= before, "event {index} is due at {due:?}, an earlier one at {before:?}");
            before = due;
        }
    }

    #[test]
    fn a_count_is_exactly_the_events_due_before(shape in shape(), millis in 1u64..1_000_000) {
        let until = Duration::from_millis(millis);
        let count = shape.count(until);
        prop_assert!(count == 0 || shape.due(count - 1) < until);
        prop_assert!(shape.due(count) >= until);
    }

    #[test]
    fn counts_add_up_to_the_rate(shape in shape(), millis in 0u64..1_000_000) {
        // A midpoint sum over slices that no bend or border spoils by more than a slice.
        let seconds = millis as f64 / 1_000.0;
        let slices = 20_000;
        let width = seconds / f64::from(slices);
        let sum: f64 = (0..slices).map(|slice| rate_at(&shape, (f64::from(slice) + 0.5) * width) * width).sum();
        let count = shape.count(Duration::from_millis(millis)) as f64;
        let tolerance = 1.0 + 10.0 * shape.peak() * width + 1e-6 * sum;
        prop_assert!((count - sum).abs() <= tolerance, "{count} events, {sum} by the rate");
    }

    #[test]
    fn scaling_keeps_the_form(shape in shape(), peak in rate(), millis in 1u64..1_000_000) {
        let scaled = shape.scaled_to(peak);
        prop_assert!((scaled.peak() / peak - 1.0).abs() < 1e-9);
        let until = Duration::from_millis(millis);
        let expected = shape.count(until) as f64 * peak / shape.peak();
        let tolerance = 2.0 + 2.0 * peak / shape.peak() + 1e-6 * expected;
        prop_assert!((scaled.count(until) as f64 - expected).abs() <= tolerance);
    }
}

#[test]
fn the_first_event_is_due_at_once_and_a_pause_delays_only_what_comes_after() {
    let step = |rate, seconds| Step { rate, length: Span::from_secs(seconds) };
    let shape = Shape::Step(Steps { steps: vec![step(10.0, 1), step(0.0, 5), step(10.0, 1)] });
    assert_eq!(shape.due(0), Duration::ZERO);
    assert_eq!(shape.due(9), Duration::from_millis(900));
    assert_eq!(shape.due(10), Duration::from_secs(6));
    let ramp = Shape::Ramp(Ramp { from: 0.0, to: 100.0, over: Span::from_secs(10) });
    assert_eq!(ramp.count(Duration::from_secs(10)), 500);
    assert_eq!(ramp.count(Duration::from_secs(11)), 600);
}
