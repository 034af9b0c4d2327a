//! HTTP and file, by the same measure as the destinations on AWS.

use crate::cloud::faults;
use crate::convoy::{DELIVER, bring_all, dispatcher, events};
use crate::held::bring_through;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use localenv::aws::Spoiler;
use std::path::Path;
use std::sync::{Arc, Mutex};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_holds_every_event() {
    let (endpoint, lines) = collector().await;
    let spoiler = Spoiler::start(&endpoint, &Path::new(env!("CARGO_TARGET_TMPDIR")).join("spoiled-http")).unwrap();
    spoiler.spoil(&faults("*")).unwrap();
    let url = spoiler.endpoint();
    let destination =
        format!("[destinations.collector.http]\nurl = \"{url}/events\"\nbatch.records = 100\nbatch.timeout = \"2s\"\n");
    let brought = bring_through("http", &destination, || spoiler.struck().unwrap()).await;
    brought.is_held_by(&lines.lock().unwrap());
}

#[tokio::test]
async fn a_file_holds_every_event_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.ndjson");
    let destination = format!("[destinations.audit.file]\npath = \"{}\"\nbatch.records = 70\n", path.display());
    let all = events("all", 10_000);
    bring_all(&dispatcher(&format!("{destination}{DELIVER}")), &all).await;
    let held: Vec<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    crate::held::Brought { all, once: Default::default() }.is_in_order_and_once(&held);
}
