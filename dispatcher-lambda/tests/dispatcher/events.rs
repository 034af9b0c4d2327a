//! Events as AWS's event source mapping for Kafka sends them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use dispatcher_lambda::event_source::BatchItemFailures;
use serde_json::{Map, Value, json};

/// One topic-partition's records at offsets `first`, `first + 1`, ...; `None` is a tombstone.
#[derive(Debug, Clone)]
pub struct List {
    pub topic: &'static str,
    pub partition: i32,
    pub first: i64,
    pub values: Vec<Option<String>>,
}

impl List {
    pub fn new(topic: &'static str, partition: i32, first: i64, values: &[String]) -> Self {
        Self { topic, partition, first, values: values.iter().cloned().map(Some).collect() }
    }

    pub fn name(&self) -> String {
        format!("{}-{}", self.topic, self.partition)
    }

    fn json(&self) -> Value {
        let record = |(offset, value): (i64, &Option<String>)| {
            json!({
                "topic": self.topic, "partition": self.partition, "offset": offset,
                "timestamp": 1_763_701_200_123_i64, "timestampType": "CREATE_TIME", "key": "OGYwYTNjN2Q1MWUyYjk0Ng==",
                "value": value.as_ref().map(|value| BASE64_STANDARD.encode(value)), "headers": [{"h": [104, -105]}],
            })
        };
        (self.first..).zip(&self.values).map(record).collect()
    }
}

pub fn payload(lists: &[List]) -> Vec<u8> {
    let records: Map<String, Value> = lists.iter().map(|list| (list.name(), list.json())).collect();
    let event = json!({
        "eventSource": "aws:kafka", "eventSourceArn": "arn:aws:kafka:sa-east-1:000000000000:cluster/telemetry/7-2",
        "bootstrapServers": "b-1.telemetry.c1.kafka.sa-east-1.amazonaws.com:9092", "records": records,
    });
    serde_json::to_vec(&event).unwrap()
}

/// `partition:offset` of each record that failed.
pub fn failed(failures: &BatchItemFailures) -> Vec<String> {
    let items = failures.batch_item_failures.iter().map(|item| &item.item_identifier);
    items.map(|item| format!("{}:{}", item.partition, item.offset)).collect()
}
