//! What weights promise, whoever is ready when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use consumer::share::{MOST_WEIGHT, Shares};
use proptest::prelude::*;

fn weights() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(1..=MOST_WEIGHT, 1..8)
}

/// Weights, and who is ready at each turn.
fn journeys() -> impl Strategy<Value = (Vec<u32>, Vec<Vec<bool>>)> {
    weights().prop_flat_map(|weights| {
        let ready = prop::collection::vec(prop::bool::weighted(0.8), weights.len());
        (Just(weights), prop::collection::vec(ready, 1..300))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn while_all_are_ready_each_round_has_exactly_the_weights(weights in weights()) {
        let mut shares = Shares::new(weights.clone());
        let round: u32 = weights.iter().sum();
        for _ in 0..5 {
            let mut turns = vec![0; weights.len()];
            (0..round).for_each(|_| turns[shares.next(|_| true).unwrap()] += 1);
            prop_assert_eq!(&turns, &weights);
        }
    }

    /// The waiting topic is ready all the time, the others come and go as they like.
    #[test]
    fn nobody_waits_for_more_than_the_others_shares((weights, journey) in journeys(), waiting in 0..8_usize) {
        let waiting = waiting % weights.len();
        let mut shares = Shares::new(weights.clone());
        let mut passed = vec![0; weights.len()];
        for ready in journey {
            let next = shares.next(|topic| topic == waiting || ready[topic]).unwrap();
            passed[next] += 1;
            if next == waiting {
                passed = vec![0; weights.len()];
            }
            for (topic, turns) in passed.iter().enumerate().filter(|(topic, _)| *topic != waiting) {
                let most = weights[topic].div_ceil(weights[waiting]);
                prop_assert!(*turns <= most, "topic {topic} of {weights:?} went {turns} times before {waiting}, allowed is {most}");
            }
            // Of weight 1 this is the sum of all weights.
            let all: u32 = passed.iter().sum();
            prop_assert!(weights[waiting] > 1 || all < weights.iter().sum());
        }
    }

    #[test]
    fn a_turn_goes_to_one_that_is_ready_and_to_one_whenever_there_is_one((weights, journey) in journeys()) {
        let mut shares = Shares::new(weights);
        for ready in journey {
            match shares.next(|topic| ready[topic]) {
                Some(next) => prop_assert!(ready[next]),
                None => prop_assert!(!ready.contains(&true)),
            }
        }
    }
}
