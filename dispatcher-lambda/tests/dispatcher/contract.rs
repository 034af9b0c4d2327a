//! The contract's fixtures, byte for byte: what the consumer sends and what it gets back.

use crate::collector::Collector;
use dispatcher_lambda::config::Config;
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dispatcher::Dispatcher;
use dispatcher_lambda::handler::Handled;
use domain::contract::{BatchHead, OpenBatch, Push, Request, judge};
use domain::offset::Offset;
use std::path::PathBuf;
use std::time::Duration;

fn fixture(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../domain/fixtures/contract").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.trim_end().to_owned()
}

/// A dispatcher whose collector answers first as told.
async fn dispatcher(answers: &[(u16, &'static str)]) -> (Dispatcher, Collector) {
    let collector = Collector::start(answers).await;
    let text = format!("[destinations.collector.http]\nurl = \"{}\"\n[deliver]\nattempts = 1\n", collector.url());
    let config = Config::from_variables([("COMBOIO_CONFIG".to_owned(), text)].into_iter()).unwrap();
    (Dispatcher::new(config), collector)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// The consumer's batch for a request fixture, through its own code.
fn batch(payload: &str) -> OpenBatch {
    let request = Request::decode(payload.as_bytes()).unwrap();
    let head = BatchHead {
        group: request.group.to_string(),
        topic: request.topic.to_string(),
        partition: request.partition,
        lane: request.lane,
        lanes: request.lanes,
        epoch: request.epoch,
        log: request.log.as_ref().map(ToString::to_string),
        since: request.since.map(Offset),
    };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for record in request.records() {
        assert_eq!(batch.push(record.offset, record.timestamp, record.value.as_bytes()), Push::Taken);
    }
    let again = batch.request(request.attempt, request.traceparent.as_deref());
    assert_eq!(String::from_utf8(again).unwrap(), payload, "the consumer would send exactly this");
    batch
}

#[tokio::test]
async fn requests_get_the_responses_of_the_fixtures() {
    let cases = [("mixed", vec![]), ("busy", vec![(429, "slow down")]), ("one", vec![])];
    for (name, answers) in cases {
        let (dispatcher, _collector) = dispatcher(&answers).await;
        let payload = fixture(&format!("{name}.request.json"));
        let response = dispatcher.dispatch(payload.as_bytes(), soon()).await.unwrap();
        let response = serde_json::to_string(&response).unwrap();
        assert_eq!(response, fixture(&format!("{name}.response.json")), "{name}");
        judge(&batch(&payload), response.as_bytes()).unwrap();
    }
}

#[tokio::test]
async fn bad_requests_get_the_errors_of_the_fixtures_and_nothing_is_delivered() {
    let (dispatcher, collector) = dispatcher(&[]).await;
    for name in ["version", "counts", "order", "shape"] {
        let payload = fixture(&format!("{name}.bad-request.json"));
        let bad = dispatcher.dispatch(payload.as_bytes(), soon()).await.unwrap_err();
        let error = serde_json::to_string(&lambda_runtime::Diagnostic::from(Handled::from(bad))).unwrap();
        assert_eq!(error, fixture(&format!("{name}.error.json")), "{name}");
    }
    assert!(collector.received().is_empty());
    assert_eq!(dispatcher.metrics().snapshot().bad_requests, 4);
}
