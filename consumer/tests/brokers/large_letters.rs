//! Large letters on Kafka itself: what fits alone is written, and what does not is named and waits until its topic takes it.

use crate::admin::Admin;
use crate::recorder::Recorder;
use crate::world::{World, topics};
use crate::{DEADLINE, TOPIC, text};
use bytes::Bytes;
use consumer::invoke::{InvokeFailure, Invoker};
use domain::contract::{Request, Response};
use domain::headers::dead_letter as header;
use domain::verdict::Verdict;
use localenv::broker::topic::Topic;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::Consumer;
use rdkafka::message::BorrowedMessage;
use std::time::{Duration, Instant};

const LIMIT: &str = "max.message.bytes";

/// Bytes that no compression makes fewer.
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..bytes).map(|_| next()).collect()
}

/// No JSON, of different lengths.
fn bad(count: usize, bytes: usize) -> Vec<Vec<u8>> {
    (0..count).map(|n| noise(n as u64, bytes + n)).collect()
}

fn dlq() -> String {
    format!("{TOPIC}.dlq")
}

fn world(source: &str, letters: &str) -> World {
    World::on_kafka_with(&[Topic::new(TOPIC, 4).with(LIMIT, source), Topic::new(dlq(), 1).with(LIMIT, letters)])
}

fn lengths(values: &[Vec<u8>]) -> Vec<usize> {
    values.iter().map(Vec::len).collect()
}

/// The lengths of so many dead letters, and the offset of each in its source.
fn letters(world: &World, count: usize) -> Vec<(usize, i64)> {
    let read = |message: &BorrowedMessage<'_>| (message.payload_len(), text(message, header::OFFSET).parse().unwrap());
    let mut letters = world.dead_letters(count, read);
    letters.sort_by_key(|(_, offset)| *offset);
    letters
}

async fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let (mut looks, until) = (tokio::time::interval(Duration::from_millis(50)), Instant::now() + DEADLINE);
    while !is_so() {
        looks.tick().await;
        assert!(Instant::now() < until, "never: {what}");
    }
}

async fn raise(world: &World, topic: &str, limit: &str) {
    let kafka = world.kafka();
    let client: AdminClient<DefaultClientContext> = kafka.client_config(kafka.admin()).create().unwrap();
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(LIMIT, limit);
    let outcome = client.alter_configs(&[change], &AdminOptions::new()).await.unwrap();
    assert!(outcome.iter().all(Result::is_ok), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_are_more_than_their_topic_takes_at_once_arrive() {
    let world = World::on_kafka();
    let values = bad(20, 100_000);
    world.produce_values(&values);
    let running = world.start("", &Recorder::default());
    let arrived: Vec<usize> = letters(&world, 20).into_iter().map(|(length, _)| length).collect();
    assert_eq!(arrived, lengths(&values));
    world.wait_committed().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_takes_less_gets_its_letters_one_by_one_and_a_large_one_is_taken_where_it_may() {
    for (limit, values) in [("200000", bad(10, 100_000)), ("8000000", bad(3, 7_000_000))] {
        let world = world("7500000", limit);
        world.produce_values(&values);
        let admin = Admin::new();
        let running = world.start_with("", &Recorder::default(), &[admin.setting()]);
        let arrived: Vec<usize> = letters(&world, values.len()).into_iter().map(|(length, _)| length).collect();
        assert_eq!(arrived, lengths(&values));
        world.wait_committed().await;
        let written = admin.status().unwrap()["dead_lettered"].clone();
        assert_eq!(written, values.len(), "each was written once");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_letter_that_its_topic_does_not_take_waits_is_named_and_goes_on_when_the_limit_is_raised() {
    let world = world("1000000", "200000");
    let mut values = bad(10, 50_000);
    values[4] = noise(99, 300_000);
    world.produce_values(&values);
    let admin = Admin::new();
    let settings = [admin.setting(), ("RETRY__CAP", "500ms".into())];
    let running = world.start_with("", &Recorder::default(), &settings);
    assert!(letters(&world, 9).iter().all(|(length, offset)| *length < 300_000 && *offset != 4));
    let said = |status: &serde_json::Value| {
        let why = status["not_ready"].as_str().unwrap_or_default().to_owned();
        let named = why.contains("@4 has 300") && why.contains(&format!("topic {}", dlq())) && why.contains(LIMIT);
        named.then_some(why)
    };
    let status = admin.wait_for(|status| said(status).is_some()).await;
    assert!(said(&status).unwrap().contains(&format!("{TOPIC}/")), "{status}");
    wait_until("/readyz fails", || admin.ask("GET", "/readyz", "").unwrap().0 == 503).await;
    let committed = || world.committed_and_ends().into_iter().find(|(_, end)| *end > 0).map(|(next, _)| next);
    wait_until("what stands before it is committed", || committed() == Some(4)).await;

    raise(&world, &dlq(), "400000").await;
    world.wait_committed().await;
    let all = letters(&world, 10);
    assert_eq!(all, lengths(&values).into_iter().zip(0..).collect::<Vec<_>>());
    admin.wait_for(|status| status["not_ready"].is_null()).await;
    running.stop().await;
}

/// A function that wants everything again later, once.
#[derive(Clone)]
struct Later;

impl Invoker for Later {
    async fn invoke(&self, _: &str, payload: Bytes) -> Result<Bytes, InvokeFailure> {
        let request = Request::decode(&payload).unwrap();
        let again = |topic: &str| match topic == TOPIC {
            true => Verdict::Retry { reason: "busy".into(), detail: "later".into() },
            false => Verdict::Delivered,
        };
        let verdicts = request.records().map(|record| (record.offset, again(&request.topic)));
        let response = Response::from_verdicts(&request.batch_id, verdicts);
        Ok(Bytes::from(serde_json::to_vec(&response).unwrap()))
    }

    async fn check(&self, _: &str) -> Result<(), InvokeFailure> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deferred_records_that_are_more_than_their_topic_takes_at_once_arrive() {
    let retry = format!("{TOPIC}.retry.300ms");
    let all: Vec<Topic> = topics().into_iter().chain([Topic::new(&retry, 1)]).collect();
    let world = World::on_kafka_with(&all);
    let text = |bytes: Vec<u8>| bytes.into_iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let values: Vec<Vec<u8>> = bad(500, 2_500).into_iter().map(|bytes| format!("\"{}\"", text(bytes)).into()).collect();
    world.produce_values(&values);
    let more = [
        ("RETRY__DEFERRED", TOPIC.to_owned()),
        ("RETRY__DELAYS", "300ms".into()),
        ("BATCH__RECORDS", "500".into()),
        ("BATCH__AGE", "2s".into()),
    ];
    let running = world.start_with("", &Later, &more);
    let reader = world.client("reader");
    let deferred = || reader.fetch_watermarks(&retry, 0, DEADLINE).unwrap().1;
    wait_until("all are put off", || deferred() >= 500).await;
    world.wait_committed().await;
    assert_eq!(deferred(), 500);
    running.stop().await;
}
