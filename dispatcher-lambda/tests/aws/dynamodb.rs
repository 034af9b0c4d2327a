//! DynamoDB: every event as an item, and the newest of each truck.

use crate::cloud::{cloud, sdk};
use crate::convoy::{DELIVER, bring, dispatcher, events};
use crate::held::bring_through_faults;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use std::collections::{BTreeSet, HashMap};

type Item = HashMap<String, AttributeValue>;

async fn table(name: &str, key: &str) -> Client {
    let client = Client::new(&sdk());
    let attribute = AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
    let schema = KeySchemaElement::builder().attribute_name(key).key_type(KeyType::Hash);
    let request = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    let request = request.attribute_definitions(attribute.build().unwrap()).key_schema(schema.build().unwrap());
    request.send().await.unwrap();
    client
}

async fn scan(client: &Client, name: &str) -> Vec<Item> {
    let (mut items, mut from) = (Vec::new(), None);
    loop {
        let page = client.scan().table_name(name).set_exclusive_start_key(from).send().await.unwrap();
        items.extend(page.items.unwrap_or_default());
        from = page.last_evaluated_key;
        if from.is_none() {
            return items;
        }
    }
}

fn text(item: &Item, name: &str) -> String {
    match &item[name] {
        AttributeValue::S(text) | AttributeValue::N(text) => text.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

fn destination(table: &str, more: &str, endpoint: &str) -> String {
    format!(
        "[destinations.table.dynamodb]\ntable = \"{table}\"\nendpoint_url = \"{endpoint}\"\nbatch.timeout = \"2s\"\n{more}"
    )
}

#[tokio::test]
async fn a_table_holds_every_event() {
    let client = table("events", "id").await;
    let brought = bring_through_faults("dynamodb", &destination("events", "", &cloud().faulty_endpoint())).await;
    let items = scan(&client, "events").await;
    let ids: BTreeSet<String> = items.iter().map(|item| text(item, "id")).collect();
    assert_eq!(ids.len(), items.len());
    assert!(brought.once.is_subset(&ids));
    for event in &brought.all {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        let item = items.iter().find(|item| text(item, "id") == event["id"].as_str().unwrap()).unwrap();
        assert_eq!(text(item, "ts"), event["ts"].to_string());
        assert_eq!(item.len(), event.as_object().unwrap().len());
    }
}

#[tokio::test]
async fn a_table_of_states_holds_the_newest_and_never_goes_back() {
    let client = table("states", "truck_id").await;
    let more = "mode = \"last-state\"\nkey = \"truck_id\"\n";
    let destination = |endpoint: &str| destination("states", more, endpoint);
    let brought = bring_through_faults("dynamodb", &destination(&cloud().faulty_endpoint())).await;
    let mut newest: HashMap<String, String> = HashMap::new();
    for event in &brought.all {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        newest.insert(event["truck_id"].as_str().unwrap().to_owned(), event["seq"].to_string());
    }
    let states = |items: Vec<Item>| {
        items.iter().map(|item| (text(item, "truck_id"), text(item, "seq"))).collect::<HashMap<_, _>>()
    };
    assert_eq!(states(scan(&client, "states").await), newest);

    let old = events("late", 100);
    let records: Vec<(i64, &str)> = (0..).zip(old.iter().map(String::as_str)).collect();
    let dispatcher = dispatcher(&format!("{}{DELIVER}", destination(&cloud().endpoint())));
    assert_eq!(bring(&dispatcher, &records, 1).await.delivered, 100);
    assert_eq!(states(scan(&client, "states").await), newest, "late events change nothing");
}
