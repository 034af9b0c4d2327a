//! Answers that are none: garbage, another batch's, or counts that do not add up. Each counts for nothing, and the batch comes again.

use crate::brain::Fault;
use crate::case::{Bound, healthy, strike};
use serde_json::{Value, json};
use std::time::Duration;

const SPAN: Duration = Duration::from_secs(3);

fn bytes(answer: &Value) -> Vec<u8> {
    answer.to_string().into_bytes()
}

fn delivered(answer: &Value) -> i64 {
    answer["delivered"].as_i64().unwrap() + answer["duplicates"].as_i64().unwrap()
}

/// The first offset of `faults/0/7-9`, however the batch id is written.
fn first(answer: &Value) -> i64 {
    let id = answer["batch_id"].as_str().unwrap();
    let range = id.rsplit('/').next().unwrap();
    range.split('-').next().unwrap().parse().unwrap()
}

/// With so many records listed that are then missing in the counts.
fn listing(mut answer: Value, rejected: &[i64], retry: &[i64]) -> Vec<u8> {
    let list = |offsets: &[i64]| -> Value {
        offsets.iter().map(|offset| json!({"offset": offset, "reason": "schema", "detail": "no"})).collect()
    };
    let counted = delivered(&answer) - i64::try_from(rejected.len() + retry.len()).unwrap();
    answer["delivered"] = counted.into();
    answer["duplicates"] = 0.into();
    (answer["rejected"], answer["retry"]) = (list(rejected), list(retry));
    bytes(&answer)
}

/// The answer with one member changed.
fn with(mut answer: Value, member: &str, value: Value) -> Vec<u8> {
    answer[member] = value;
    bytes(&answer)
}

const GARBAGE: [fn(Value) -> Vec<u8>; 6] = [
    |_| Vec::new(),
    |_| b"no json".to_vec(),
    |answer| bytes(&answer)[..20].to_vec(),
    |_| b"<html><body>502 Bad Gateway</body></html>".to_vec(),
    |_| b"null".to_vec(),
    |answer| [bytes(&answer), bytes(&answer)].concat(),
];

const WRONG: [fn(Value) -> Vec<u8>; 9] = [
    |answer| with(answer, "batch_id", "other/0/0-9".into()),
    |answer| with(answer, "version", 2.into()),
    // Verdicts that are missing, and too many.
    |answer| with(answer.clone(), "delivered", (answer["delivered"].as_i64().unwrap() - 1).into()),
    |answer| with(answer.clone(), "delivered", (answer["delivered"].as_i64().unwrap() + 1).into()),
    |answer| with(answer, "delivered", (-1).into()),
    // Twice in one list, and in both.
    |answer| listing(answer.clone(), &[first(&answer), first(&answer)], &[]),
    |answer| listing(answer.clone(), &[first(&answer)], &[first(&answer)]),
    // Foreign offsets.
    |answer| listing(answer, &[1_000_000], &[]),
    |answer| listing(answer, &[], &[-1]),
];

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_no_answer() {
    let (mut world, consumer) = healthy("garbage").await;
    strike(&mut world, GARBAGE.map(Fault::Spoil).to_vec(), SPAN, Bound::Breaker).await;
    let log = consumer.stop().await;
    assert!(log.find("an invocation failed")["error"].as_str().unwrap().contains("no answer of contract version 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_that_do_not_add_up_count_for_nothing() {
    let (mut world, consumer) = healthy("verdicts").await;
    strike(&mut world, WRONG.map(Fault::Spoil).to_vec(), SPAN, Bound::Breaker).await;
    let status = consumer.status().unwrap();
    assert_eq!((&status["rejected"], &status["dead_lettered"]), (&0.into(), &0.into()));
    consumer.stop().await;
}
