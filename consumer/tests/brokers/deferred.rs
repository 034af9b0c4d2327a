//! Records that are put off, on a broker: each is delivered once in the end or a dead letter of where it came from, and nobody waits for them.

use crate::world::{World, topics};
use crate::{DEADLINE, PARTITIONS, TOPIC};
use bytes::Bytes;
use consumer::invoke::{InvokeFailure, Invoker};
use domain::contract::{Request, Response};
use domain::headers::dead_letter as header;
use domain::verdict::Verdict;
use localenv::broker::topic::Topic;
use rdkafka::consumer::Consumer;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::{Offset, TopicPartitionList};
use runtime::clock::{Clock, SystemClock};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::watch;

const DELAYS: [(&str, Duration); 2] = [("300ms", Duration::from_millis(300)), ("900ms", Duration::from_millis(900))];
/// Records of this key must come again twice, and those of the other always.
const BUSY: i64 = 1;
const HOPELESS: i64 = 2;

/// One record in one call.
#[derive(Debug, Clone)]
struct Try {
    topic: String,
    attempt: u32,
    record: (i64, i64),
    at_ms: i64,
    delivered: bool,
}

/// A function that asks for some records again.
#[derive(Clone, Default)]
struct Function {
    tries: watch::Sender<Vec<Try>>,
}

impl Invoker for Function {
    async fn invoke(&self, _: &str, payload: Bytes) -> Result<Bytes, InvokeFailure> {
        let request = Request::decode(&payload).unwrap();
        let mut verdicts = Vec::new();
        self.tries.send_modify(|tries| {
            for entry in request.records() {
                let value: serde_json::Value = serde_json::from_str(entry.value).unwrap();
                let record = (value["key"].as_i64().unwrap(), value["seq"].as_i64().unwrap());
                let before = tries.iter().filter(|seen| seen.record == record).count();
                let delivered = record.0 != HOPELESS && (record.0 != BUSY || before == 2);
                let again = || Verdict::Retry { reason: "busy".into(), detail: "later".into() };
                verdicts.push((entry.offset, if delivered { Verdict::Delivered } else { again() }));
                let (topic, attempt) = (request.topic.to_string(), request.attempt);
                tries.push(Try { topic, attempt, record, at_ms: SystemClock.wall_ms(), delivered });
            }
        });
        Ok(Bytes::from(serde_json::to_vec(&Response::from_verdicts(&request.batch_id, verdicts)).unwrap()))
    }

    async fn check(&self, _: &str) -> Result<(), InvokeFailure> {
        Ok(())
    }
}

impl Function {
    async fn wait_for_tries(&self, count: usize) {
        let mut tries = self.tries.subscribe();
        let in_time = tokio::time::timeout(DEADLINE, tries.wait_for(|tries| tries.len() >= count)).await.is_ok();
        assert!(in_time, "{} of {count} tries", self.tries.borrow().len());
    }
}

fn retry_topics() -> Vec<Topic> {
    DELAYS.iter().map(|(name, _)| Topic::new(format!("{TOPIC}.retry.{name}"), 2)).collect()
}

/// Key, value and headers of a record, as they are in Kafka.
type Whole = (Vec<u8>, Vec<u8>, Vec<(String, Option<Vec<u8>>)>);

fn whole(message: &BorrowedMessage<'_>) -> Whole {
    let header = |header: Header<'_, &[u8]>| (header.key.to_owned(), header.value.map(<[u8]>::to_vec));
    let headers = message.headers().unwrap().iter().map(header).collect();
    (message.key().unwrap().to_vec(), message.payload().unwrap().to_vec(), headers)
}

/// A name twice, values that are null, empty and no text, and names that are also ours.
fn own_headers() -> OwnedHeaders {
    let header = |all: OwnedHeaders, (key, value): &(&str, Option<&[u8]>)| all.insert(Header { key, value: *value });
    let all: [(&str, Option<&[u8]>); 6] = [
        ("b", Some(b"1")),
        ("a", None),
        ("b", Some(b"\xff\x00")),
        ("a", Some(b"")),
        ("comboio-due", Some(b"mine")),
        ("comboio-topic", None),
    ];
    all.iter().fold(OwnedHeaders::new(), header)
}

/// What came of a record has all that it had, and then only headers of ours.
fn assert_unchanged((key, value, headers): &Whole, source: &Whole) {
    assert_eq!((key, value), (&source.0, &source.1));
    let (own, added) = headers.split_at(source.2.len());
    assert_eq!(own, source.2);
    assert!(!added.is_empty() && added.iter().all(|(name, _)| name.starts_with("comboio-")), "{added:?}");
}

/// Every record of a partition, by its offset.
fn everything(world: &World, topic: &str, partition: i32) -> HashMap<i64, Whole> {
    let client = world.client("reader");
    let end = client.fetch_watermarks(topic, partition, DEADLINE).unwrap().1;
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
    client.assign(&list).unwrap();
    let (mut found, until) = (HashMap::new(), Instant::now() + DEADLINE);
    while found.len() < usize::try_from(end).unwrap() {
        assert!(Instant::now() < until, "{} of {end} records of {topic}/{partition}", found.len());
        if let Some(Ok(message)) = client.poll(Duration::from_millis(100)) {
            found.insert(message.offset(), whole(&message));
        }
    }
    found
}

