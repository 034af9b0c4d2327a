//! Which rule takes an event, and what of it goes where.

use super::{FieldTest, Rule, Test, parcels, route};
use crate::board::{Board, reason, rejected};
use crate::record::{Need, Valid};
use crate::transform::{Enrich, Lookup, Missing, Transform};
use domain::offset::Offset;
use serde_json::json;
use std::sync::Arc;

fn rule(codigos: &str, topics: &[&str], to: &[(usize, Need)]) -> Rule {
    let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
    Rule { codigos: codigos.parse().unwrap(), topics, ..Rule::everything(to.to_vec()) }
}

fn valid(place: usize, codigo: u32, value: &str) -> Valid<'_> {
    let offset = Offset(i64::try_from(place).unwrap());
    Valid { place, offset, id: "x".into(), codigo, key: b"key".to_vec(), value }
}

/// Per destination the place and value of its entries, and the verdicts' reasons.
fn routed(rules: &[Rule], topic: &str, records: &[Valid<'_>]) -> Vec<Vec<(usize, String)>> {
    let mut board = Board::new(records.len());
    let addressed = route(rules, topic, records, &mut board);
    let parcels = parcels(&addressed, 2);
    parcels.iter().map(|parcel| parcel.iter().map(|entry| (entry.place, entry.value.to_owned())).collect()).collect()
}

#[test]
fn the_first_rule_that_matches_codigo_and_topic_wins() {
    let rules = [
        rule("911", &["mt-c300"], &[(0, Need::Required)]),
        rule("400-499", &[], &[(1, Need::Required), (0, Need::Optional)]),
    ];
    let records = [valid(0, 911, "{}"), valid(1, 400, "{}"), valid(2, 401, "{}")];
    let mut board = Board::new(3);
    let addressed = route(&rules, "mt-c400", &records, &mut board);
    let parcels = parcels(&addressed, 2);
    let places = |n: usize| parcels[n].iter().map(|entry| (entry.place, entry.need)).collect::<Vec<_>>();
    assert_eq!(places(0), [(1, Need::Optional), (2, Need::Optional)]);
    assert_eq!(places(1), [(1, Need::Required), (2, Need::Required)]);
    assert_eq!(
        board.verdicts(reason::DEADLINE)[0],
        rejected(reason::NO_ROUTE, "no rule takes codigo 911 of topic mt-c400")
    );
}

#[test]
fn a_record_of_a_retry_topic_goes_where_its_first_topic_goes() {
    let rules = [rule("*", &["mt-c300"], &[(0, Need::Required)])];
    assert_eq!(routed(&rules, "mt-c300.retry.30s", &[valid(0, 300, "{}")])[0].len(), 1);
}

#[test]
fn a_rule_may_look_at_one_field() {
    let field = |name: &str, test: Test| Some(FieldTest { name: name.into(), test });
    let fleet = field("fleet", Test::OneOf(vec![json!("north"), json!(7), json!(true)]));
    let fast = field("speed", Test::within(Some(80.0), Some(120.0)));
    let rules = [
        Rule { field: fleet, ..rule("*", &[], &[(0, Need::Required)]) },
        Rule { field: fast, ..rule("*", &[], &[(1, Need::Required)]) },
    ];
    for (value, destination) in [
        (r#"{"fleet":"nor\u0074h","speed":80}"#, Some(0)),
        (r#"{"fleet":7.0}"#, Some(0)),
        (r#"{"fleet":true}"#, Some(0)),
        (r#"{"fleet":"7","speed":119.9}"#, Some(1)),
        (r#"{"speed":80.0}"#, Some(1)),
        (r#"{"speed":120}"#, None),
        (r#"{"speed":"90"}"#, None),
        (r#"{"fleet":["north"],"speed":null}"#, None),
        ("{}", None),
    ] {
        let found = routed(&rules, "t", &[valid(0, 1, value)]).iter().position(|parcel| !parcel.is_empty());
        assert_eq!(found, destination, "{value}");
    }
}

#[test]
fn a_transform_changes_what_is_delivered_and_nothing_else() {
    let select = Transform { select: vec!["a".into()], ..Transform::default() };
    let rules = [
        Rule { transform: Some(select), ..rule("1", &[], &[(0, Need::Required), (1, Need::Optional)]) },
        rule("*", &[], &[(1, Need::Required)]),
    ];
    let records = [valid(0, 1, "{\"a\": 1.0,\"b\":2}"), valid(1, 2, "{\"a\": 1.0,\"b\":2}")];
    let mut board = Board::new(2);
    let addressed = route(&rules, "t", &records, &mut board);
    let parcels = parcels(&addressed, 2);
    let told: Vec<_> = parcels.iter().flatten().map(|entry| (entry.place, entry.value)).collect();
    assert_eq!(told, [(0, "{\"a\":1.0}"), (0, "{\"a\":1.0}"), (1, "{\"a\": 1.0,\"b\":2}")]);
    assert!(std::ptr::eq(parcels[1][1].value, records[1].value), "without a transform nothing is copied");
    assert!(parcels.iter().flatten().all(|entry| entry.id == "x" && entry.key == b"key"));
}

#[test]
fn an_event_that_its_lookup_does_not_know_is_rejected_alone() {
    let lookup = Arc::new(Lookup::read("csv", "truck,fleet\nBR1,n\n").unwrap());
    let enrich = Some(Enrich { field: "truck".into(), missing: Missing::Reject, lookup });
    let transform = Some(Transform { enrich, ..Transform::default() });
    let rules = [Rule { transform, ..Rule::everything(vec![(0, Need::Required)]) }];
    let records = [valid(0, 1, r#"{"truck":"BR1"}"#), valid(1, 1, r#"{"truck":"BR2"}"#)];
    let mut board = Board::new(2);
    let addressed = route(&rules, "t", &records, &mut board);
    assert_eq!(parcels(&addressed, 1)[0].len(), 1);
    let detail = "the lookup file has no entry for truck BR2";
    assert_eq!(board.verdicts(reason::DEADLINE)[1], rejected(reason::NOT_IN_LOOKUP, detail));
}
