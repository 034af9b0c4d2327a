//! The schemas of both versions and `domain::event::check_against` say the same of every event, whole or broken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::event::{Event, Readings, Versions, check, check_against, encode};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static V1: LazyLock<Validator> = LazyLock::new(|| schema(include_str!("../../schemas/telemetry-event.v1.json")));
static V2: LazyLock<Validator> = LazyLock::new(|| schema(include_str!("../../schemas/telemetry-event.v2.json")));

fn schema(text: &str) -> Validator {
    let schema = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::meta::validate(&schema).expect("the schema is a JSON Schema");
    jsonschema::draft202012::new(&schema).expect("the schema compiles")
}

/// Of both versions; version 1 does not know the last.
const MEMBERS: [&str; 12] =
    ["v", "id", "codigo", "truck_id", "seq", "ts", "lat", "lon", "speed", "fuel", "odo", "battery"];

/// A good event to start from.
#[derive(Debug, Clone, Copy)]
enum Start {
    First,
    /// Version 2, of a truck that burns fuel, of an electric one, and of one that does both.
    Fuel,
    Electric,
    Hybrid,
}

const STARTS: [Start; 4] = [Start::First, Start::Fuel, Start::Electric, Start::Hybrid];

/// A change to one member of a good event.
#[derive(Debug, Clone)]
enum Change {
    Remove(&'static str),
    Set(&'static str, Value),
    Add(String, Value),
}

fn good(start: Start) -> Map<String, Value> {
    let mut event = first();
    if !matches!(start, Start::First) {
        event.insert("v".into(), json!(2));
    }
    if matches!(start, Start::Electric) {
        event.remove("fuel");
    }
    if matches!(start, Start::Electric | Start::Hybrid) {
        event.insert("battery".into(), json!(80.5));
    }
    event
}

/// As `encode` writes it.
fn first() -> Map<String, Value> {
    let event = Event {
        run: "7f3a91c2",
        codigo: 300,
        truck_id: "BR04217",
        seq: 18231,
        ts: 1_763_701_200_123,
        readings: Readings { lat_e5: 1, lon_e5: -1, speed_tenths: 824, fuel_tenths: 612, odo_tenths: 1_827_332 },
    };
    let mut bytes = Vec::new();
    encode(&event, &mut bytes);
    serde_json::from_slice(&bytes).expect("an object")
}

/// What can stand where a member should: each boundary from both sides, and every other type.
fn known_values() -> Vec<Value> {
    let whole = [0_u64, 1, 2, 300, 4_294_967_295, 4_294_967_296, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX];
    let below = [-1_i64, -90, -91, -180, -181, i64::MIN];
    let fractions =
        [0.5, -0.001, 90.001, -90.001, 180.5, -180.5, 99.9, 100.1, 299.9, 300.1, 999_999_999.5, 1e9 + 0.5, 1e300];
    let texts = [
        "",
        "A",
        "AB",
        "ABC",
        "BR04217",
        "br04217",
        "BR-1",
        "BR04217\n",
        "ÉÈÊ",
        "ABCDEFGHIJKLMNOP",
        "ABCDEFGHIJKLMNOPQ",
    ];
    let others = [json!(null), json!(true), json!([]), json!({}), json!([1]), json!({"v": 1})];
    let numbers = whole.map(Value::from).into_iter().chain(below.map(Value::from)).chain(fractions.map(Value::from));
    let lengths = [64, 65].map(|length| Value::from("é".repeat(length)));
    numbers.chain(texts.map(Value::from)).chain(lengths).chain(others).collect()
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => prop::sample::select(known_values()),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => "[a-zé\"]{60,68}".prop_map(Value::from),
        1 => "[0-9A-Z]{1,18}".prop_map(Value::from),
    ]
}

fn changes() -> impl Strategy<Value = Change> {
    let member = || prop::sample::select(&MEMBERS[..]);
    prop_oneof![
        1 => member().prop_map(Change::Remove),
        4 => (member(), values()).prop_map(|(name, value)| Change::Set(name, value)),
        1 => ("x_[a-z]{1,8}", values()).prop_map(|(name, value)| Change::Add(name, value)),
    ]
}

fn starts() -> impl Strategy<Value = Start> {
    prop::sample::select(&STARTS[..])
}

fn changed(start: Start, changes: &[Change]) -> Value {
    let mut event = good(start);
    for change in changes.iter().cloned() {
        match change {
            Change::Remove(name) => event.remove(name),
            Change::Set(name, value) => event.insert(name.into(), value),
            Change::Add(name, value) => event.insert(name, value),
        };
    }
    Value::Object(event)
}

/// Whether the event is good for anybody, once every set of versions agrees with its schemas.
fn agreed(event: &Value) -> Result<bool, TestCaseError> {
    let bytes = serde_json::to_vec(event).expect("JSON");
    let (first, second) = (V1.is_valid(event), V2.is_valid(event));
    for (known, valid) in [(Versions::V1, first), (Versions::V2, second), (Versions::Both, first || second)] {
        let checked = check_against(&bytes, known);
        prop_assert_eq!(checked.is_ok(), valid, "with {}: check says {:?}", known, checked);
    }
    Ok(first || second)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_changed_event_is_good_or_bad_for_both(start in starts(), changes in prop::collection::vec(changes(), 1..4)) {
        agreed(&changed(start, &changes))?;
    }

    #[test]
    fn unknown_members_pass_for_both(start in starts(), name in "x_[a-z]{1,8}", value in values()) {
        prop_assert!(agreed(&changed(start, &[Change::Add(name, value)]))?);
    }

    #[test]
    fn every_event_that_encode_writes_is_good_for_both(
        codigo: u32, truck_id in "[0-9A-Z]{3,16}", seq in 1_u64.., ts in 0_i64..,
        lat_e5 in -9_000_000..=9_000_000, lon_e5 in -18_000_000..=18_000_000,
        speed_tenths in 0_u32..=3_000, fuel_tenths in 0_u32..=1_000, odo_tenths in 0_u64..=10_000_000_000,
    ) {
        let readings = Readings { lat_e5, lon_e5, speed_tenths, fuel_tenths, odo_tenths };
        let event = Event { run: "7f3a91c2", codigo, truck_id: &truck_id, seq, ts, readings };
        let mut bytes = Vec::new();
        encode(&event, &mut bytes);
        prop_assert!(agreed(&serde_json::from_slice(&bytes).expect("JSON"))?);
    }
}

#[test]
fn every_member_with_every_known_value_is_good_or_bad_for_both() {
    for start in STARTS {
        let pairs = MEMBERS.into_iter().flat_map(|name| known_values().into_iter().map(move |value| (name, value)));
        let good = pairs.filter(|(name, value)| {
            agreed(&changed(start, &[Change::Set(name, value.clone())]))
                .unwrap_or_else(|e| panic!("{start:?}: {name} = {value}: {e}"))
        });
        assert!(good.count() > MEMBERS.len(), "hardly anything passes: the values test one side only");
    }
}

#[test]
fn each_member_is_required_by_both() {
    for (start, name) in STARTS.into_iter().flat_map(|start| MEMBERS.map(|name| (start, name))) {
        let event = changed(start, &[Change::Remove(name)]);
        let spare = match start {
            Start::First | Start::Fuel => name == "battery",
            Start::Electric => name == "fuel",
            Start::Hybrid => ["fuel", "battery"].contains(&name),
        };
        assert_eq!(agreed(&event).expect("agreement"), spare, "{start:?} without {name}");
    }
}

/// JSON Schema calls 300.0 an integer; the schema's description forbids it in words, and the check in fact.
#[test]
fn whole_numbers_are_written_without_a_fraction() {
    let text = serde_json::to_string(&first()).expect("JSON").replace("\"codigo\":300", "\"codigo\":300.0");
    assert!(check(text.as_bytes()).is_err());
}
