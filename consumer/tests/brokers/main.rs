//! The whole consumer against a broker: everything delivered, offsets exact, and (on Kafka itself) partitions handed over without a duplicate.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod deferred;
mod frozen;
mod lag;
mod large_letters;
mod latest;
mod made_anew;
mod pause;
mod protocol;
mod recorder;
mod resets;
mod rotation;
mod sending;
mod world;

use domain::headers::dead_letter as header;
use localenv::broker::topic::Topic;
use rdkafka::message::{BorrowedMessage, Headers, Message};
use recorder::{Recorder, Seen};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use world::World;

const TOPIC: &str = "mt-c400";
const PARTITIONS: i32 = 4;
const DEADLINE: Duration = Duration::from_secs(60);

fn text(message: &BorrowedMessage<'_>, name: &str) -> String {
    let headers = message.headers().unwrap();
    let found = headers.iter().find(|header| header.key == name).and_then(|header| header.value);
    String::from_utf8(found.unwrap().to_vec()).unwrap()
}

fn first_offsets(seen: &[Seen]) -> BTreeMap<i32, i64> {
    let mut first = BTreeMap::new();
    for record in seen {
        first.entry(record.partition).or_insert(record.offset);
    }
    first
}

fn assert_order_per_key(seen: &[Seen]) {
    let mut last = HashMap::new();
    for record in seen {
        let before = last.insert(record.key, record.seq).unwrap_or(0);
        assert_eq!(record.seq, before + 1, "key {} goes from {before} to {}", record.key, record.seq);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_delivered_and_a_restart_goes_on_at_the_very_next_record() {
    let mut world = World::new();
    world.produce(2_000, 8);
    let first = Recorder::default();
    let running = world.start("a", &first);
    first.wait_for(2_000).await;
    let letters = world.dead_letters(8, |message| {
        let words = [header::TOPIC, header::REASON, header::CLASS, header::ATTEMPTS].map(|name| text(message, name));
        (
            words.join(" "),
            message.payload().unwrap().to_vec(),
            String::from_utf8(message.key().unwrap().to_vec()).unwrap(),
        )
    });
    for (words, value, key) in &letters {
        assert_eq!((words.as_str(), value.as_slice()), ("mt-c400 not-json rejected 0", b"\xff{no json".as_slice()));
        assert!(key.starts_with("key-"));
    }
    world.wait_committed().await;
    world.produce(200, 0);
    first.wait_for(2_200).await;
    // Not only the first commit: each one's answer makes way for the next.
    world.wait_committed().await;
    running.stop().await;
    assert_eq!(first.seen().len(), 2_200);
    assert_order_per_key(&first.seen());
    let committed = world.committed_and_ends();
    assert!(committed.iter().all(|(next, end)| next == end && *end > 0), "{committed:?}");

    world.produce(400, 0);
    let second = Recorder::default();
    let running = world.start("a", &second);
    second.wait_for(400).await;
    running.stop().await;
    let expected: BTreeMap<i32, i64> = (0..PARTITIONS).zip(committed.iter().map(|(next, _)| *next)).collect();
    assert_eq!(first_offsets(&second.seen()), expected);
    assert_eq!(second.seen().len(), 400);
    let committed = world.committed_and_ends();
    assert!(committed.iter().all(|(next, end)| next == end), "{committed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_move_between_members_without_loss_or_duplicate() {
    // Not the embedded broker: it refuses commits while members join, which Kafka does not.
    let mut world = World::on_kafka();
    let recorder = Recorder { latency: Duration::from_millis(100), ..Recorder::default() };
    let first = world.start("", &recorder.of_instance(1));
    world.produce_until_met(&recorder, 1).await;
    let second = world.start("", &recorder.of_instance(2));
    world.produce_until_met(&recorder, 2).await;
    let third = world.start("", &recorder.of_instance(3));
    // The group is moving when the first one goes.
    first.stop().await;
    world.produce_until_met(&recorder, 3).await;
    let produced = world.produced();
    recorder.wait_for(produced).await;
    world.wait_committed().await;
    second.stop().await;
    third.stop().await;
    let seen = recorder.seen();
    assert_eq!(seen.len(), produced, "a duplicate although every hand-over was drained");
    assert_order_per_key(&seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_dead_letter_topic_is_named_before_anything_is_read() {
    let world = World::embedded(&[Topic::new(TOPIC, 1)]);
    let recorder = Recorder::default();
    let end = tokio::time::timeout(DEADLINE, world.start("", &recorder).end).await.unwrap().unwrap();
    let failure = end.unwrap_err();
    assert!(failure.to_string().contains("mt-c400.dlq"), "{failure}");
    assert_eq!(failure.exit(), runtime::exit::Exit::Failed);
}