/// Every record of the retry topics is finished and committed too.
async fn assert_nothing_waits(world: &World) {
    let client = world.client("g");
    for (topic, partition) in retry_topics().iter().flat_map(|topic| (0..2).map(move |n| (topic.name.clone(), n))) {
        let end = client.fetch_watermarks(&topic, partition, DEADLINE).unwrap().1;
        let mut list = TopicPartitionList::new();
        list.add_partition(&topic, partition);
        let committed = client.committed_offsets(list, DEADLINE).unwrap().elements()[0].offset();
        let all = committed == Offset::Offset(end) || (end == 0 && committed == Offset::Invalid);
        assert!(all, "{topic}/{partition} is committed up to {committed:?} of {end}");
    }
}

/// The text of the last header of that name; those before are the record's own.
fn last(message: &BorrowedMessage<'_>, name: &str) -> String {
    let found = message.headers().unwrap().iter().filter(|header| header.key == name).last();
    String::from_utf8(found.unwrap().value.unwrap().to_vec()).unwrap()
}

/// Everything in the retry topics is as it was in its source; how many records these are.
fn assert_waiting_unchanged(world: &World, sources: &[HashMap<i64, Whole>]) -> usize {
    let places = retry_topics().into_iter().flat_map(|topic| (0..2).map(move |n| (topic.name.clone(), n)));
    let waiting: Vec<Whole> =
        places.flat_map(|(topic, partition)| everything(world, &topic, partition).into_values()).collect();
    for record in &waiting {
        // Behind its own headers stands where it came from: topic, partition, offset.
        let text = |nth: usize| String::from_utf8(record.2[own_headers().count() + nth].1.clone().unwrap()).unwrap();
        assert_unchanged(record, &sources[text(1).parse::<usize>().unwrap()][&text(2).parse().unwrap()]);
    }
    waiting.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_put_off_are_delivered_once_or_become_dead_letters_and_hold_nobody_up() {
    let all: Vec<Topic> = topics().into_iter().chain(retry_topics()).collect();
    let mut world = World::embedded(&all);
    world.headers = own_headers();
    // 20 keys of 20 records.
    world.produce(400, 0);
    let function = Function::default();
    let deferred = [("RETRY__DEFERRED", TOPIC.to_owned()), ("RETRY__DELAYS", DELAYS.map(|(name, _)| name).join(","))];
    let running = world.start_with("a", &function, &deferred);
    // Once for each record, and twice more for those of two keys.
    function.wait_for_tries(400 + 2 * 40).await;
    let letters = world.dead_letters(20, |message| {
        let words = [header::TOPIC, header::PARTITION, header::OFFSET, header::ATTEMPTS, header::REASON, header::CLASS];
        (words.map(|name| last(message, name)), whole(message))
    });
    world.wait_committed().await;
    running.stop().await;

    let tries = function.tries.borrow().clone();
    assert_eq!(tries.len(), 480, "nothing was tried once more");
    let mut by_record: HashMap<(i64, i64), Vec<Try>> = HashMap::new();
    tries.into_iter().for_each(|one| by_record.entry(one.record).or_default().push(one));
    for (record, tries) in &by_record {
        let delivered = tries.iter().filter(|one| one.delivered).count();
        assert_eq!(delivered, usize::from(record.0 != HOPELESS), "{record:?}: {tries:?}");
        assert!(tries.iter().all(|one| one.attempt == 1), "a lane was held up: {tries:?}");
        for ((one, next), (name, delay)) in tries.iter().zip(&tries[1..]).zip(DELAYS) {
            assert_eq!(next.topic, format!("{TOPIC}.retry.{name}"));
            let waited = next.at_ms - one.at_ms;
            assert!(waited >= i64::try_from(delay.as_millis()).unwrap(), "{record:?} came after {waited} ms");
        }
    }
    assert_eq!(by_record.len(), 400);
    let sources: Vec<_> = (0..PARTITIONS).map(|partition| everything(&world, TOPIC, partition)).collect();
    for (words, letter) in letters {
        let [topic, partition, offset, attempts, reason, class] = words;
        assert_eq!([topic.as_str(), &attempts, &reason, &class], [TOPIC, "3", "busy", "transient"]);
        let (partition, offset): (i32, i64) = (partition.parse().unwrap(), offset.parse().unwrap());
        assert!(partition < PARTITIONS);
        let source = &sources[usize::try_from(partition).unwrap()][&offset];
        assert_eq!(source.2.len(), own_headers().count());
        assert_unchanged(&letter, source);
    }
    assert_eq!(assert_waiting_unchanged(&world, &sources), 80, "two waits for each record of two keys");
    assert_nothing_waits(&world).await;
}
