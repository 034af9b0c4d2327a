//! S3: objects of many events, plain and packed, and a repeat that changes nothing.

use crate::cloud::{cloud, sdk};
use crate::convoy::{DELIVER, bring, bring_all, dispatcher, events};
use crate::held::bring_through_faults;
use aws_sdk_s3::Client;
use std::io::Read;

async fn bucket(name: &str) -> Client {
    let config = aws_sdk_s3::config::Builder::from(&sdk()).force_path_style(true).build();
    let client = Client::from_conf(config);
    client.create_bucket().bucket(name).send().await.unwrap();
    client
}

async fn keys(client: &Client, bucket: &str) -> Vec<String> {
    let mut pages = client.list_objects_v2().bucket(bucket).into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        keys.extend(page.unwrap().contents().iter().map(|object| object.key().unwrap().to_owned()));
    }
    keys
}

/// The lines of all objects, in the order of their keys.
async fn lines(client: &Client, bucket: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for key in keys(client, bucket).await {
        let object = client.get_object().bucket(bucket).key(&key).send().await.unwrap();
        let bytes = object.body.collect().await.unwrap().into_bytes();
        let mut text = String::new();
        if key.ends_with(".gz") {
            flate2::read::GzDecoder::new(bytes.as_ref()).read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(bytes.to_vec()).unwrap();
        }
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

fn destination(bucket: &str, more: &str, endpoint: &str) -> String {
    format!(
        "[destinations.{bucket}.s3]\nbucket = \"{bucket}\"\nendpoint_url = \"{endpoint}\"\nbatch.records = 100\nbatch.timeout = \"2s\"\n{more}"
    )
}

#[tokio::test]
async fn objects_hold_everything() {
    let client = bucket("plain").await;
    let brought = bring_through_faults("s3", &destination("plain", "", &cloud().faulty_endpoint())).await;
    brought.is_held_by(&lines(&client, "plain").await);
}

#[tokio::test]
async fn packed_objects_hold_everything() {
    let client = bucket("packed").await;
    let more = "compression = \"gzip\"\n";
    let brought = bring_through_faults("s3", &destination("packed", more, &cloud().faulty_endpoint())).await;
    brought.is_held_by(&lines(&client, "packed").await);
    assert!(keys(&client, "packed").await.iter().all(|key| key.ends_with(".ndjson.gz")));
}

#[tokio::test]
async fn a_repeat_writes_the_same_objects_and_a_part_replaces_nothing() {
    let client = bucket("repeated").await;
    let dispatcher = dispatcher(&format!("{}{DELIVER}", destination("repeated", "", &cloud().endpoint())));
    let events = events("again", 250);
    bring_all(&dispatcher, &events).await;
    let before = keys(&client, "repeated").await;
    assert_eq!(before.len(), 3);
    assert!(before[0].starts_with("mt-c300/2/0000000000000000000-0000000000000000099-"), "{}", before[0]);
    bring_all(&dispatcher, &events).await;
    assert_eq!(keys(&client, "repeated").await, before);

    let some: Vec<(i64, &str)> =
        (0..).zip(events.iter().map(String::as_str)).take(100).filter(|(offset, _)| offset % 99 == 0).collect();
    assert_eq!(bring(&dispatcher, &some, 2).await.delivered, 2);
    let held = lines(&client, "repeated").await;
    assert!(events.iter().all(|event| held.contains(event)), "what was delivered before is still there");
}
