//! Routes against a naive model: try every rule, take the first that holds the codigo.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::route::{CodigoSet, Routes};
use proptest::prelude::*;

/// Ranges close together, so that rules overlap.
fn ranges() -> impl Strategy<Value = Vec<(u32, u32)>> {
    let range = (0_u32..60, 0_u32..12).prop_map(|(low, width)| (low, low + width));
    prop::collection::vec(range, 1..4)
}

fn text(ranges: &[(u32, u32)]) -> String {
    let parts = ranges.iter().map(|(low, high)| if low == high { low.to_string() } else { format!("{low} - {high}") });
    parts.collect::<Vec<_>>().join(", ")
}

proptest! {
    #[test]
    fn a_set_holds_what_its_text_says(ranges in ranges(), codigo in 0_u32..80) {
        let set: CodigoSet = text(&ranges).parse().expect("a set");
        prop_assert_eq!(set.contains(codigo), ranges.iter().any(|(low, high)| (*low..=*high).contains(&codigo)));
    }

    #[test]
    fn a_set_survives_its_text_form(ranges in ranges()) {
        let set: CodigoSet = text(&ranges).parse().expect("a set");
        prop_assert_eq!(set.to_string().parse::<CodigoSet>().expect("its own text"), set);
    }

    #[test]
    fn the_first_rule_that_holds_the_codigo_wins(rules in prop::collection::vec(ranges(), 0..6), codigo in 0_u32..80) {
        let parsed = rules.iter().enumerate().map(|(place, ranges)| (text(ranges).parse().expect("a set"), place));
        let routes = Routes::new(parsed.collect());
        let naive = rules.iter().position(|ranges| ranges.iter().any(|(low, high)| (*low..=*high).contains(&codigo)));
        prop_assert_eq!(routes.find(codigo).copied(), naive);
    }

    #[test]
    fn any_text_is_a_set_or_is_refused(text in ".{0,20}") {
        if let Ok(set) = text.parse::<CodigoSet>() {
            prop_assert_eq!(set.to_string().parse::<CodigoSet>().expect("its own text"), set);
        }
    }
}
