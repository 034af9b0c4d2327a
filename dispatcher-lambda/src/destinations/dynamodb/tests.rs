//! What the configuration refuses, and whose entries go in order.

use super::{DynamoDbDestination, DynamoDbRaw, Mode};
use crate::aws::Aws;
use crate::destinations::parcels::entries;
use crate::destinations::requests::Request;
use runtime::config::Settings;

fn build(raw: &DynamoDbRaw) -> Result<DynamoDbDestination, String> {
    let mut raw = raw.clone();
    raw.region = "sa-east-1".into();
    let built = DynamoDbDestination::build("destinations.a.dynamodb", &raw, &Aws::default(), &Settings::of(&raw));
    built.map_err(|error| error.to_string())
}

fn table(name: &str) -> DynamoDbRaw {
    DynamoDbRaw { table: name.into(), ..DynamoDbRaw::default() }
}

#[test]
fn a_put_holds_25_items_and_no_key_twice() {
    let room = build(&table("events")).unwrap().service().room();
    assert_eq!((room.entries, room.one_of_a_group), (25, true));
    assert!(build(&table("arn:aws:dynamodb:sa-east-1:000000000000:table/events")).is_ok());
}

#[test]
fn every_mistake_names_its_setting() {
    for (raw, key) in [
        (table(""), "table"),
        (table("two words"), "table"),
        (table("arn:aws:dynamodb:sa-east-1:000000000000:stream/x"), "table"),
        (DynamoDbRaw { key: String::new(), ..table("events") }, "key"),
        (DynamoDbRaw { newer_by: String::new(), mode: Mode::LastState, ..table("events") }, "newer_by"),
        (DynamoDbRaw { requests: 65, ..table("events") }, "requests"),
    ] {
        let refused = build(&raw).err().unwrap();
        assert!(refused.starts_with(&format!("destinations.a.dynamodb.{key} is ")), "{refused}");
    }
}

#[test]
fn a_group_is_an_item() {
    let raw = DynamoDbRaw { key: "truck_id".into(), ..table("state") };
    let built = build(&raw).unwrap();
    let entries =
        entries(&["{\"truck_id\":\"a\",\"n\":1}", "{\"n\":2,\"truck_id\":\"a\"}", "{\"truck_id\":\"b\"}", "{}"]);
    let groups: Vec<_> = entries.iter().map(|entry| built.service().group(entry)).collect();
    assert_eq!(groups[0], groups[1]);
    assert_ne!(groups[0], groups[2]);
    assert_eq!(&*groups[3], b"k");
}
