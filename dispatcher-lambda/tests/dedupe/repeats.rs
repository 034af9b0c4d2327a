//! Two instances get the same events again and again, through faults: with `event-id` the destination holds each once, and in order.

use crate::requests::event;
use crate::stores;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use dispatcher_lambda::config::Config;
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dispatcher::Dispatcher;
use domain::contract::{BatchHead, OpenBatch, Push, judge};
use domain::offset::Offset;
use localenv::aws::{Fault, Rule, Spoiler};
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const EVENTS: u64 = 10_000;
const BATCH: u64 = 250;
const TRUCKS: u64 = 40;
/// What the destination does not get, or gets late. An answer that breaks off would be a delivery of which nobody knows.
const FAULTS: [Rule; 4] = [
    Rule { service: "*", fault: Fault::Refuse("ThrottlingException", 429), one_in: 7 },
    Rule { service: "*", fault: Fault::Refuse("ServiceUnavailable", 503), one_in: 9 },
    Rule { service: "*", fault: Fault::Reset, one_in: 11 },
    Rule { service: "*", fault: Fault::Late(Duration::from_millis(20)), one_in: 5 },
];

type Lines = Arc<Mutex<Vec<String>>>;

async fn collector() -> (String, Lines) {
    let (lines, listener) = (Lines::default(), tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap());
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let take = |State(lines): State<Lines>, body: String| async move {
        lines.lock().unwrap().extend(body.lines().map(str::to_owned));
    };
    let router = Router::new().route("/events", post(take)).with_state(lines.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (endpoint, lines)
}

fn instance(settings: &str) -> Dispatcher {
    Dispatcher::new(Config::from_variables([("COMBOIO_CONFIG".to_owned(), settings.to_owned())].into_iter()).unwrap())
}

/// Until nothing must come again; how many were delivered, and how many were duplicates.
async fn bring(dispatcher: &Dispatcher, first: u64, offset: i64) -> (u64, u64) {
    let head = BatchHead {
        group: "cg".into(),
        topic: "t".into(),
        partition: 0,
        lane: 0,
        lanes: 1,
        epoch: 0,
        log: None,
        since: None,
    };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for (n, place) in (first..first + BATCH).zip(offset..) {
        let value = event(&format!("BR{:05}", n % TRUCKS), n / TRUCKS + 1);
        assert_eq!(batch.push(Offset(place), 1_763_701_200_123, value.as_bytes()), Push::Taken);
    }
    let (mut delivered, mut duplicates) = (0, 0);
    for attempt in 1..60 {
        let deadline = Deadline::after(Duration::from_secs(30));
        let response = dispatcher.dispatch(&batch.request(attempt, None), deadline).await.unwrap();
        let judgement = judge(&batch, &serde_json::to_vec(&response).unwrap()).unwrap();
        assert!(judgement.rejected.is_empty(), "{:?}", judgement.rejected);
        (delivered, duplicates) = (delivered + judgement.delivered, duplicates + judgement.duplicates);
        let again: Vec<usize> = judgement.retry.iter().filter_map(|listed| batch.position(listed.offset)).collect();
        if again.is_empty() {
            return (delivered, duplicates);
        }
        batch = batch.part(again);
    }
    panic!("{} events are not delivered", batch.len());
}

async fn brought_three_times(name: &str, store: &str) {
    let (endpoint, lines) = collector().await;
    let spoiler = Spoiler::start(&endpoint, &Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)).unwrap();
    spoiler.spoil(&FAULTS).unwrap();
    let settings = format!(
        "[order]\nkey = \"truck-id\"\n[deliver]\nattempts = 2\nbackoff = \"1ms\"\nbackoff_cap = \"20ms\"\n[dedupe]\nstrategy = \"event-id\"\n{store}[destinations.collector.http]\nurl = \"{}/events\"\nbatch.records = 100\n",
        spoiler.endpoint()
    );
    let instances = [instance(&settings), instance(&settings)];
    let (mut delivered, mut duplicates, mut offset) = (0, 0, 0_i64);
    for batch in 0..EVENTS / BATCH {
        for round in 0..3 {
            let counts = bring(&instances[round % 2], batch * BATCH, offset).await;
            (delivered, duplicates) = (delivered + counts.0, duplicates + counts.1);
            offset += i64::try_from(BATCH).unwrap();
        }
    }
    println!("{name}: {delivered} delivered, {duplicates} duplicates, faults {:?}", spoiler.struck().unwrap());
    assert!(spoiler.struck().unwrap().iter().all(|count| *count > 0));
    assert_eq!((delivered, duplicates), (EVENTS, 2 * EVENTS));
    let mut last: HashMap<String, u64> = HashMap::new();
    let held = lines.lock().unwrap().clone();
    for line in &held {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let (truck, seq) = (event["truck_id"].as_str().unwrap().to_owned(), event["seq"].as_u64().unwrap());
        let before = last.insert(truck, seq).unwrap_or(0);
        assert_eq!(seq, before + 1, "each once, and in order: {line}");
    }
    assert_eq!(held.len() as u64, EVENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_leaves_exactly_one() {
    brought_three_times("repeats-redis", &stores::in_redis("repeats")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_leaves_exactly_one() {
    brought_three_times("repeats-dynamodb", &stores::in_dynamodb("repeats").await).await;
}
