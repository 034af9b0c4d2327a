//! What a transform makes of an event, field by field.

use super::{Enrich, Lookup, Missing, Refused, Transform};
use proptest::prelude::*;
use std::sync::Arc;

const EVENT: &str = r#"{"v":1, "truck_id":"BR1","speed":82.40,"odo":1e2,"driver":{"n": [1]},"note":"\u00e9"}"#;

fn select(names: &[&str]) -> Transform {
    Transform { select: names.iter().map(|name| (*name).to_owned()).collect(), ..Transform::default() }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, raw)| ((*name).to_owned(), (*raw).to_owned())).collect()
}

fn rename(names: &[(&str, &str)]) -> Transform {
    Transform { rename: pairs(names).into_iter().collect(), ..Transform::default() }
}

fn enrich(missing: Missing, field: &str) -> Transform {
    let lookup = Lookup::read("csv", "truck,fleet,depot\nBR1,north,\"São Paulo, 2\"\n100,south,\n").unwrap();
    let enrich = Enrich { field: field.to_owned(), missing, lookup: Arc::new(lookup) };
    Transform { enrich: Some(enrich), ..Transform::default() }
}

#[test]
fn selected_fields_keep_the_order_and_the_bytes_of_the_event() {
    let made = select(&["odo", "speed", "note", "nowhere"]).apply(EVENT).unwrap();
    assert_eq!(made, r#"{"speed":82.40,"odo":1e2,"note":"\u00e9"}"#);
    assert_eq!(select(&["nowhere"]).apply(EVENT).unwrap(), "{}");
}

#[test]
fn a_renamed_field_stays_where_it_is_and_takes_the_name() {
    let made = rename(&[("truck_id", "truck \"1\""), ("speed", "note"), ("nowhere", "odo")]).apply(EVENT).unwrap();
    assert_eq!(made, r#"{"v":1,"truck \"1\"":"BR1","note":82.40,"odo":1e2,"driver":{"n": [1]}}"#);
    let swapped = rename(&[("v", "odo"), ("odo", "v")]).apply(r#"{"v":1,"odo":2}"#).unwrap();
    assert_eq!(swapped, r#"{"odo":1,"v":2}"#);
}

#[test]
fn what_is_added_stands_at_the_end_and_takes_the_place_of_the_same_name() {
    let add = Transform { add: pairs(&[("note", "true"), ("tier", "7")]), ..select(&["v", "note"]) };
    assert_eq!(add.apply(EVENT).unwrap(), r#"{"v":1,"note":true,"tier":7}"#);
}

#[test]
fn an_event_is_enriched_by_a_text_or_by_a_number_as_it_is_written() {
    let known = Transform { select: vec!["v".into()], ..enrich(Missing::Reject, "truck_id") };
    assert_eq!(known.apply(EVENT).unwrap(), r#"{"v":1,"fleet":"north","depot":"São Paulo, 2"}"#);
    let number = enrich(Missing::Reject, "codigo").apply(r#"{"codigo":100}"#).unwrap();
    assert_eq!(number, r#"{"codigo":100,"fleet":"south"}"#);
}

#[test]
fn an_event_that_is_not_in_the_file_is_kept_or_refused() {
    for field in ["note", "driver", "nowhere"] {
        assert_eq!(enrich(Missing::Keep, field).apply("{\"note\":\"x\"}").unwrap(), "{\"note\":\"x\"}");
        let refused = enrich(Missing::Reject, field).apply(EVENT).unwrap_err();
        assert!(matches!(refused, Refused::NotInLookup { .. }), "{refused}");
    }
    let refused = enrich(Missing::Reject, "note").apply("{\"note\":\"x\"}").unwrap_err();
    assert_eq!(refused.to_string(), "the lookup file has no entry for note x");
}

proptest! {
    #[test]
    fn without_a_change_the_same_fields_come_out(
        fields in proptest::collection::vec(("[a-f\\\\\"é]{0,2}", "[0-9]{1,20}\\.[0-9]{1,20}|\"[a-z]{0,5}\"|null"), 0..8),
    ) {
        let fields: Vec<String> = fields.iter()
            .map(|(name, raw)| format!("{}:{}", serde_json::Value::from(name.as_str()), if raw.starts_with('0') { "0" } else { raw }))
            .collect();
        let event = format!("{{{}}}", fields.join(","));
        prop_assert_eq!(Transform::default().apply(&event).unwrap(), event);
    }
}
