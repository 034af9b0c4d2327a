//! The quick look at an event finds what a JSON parser finds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use localenv::collector::stamp;
use proptest::prelude::*;
use serde_json::{Map, Value};

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e12f64..1e12).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from("\"id\":\"x\",\"ts\":1}")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..4).prop_map(|all| Value::Object(Map::from_iter(all))),
        ]
    })
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![Just("id".to_owned()), Just("ts".to_owned()), "[a-z\"\\\\é]{0,4}"]
}

/// What a parser makes of the line: an id that is a string, and a ts that is absent, null or an integer.
fn parsed(line: &str) -> Option<(String, Option<i64>)> {
    let object: Map<String, Value> = serde_json::from_str(line).ok()?;
    let id = object.get("id")?.as_str()?.to_owned();
    match object.get("ts") {
        None | Some(Value::Null) => Some((id, None)),
        Some(ts) => Some((id, Some(ts.as_i64()?))),
    }
}

proptest! {
    #[test]
    fn it_agrees_with_the_parser(members in prop::collection::vec((name(), any_value()), 0..8), pretty in any::<bool>()) {
        let object = Value::Object(Map::from_iter(members));
        let line = if pretty { serde_json::to_string_pretty(&object) } else { serde_json::to_string(&object) }.unwrap();
        let found = stamp(line.as_bytes()).map(|stamp| (stamp.id.into_owned(), stamp.ts));
        prop_assert_eq!(found, parsed(&line), "{}", line);
    }

    #[test]
    fn a_line_that_is_cut_has_no_stamp(id in "[a-z0-9-]{1,20}", ts in any::<i64>(), odd in ".{0,20}", cut in 1usize..40) {
        let line = serde_json::json!({"a": odd, "id": id, "ts": ts, "z": {"y": [1]}}).to_string();
        let bytes = &line.as_bytes()[..line.len().saturating_sub(cut)];
        prop_assert_eq!(stamp(bytes), None, "{}", String::from_utf8_lossy(bytes));
    }
}
