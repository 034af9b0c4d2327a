//! Which rules never see an event, because those before them take everything that they take.
//!
//! A rule is looked at in parts, one for each pair of its topics and its field's values. A part is taken when the codigos of
//! all earlier rules that take it together hold the rule's codigos. That is exact for codigos, topics and values; a range of
//! numbers counts as taken only when one range holds all of it.

use super::rule::{FieldTest, Rule, Test, Within};
use domain::route::CodigoSet;
use serde_json::Value;

/// Why a rule never sees an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreached {
    /// The rule at this place takes exactly the same.
    Same(usize),
    /// The rule at this place takes more.
    Behind(usize),
    /// Several earlier rules take it together.
    BehindSeveral,
}

/// Looks at `rule` behind `earlier`; `None` when something can reach it.
pub fn unreached(earlier: &[Rule], rule: &Rule) -> Option<Unreached> {
    if let Some(place) = earlier.iter().position(|other| is_taken(std::slice::from_ref(other), rule)) {
        let same = is_taken(std::slice::from_ref(rule), &earlier[place]);
        return Some(if same { Unreached::Same(place) } else { Unreached::Behind(place) });
    }
    is_taken(earlier, rule).then_some(Unreached::BehindSeveral)
}

/// Whether `by` together take all that `rule` takes.
fn is_taken(by: &[Rule], rule: &Rule) -> bool {
    parts(rule).iter().all(|part| {
        let codigos = by.iter().filter(|other| part.is_taken_by(other)).map(|other| &other.codigos);
        CodigoSet::union(codigos).covers(&rule.codigos)
    })
}

/// One topic (none: all of them) and one value, or range, of the field.
struct Part<'r> {
    topic: Option<&'r str>,
    field: Option<(&'r str, Values<'r>)>,
}

#[derive(Clone, Copy)]
enum Values<'r> {
    One(&'r Value),
    Within(Within),
}

fn parts(rule: &Rule) -> Vec<Part<'_>> {
    let topics: Vec<Option<&str>> = match rule.topics.as_slice() {
        [] => vec![None],
        some => some.iter().map(|topic| Some(topic.as_str())).collect(),
    };
    let fields: Vec<Option<(&str, Values<'_>)>> = match &rule.field {
        None => vec![None],
        Some(FieldTest { name, test: Test::Within(within) }) => vec![Some((name, Values::Within(*within)))],
        Some(FieldTest { name, test: Test::OneOf(values) }) => {
            values.iter().map(|value| Some((name.as_str(), Values::One(value)))).collect()
        }
    };
    topics.iter().flat_map(|topic| fields.iter().map(|field| Part { topic: *topic, field: *field })).collect()
}

