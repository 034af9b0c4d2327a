//! The collector over real HTTP: what it takes down, what it refuses, what it loses on command.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use domain::ledger::LedgerKey;
use localenv::collector::{Collector, CollectorOptions, read_back};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A line for one event of truck BR1 and codigo 300.
fn event(seq: u64, ts: u128) -> String {
    format!(r#"{{"v":1,"id":"r-BR1-300-{seq}","codigo":300,"truck_id":"BR1","seq":{seq},"ts":{ts}}}"#)
}

fn now_ms() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()
}

fn events(seqs: impl IntoIterator<Item = u64>) -> String {
    seqs.into_iter().map(|seq| event(seq, now_ms()) + "\n").collect()
}

/// Delivers a body; the status and the text of the answer.
async fn deliver(to: &Collector, batch_id: &str, body: &str) -> (u16, String) {
    let endpoint = to.endpoint();
    let address = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /any/path HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/x-ndjson\r\n\
         comboio-batch-id: {batch_id}\r\ncomboio-attempt: 1\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

fn key() -> LedgerKey {
    LedgerKey { run: "r".into(), truck_id: "BR1".into(), codigo: 300 }
}

#[tokio::test]
async fn deliveries_are_taken_down_with_order_duplicates_and_coordinates() {
    let collector = Collector::start().await.unwrap();
    assert_eq!(deliver(&collector, "mt-c300/4/10-12", &events([1, 2, 4])).await.0, 204);
    assert_eq!(deliver(&collector, "mt-c300/4/12-14", &events([4, 3, 5])).await.0, 204);
    let seen = collector.snapshot();
    assert_eq!((seen.requests, seen.events, seen.first_deliveries), (2, 6, 5));
    assert_eq!((seen.duplicates, seen.order_violations), (1, 1));
    assert_eq!(seen.duplicate_batches.into_iter().collect::<Vec<_>>(), [("mt-c300/4/12-14".to_owned(), 1)]);
    let partition = seen.partitions["mt-c300/4"];
    assert_eq!((partition.requests, partition.events, partition.high_water), (2, 6, 14));
    assert_eq!(collector.deliveries().seqs(&key()).unwrap().ranges(), [(1, 5)]);
}

#[tokio::test]
async fn latency_is_arrival_minus_event_time() {
    let collector = Collector::start().await.unwrap();
    let body = [event(1, now_ms() - 5000), event(2, now_ms() + 60_000)].join("\n");
    assert_eq!(deliver(&collector, "t/0/0-1", &body).await.0, 204);
    let latency = collector.snapshot().latency_ms;
    assert!((5000.0..15_000.0).contains(&latency.max), "{latency:?}");
    assert!(latency.p50 < 10.0, "an event of the future has no latency: {latency:?}");
}

#[tokio::test]
async fn a_request_is_taken_whole_or_not_at_all() {
    let collector = Collector::start().await.unwrap();
    let bad = format!("{}{}", events([1, 2]), "{\"v\":1}\n");
    let (status, answer) = deliver(&collector, "t/0/0-2", &bad).await;
    assert_eq!(status, 400);
    assert!(answer.ends_with("line 3: not a JSON object with an id"), "{answer}");
    let (status, answer) = deliver(&collector, "t/0/0-0", r#"{"id":"a-b"}"#).await;
    assert!(status == 400 && answer.contains("is not run-truck-codigo-seq"), "{answer}");
    let seen = collector.snapshot();
    assert_eq!((seen.events, seen.bad_requests), (0, 2));
}

#[tokio::test]
async fn what_it_forgets_is_answered_well_and_missing() {
    let options = CollectorOptions { forget_every: Some(4), ..CollectorOptions::default() };
    let collector = Collector::start_with(options).await.unwrap();
    assert_eq!(deliver(&collector, "t/0/0-9", &events(1..=10)).await.0, 204);
    let seen = collector.snapshot();
    assert_eq!((seen.events, seen.forgotten), (8, 2));
    let deliveries = collector.deliveries();
    assert!(!deliveries.seqs(&key()).unwrap().contains(4) && !deliveries.seqs(&key()).unwrap().contains(8));
    collector.forget_every(None);
    deliver(&collector, "t/0/0-9", &events([4, 8])).await;
    assert_eq!(collector.deliveries().seqs(&key()).unwrap().ranges(), [(1, 10)]);
}

#[tokio::test]
async fn a_refused_delivery_can_be_sent_again() {
    let collector = Collector::start().await.unwrap();
    collector.refuse(503, 2);
    for want in [503, 503, 204] {
        assert_eq!(deliver(&collector, "t/0/0-0", &events([1])).await.0, want);
    }
    let seen = collector.snapshot();
    assert_eq!((seen.events, seen.refused, seen.duplicates), (1, 2, 0));
}

#[tokio::test]
async fn the_file_holds_what_was_taken_down_in_order_of_arrival() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("events.ndjson");
    let options = CollectorOptions { file: Some(file.clone()), forget_every: Some(3), ..CollectorOptions::default() };
    let collector = Collector::start_with(options).await.unwrap();
    let (first, second) = (event(2, 5), event(1, 6));
    deliver(&collector, "t/0/0-2", &format!("{first}\r\n\n{second}\n{}", event(3, 7))).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{first}\r\n{second}\n"));
    let read = read_back(&file).unwrap();
    assert_eq!((read.events(), read.order_violations()), (2, 1));
    assert_eq!((collector.deliveries().events(), collector.deliveries().order_violations()), (2, 1));
}

#[tokio::test]
async fn another_process_asks_and_steers_over_http() {
    let collector = Collector::start().await.unwrap();
    let address = collector.endpoint();
    let ask = |method: &'static str, path: &'static str, body: &'static str| {
        let address = address.strip_prefix("http://").unwrap().to_owned();
        async move {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            let head = format!(
                "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        }
    };
    let ordered = ask("POST", "/_collector/faults", r#"{"forget_every":2,"refuse":{"status":429,"count":1}}"#).await;
    assert!(ordered.starts_with("HTTP/1.1 204"), "{ordered}");
    assert_eq!(deliver(&collector, "t/0/0-1", &events([1, 2])).await.0, 429);
    assert_eq!(deliver(&collector, "t/0/0-1", &events([1, 2])).await.0, 204);
    let told = ask("GET", "/_collector/snapshot", "").await;
    let body = told.split("\r\n\r\n").nth(1).unwrap();
    let snapshot: localenv::collector::Snapshot = serde_json::from_str(body).unwrap();
    assert_eq!((snapshot.events, snapshot.forgotten, snapshot.refused), (1, 1, 1));
    assert_eq!(snapshot, collector.snapshot());
}
