//! What AWS's event source mapping gets: each record is done, or it is named as failed.

use crate::events::{List, failed, payload};
use crate::requests::event;
use crate::scripted::{Act, Scripted, Taken, setting_aside, with_script};
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dispatcher::Dispatcher;
use domain::failure::FailureClass::{Throttled, Transient};
use std::time::Duration;
use tokio::time::Instant;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

fn values(truck: &str, count: u64) -> Vec<String> {
    (1..=count).map(|seq| event(truck, seq)).collect()
}

/// Each call holds two records.
fn two_partitions() -> Vec<u8> {
    payload(&[List::new("mt-c300", 0, 15, &values("BR00001", 2)), List::new("mt-c300", 1, 15, &values("BR00002", 2))])
}

#[tokio::test(start_paused = true)]
async fn the_event_of_the_fixture_gets_the_answer_of_the_fixture() {
    let (dispatcher, taken) = with_script(vec![], Act::Take, 1);
    let settled = dispatcher.dispatch_event(include_bytes!("../../fixtures/msk-event.json"), soon()).await.unwrap();
    let answer = serde_json::to_string(&settled.failures).unwrap();
    assert_eq!(answer, include_str!("../../fixtures/msk-event.response.json").trim_end());
    let first = settled.first_failure.unwrap();
    assert_eq!(first, "mt-c300-0 offset 16: not-json: the record has no value");
    assert_eq!(taken.values().len(), 2);
    assert_eq!(settled.responses[1].rejected[0].reason, "version");
    let counts = dispatcher.metrics().snapshot();
    assert_eq!((counts.delivered, counts.rejected), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_fails_keeps_no_other_from_its_records() {
    let (dispatcher, taken) = with_script(vec![Act::Fail(Transient)], Act::Take, 1);
    let settled = dispatcher.dispatch_event(&two_partitions(), soon()).await.unwrap();
    assert_eq!(failed(&settled.failures), ["mt-c300-0:15", "mt-c300-0:16"]);
    assert_eq!(taken.values(), values("BR00002", 2));

    let again = dispatcher.dispatch_event(&two_partitions(), soon()).await.unwrap();
    assert!(again.failures.batch_item_failures.is_empty() && again.first_failure.is_none());
    assert_eq!(again.responses.iter().map(|one| (one.delivered, one.duplicates)).collect::<Vec<_>>(), [(2, 0), (0, 2)]);
    assert_eq!(taken.values().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn behind_a_record_that_failed_only_its_key_waits() {
    let (dispatcher, taken) = with_script(vec![Act::Part(vec![0], Throttled)], Act::Take, 1);
    let mixed: Vec<String> = (1..=4).map(|seq| event(if seq % 2 == 0 { "BR00002" } else { "BR00001" }, seq)).collect();
    let settled = dispatcher.dispatch_event(&payload(&[List::new("t", 3, 100, &mixed)]), soon()).await.unwrap();
    assert_eq!(failed(&settled.failures), ["t-3:100", "t-3:102"]);
    assert_eq!(taken.values(), [mixed[1].clone(), mixed[3].clone()]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_finished_in_time_failed() {
    let (dispatcher, _) = with_script(vec![Act::Take], Act::Hang, 3);
    let start = Instant::now();
    let deadline = Deadline::after(Duration::from_secs(2));
    let settled = dispatcher.dispatch_event(&two_partitions(), deadline).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    assert_eq!(failed(&settled.failures), ["mt-c300-1:15", "mt-c300-1:16"]);
}

#[tokio::test(start_paused = true)]
async fn an_event_without_records_is_done() {
    let (dispatcher, taken) = with_script(vec![], Act::Take, 3);
    let settled = dispatcher.dispatch_event(&payload(&[List::new("t", 0, 0, &[])]), soon()).await.unwrap();
    assert_eq!(serde_json::to_string(&settled.failures).unwrap(), "{\"batchItemFailures\":[]}");
    assert_eq!(taken.calls(), 0);
}

fn with_letters(script: Vec<Act>) -> (Dispatcher, Taken, Taken) {
    let (events, delivered) = Scripted::new(vec![], Act::RejectWith("BR00009"), 10);
    let (letters, set_aside) = Scripted::new(script, Act::Take, 10);
    (setting_aside(events, letters), delivered, set_aside)
}

/// A good record, a tombstone, one that the destination refuses.
fn mixed() -> Vec<u8> {
    let values = vec![Some(event("BR00001", 1)), None, Some(event("BR00009", 1))];
    payload(&[List { topic: "t", partition: 3, first: 100, values }])
}

#[tokio::test(start_paused = true)]
async fn a_rejected_record_is_done_when_its_destination_holds_it() {
    let (dispatcher, delivered, set_aside) = with_letters(vec![]);
    let settled = dispatcher.dispatch_event(&mixed(), soon()).await.unwrap();
    assert_eq!(failed(&settled.failures), Vec::<String>::new());
    assert_eq!((delivered.values().len(), settled.responses[0].rejected.len()), (1, 2));
    let letters: Vec<serde_json::Value> =
        set_aside.values().iter().map(|letter| serde_json::from_str(letter).unwrap()).collect();
    assert_eq!(letters.len(), 2);
    let value = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, event("BR00009", 1));
    let want = serde_json::json!({
        "id": "t/3/102", "topic": "t", "partition": 3, "offset": 102, "timestamp": 1_763_701_200_123_i64,
        "reason": "rejected", "detail": "collector: scripted", "key": "OGYwYTNjN2Q1MWUyYjk0Ng==", "value": value,
        "headers": [{"h": [104, -105]}],
    });
    assert_eq!(letters[1], want);
    assert_eq!((&letters[0]["id"], &letters[0]["value"]), (&"t/3/101".into(), &serde_json::Value::Null));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_record_that_nobody_holds_failed() {
    for act in [Act::Part(vec![1], Transient), Act::Fail(Transient), Act::RejectWith("t/3/102"), Act::Hang, Act::Panic]
    {
        let (dispatcher, _, set_aside) = with_letters(vec![act.clone(), act.clone(), act.clone()]);
        let settled = dispatcher.dispatch_event(&mixed(), Deadline::after(Duration::from_secs(3))).await.unwrap();
        let held = set_aside.values().len();
        let failed = failed(&settled.failures);
        assert_eq!((held + failed.len(), failed.last().map(String::as_str)), (2, Some("t-3:102")), "{act:?}");
    }
}