impl Part<'_> {
    /// But for the codigos.
    fn is_taken_by(&self, rule: &Rule) -> bool {
        let topic = rule.topics.is_empty() || self.topic.is_some_and(|mine| rule.topics.iter().any(|one| one == mine));
        topic && rule.field.as_ref().is_none_or(|test| self.field_is_taken_by(test))
    }

    fn field_is_taken_by(&self, test: &FieldTest) -> bool {
        match (&self.field, &test.test) {
            (Some((name, _)), _) if *name != test.name => false,
            (Some((_, Values::One(value))), test) => test.takes(value),
            (Some((_, Values::Within(mine))), Test::Within(other)) => {
                other.at_least <= mine.at_least && mine.below <= other.below
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Unreached, unreached};
    use crate::fields::Fields;
    use crate::record::Need;
    use crate::route::{FieldTest, Rule, Test};
    use proptest::prelude::*;
    use serde_json::json;
    use std::cell::LazyCell;

    fn rule(codigos: &str, topics: &[&str], field: Option<(&str, Test)>) -> Rule {
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        let field = field.map(|(name, test)| FieldTest { name: name.into(), test });
        Rule { codigos: codigos.parse().unwrap(), topics, field, ..Rule::everything(vec![(0, Need::Required)]) }
    }

    fn one_of(name: &str, values: &[i64]) -> Option<(&'static str, Test)> {
        let name = if name == "a" { "a" } else { "b" };
        Some((name, Test::OneOf(values.iter().map(|value| json!(value)).collect())))
    }

    fn within(low: f64, high: f64) -> Option<(&'static str, Test)> {
        Some(("a", Test::within(Some(low), Some(high))))
    }

    #[test]
    fn one_earlier_rule_may_take_it_all() {
        let last = |rules: &[Rule]| unreached(&rules[..rules.len() - 1], &rules[rules.len() - 1]);
        let same = [rule("1,2", &["t"], one_of("a", &[1])), rule("1-2", &["t"], one_of("a", &[1, 1]))];
        assert_eq!(last(&same), Some(Unreached::Same(0)));
        assert_eq!(
            last(&[rule("7", &[], None), rule("*", &["t"], None), rule("9", &["t"], None)]),
            Some(Unreached::Behind(1))
        );
        assert_eq!(last(&[rule("*", &["t"], None), rule("9", &[], None)]), None);
        assert_eq!(
            last(&[rule("*", &[], within(1.0, 9.0)), rule("*", &[], within(1.0, 8.0))]),
            Some(Unreached::Behind(0))
        );
        assert_eq!(
            last(&[rule("*", &[], within(1.0, 9.0)), rule("*", &[], one_of("a", &[1, 8]))]),
            Some(Unreached::Behind(0))
        );
        assert_eq!(last(&[rule("*", &[], within(1.0, 9.0)), rule("*", &[], one_of("a", &[9]))]), None);
        assert_eq!(last(&[rule("*", &[], one_of("b", &[1])), rule("*", &[], one_of("a", &[1]))]), None);
        assert_eq!(last(&[rule("*", &[], one_of("a", &[1])), rule("*", &[], None)]), None);
    }

    #[test]
    fn several_earlier_rules_may_take_it_together() {
        let halves = [rule("0-499", &[], None), rule("500-4294967295", &["t"], None)];
        assert_eq!(unreached(&halves, &rule("*", &["t"], None)), Some(Unreached::BehindSeveral));
        assert_eq!(unreached(&halves, &rule("*", &["t", "u"], None)), None);
        let topics = [rule("*", &["t"], None), rule("1-9", &["u"], one_of("a", &[1, 2]))];
        assert_eq!(unreached(&topics, &rule("3", &["u", "t"], one_of("a", &[2]))), Some(Unreached::BehindSeveral));
    }

    fn rules() -> impl Strategy<Value = Rule> {
        let codigos = prop::sample::select(vec!["*", "0", "1", "0-1", "2", "0,2", "1-4294967295"]);
        let topics = prop::sample::subsequence(vec!["t", "u"], 0..=2);
        let field = prop_oneof![
            2 => Just(None),
            1 => prop::collection::vec(0_i64..3, 1..3).prop_map(|values| one_of("a", &values)),
            1 => Just(one_of("b", &[0])),
            1 => (0_i32..3, 1_i32..3).prop_map(|(low, width)| within(low.into(), (low + width).into())),
        ];
        (codigos, topics, field).prop_map(|(codigos, topics, field)| rule(codigos, &topics, field))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        /// Against every event that these rules can tell apart. Only ranges that several rules hold together are not seen.
        #[test]
        fn a_rule_is_unreached_exactly_when_no_event_gets_to_it(earlier in prop::collection::vec(rules(), 0..4), last in rules()) {
            let mut reached = false;
            for (topic, codigo, a, b) in every_kind(&["t", "u", "else"], &[0, 1, 2, 3]) {
                let text = format!("{{\"a\":{a},\"b\":{b}}}");
                let fields = LazyCell::new(|| Fields::read(&text).unwrap());
                let takes = |rule: &Rule| rule.takes(topic, codigo, &fields);
                reached |= takes(&last) && !earlier.iter().any(takes);
            }
            match unreached(&earlier, &last) {
                Some(_) => prop_assert!(!reached),
                None => {
                    let within = last.field.as_ref().is_some_and(|field| matches!(field.test, Test::Within(_)));
                    prop_assert!(reached || within);
                }
            }
        }
    }

    fn every_kind<'t>(topics: &[&'t str], codigos: &[u32]) -> Vec<(&'t str, u32, f64, i64)> {
        let mut all = Vec::new();
        for topic in topics {
            for codigo in codigos {
                for half in 0..10 {
                    all.extend([0, 1].map(|b| (*topic, *codigo, f64::from(half) / 2.0, b)));
                }
            }
        }
        all
    }
}
