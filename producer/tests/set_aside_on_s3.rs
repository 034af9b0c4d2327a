//! Set-aside lines as objects, through the real SDK against the local store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::failure::FailureClass;
use localenv::bundle_store::{BundleStore, StoreFault};
use producer::answers::Answers;
use producer::dead_letter::{DeadLetter, DeadLetterTopic, DeadLetters, LastPlace, Record, Shipping, Taken, Why};
use producer::in_flight::{Flying, InFlight, Slots};
use producer::set_aside::{Bytes, SetAside, SetAsideFile};
use producer::set_aside_objects::SetAsideObjects;
use producer::tally::Tally;
use producer::ticket::Ticket;
use runtime::aws::AwsSettings;
use runtime::clock::ManualClock;
use runtime::objects::ObjectStoreSettings;
use runtime::shutdown::Shutdown;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const AT_MS: i64 = 1_763_701_200_123;

fn objects(store: &BundleStore) -> SetAsideObjects {
    let aws = AwsSettings { region: None, endpoint_url: Some(store.endpoint().to_owned()) };
    let settings = ObjectStoreSettings { aws, timeout: Duration::from_secs(20) };
    SetAsideObjects::start(settings, "s3://fleet-dead/letters".parse().unwrap(), "smoke").unwrap()
}

#[test]
fn lines_become_one_object_each_time_and_a_refusal_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = BundleStore::start(folder.path()).unwrap();
    store.put("fleet-dead/made", b"so that the bucket is there").unwrap();
    let objects = objects(&store);
    let line = |value| SetAside { class: "rejected", reason: "schema", value: Bytes(value), ..SetAside::default() };
    let uri = objects.write(&[line(b"{\"a\":1}"), line(b"\xff\x00")], AT_MS).unwrap();
    assert_eq!(uri.to_string(), "s3://fleet-dead/letters/2025-11-21/smoke-1763701200123-0.ndjson");
    let text = String::from_utf8(store.read("fleet-dead/letters/2025-11-21/smoke-1763701200123-0.ndjson").unwrap());
    let lines: Vec<Value> = text.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["value"], &lines[1]["value"]["hex"]), (&"{\"a\":1}".into(), &"ff00".into()));
    let next = "fleet-dead/letters/2025-11-21/smoke-1763701200123-1.ndjson";
    store.fail(next, StoreFault::access_denied());
    let error = objects.write(&[line(b"{}")], AT_MS).unwrap_err();
    assert!(error.to_string().contains("s3:PutObject"), "{error}");
    assert!(store.read(next).is_err());
}

/// A topic that takes nothing.
struct Refusing;

impl DeadLetterTopic for Refusing {
    fn offer(&self, _: &DeadLetter) -> Taken {
        Taken::Never
    }
}

fn letter(slot: usize, key: u64) -> DeadLetter {
    let record = Record {
        topic: "mt-c400".into(),
        key: format!("k{key}").into_bytes(),
        value: b"v".to_vec(),
        headers: vec![("own".into(), b"1".to_vec())],
        timestamp_ms: 5,
    };
    let (class, reason, detail) = (FailureClass::TooLarge, "message-size-too-large".into(), "too large".into());
    DeadLetter::new(slot, record, Why { class, reason, detail })
}

/// Three letters that the topic refuses, brought behind it; how many are in a place when everything has come to its end.
fn bring_behind(store: &BundleStore, file: &Path) -> Tally {
    let clock = Arc::new(ManualClock::starting_at(AT_MS));
    let (in_flight, tally) = (InFlight::new(8), Tally::default());
    let answers = Answers::new(in_flight.clone(), tally.clone(), clock.clone(), Shutdown::new(), false).unwrap();
    let file = Arc::new(SetAsideFile::new(file.to_owned()));
    let last = LastPlace { file, answers: Arc::new(answers), clock };
    let shipping = Shipping::start(objects(store), last.clone()).unwrap();
    let (sender, inbox) = crossbeam_channel::unbounded();
    let mut letters = DeadLetters::new(inbox, Some(Refusing), Some(shipping), last);
    let mut slots = Slots::new(in_flight);
    for seq in 1..=3 {
        let (due, ticket) = (Duration::ZERO, Ticket::NONE);
        let slot = slots.take(Flying { due, waited: due, series: 0, seq, topic: 0, ticket, spooled: 0 }, due).unwrap();
        sender.send(letter(slot, seq)).unwrap();
    }
    letters.work();
    drop(letters);
    tally
}

#[test]
fn what_the_topic_refuses_is_one_object_or_else_lines_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("aside.ndjson");
    let store = BundleStore::start(&folder.path().join("s3")).unwrap();
    store.put("fleet-dead/made", b"so that the bucket is there").unwrap();
    let object = "fleet-dead/letters/2025-11-21/smoke-1763701200123-0.ndjson";
    let keys = |text: &str| -> Vec<String> {
        let key = |line: &str| serde_json::from_str::<Value>(line).unwrap()["key"].as_str().unwrap().to_owned();
        text.lines().map(key).collect()
    };

    let tally = bring_behind(&store, &file);
    assert_eq!((tally.dead_lettered.get(), tally.failed.get(), file.exists()), (3, 0, false));
    let text = String::from_utf8(store.read(object).unwrap()).unwrap();
    assert_eq!(keys(&text), ["k1", "k2", "k3"]);

    store.fail(object, StoreFault::access_denied());
    let tally = bring_behind(&store, &file);
    assert_eq!((tally.dead_lettered.get(), tally.failed.get()), (3, 0));
    assert_eq!(keys(&std::fs::read_to_string(&file).unwrap()), ["k1", "k2", "k3"]);

    let tally = bring_behind(&store, Path::new("/nowhere/aside.ndjson"));
    assert_eq!((tally.dead_lettered.get(), tally.failed.get()), (0, 3), "said, not silent");
}
