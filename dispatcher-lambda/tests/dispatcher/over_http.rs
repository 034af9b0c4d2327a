//! The HTTP destination against a real port, through the whole dispatcher.

use crate::collector::Collector;
use crate::requests::{batch, event, judged, listed};
use dispatcher_lambda::config::Config;
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dispatcher::Dispatcher;
use std::time::Duration;

fn dispatcher(url: &str, more: &str) -> Dispatcher {
    let text = format!("[destinations.collector.http]\nurl = \"{url}\"\n{more}");
    Dispatcher::new(Config::from_variables([("COMBOIO_CONFIG".to_owned(), text)].into_iter()).unwrap())
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

const ONE_ATTEMPT: &str = "[deliver]\nattempts = 1\n";

#[tokio::test]
async fn one_post_carries_the_batch_line_by_line() {
    let collector = Collector::start(&[]).await;
    let dispatcher = dispatcher(collector.url(), "");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let values = [event("BR00001", 1), event("BR00001", 2)];
    let batch = batch(&values);
    let response = dispatcher.dispatch(&batch.request(4, Some(trace)), soon()).await.unwrap();
    assert_eq!(judged(&batch, &response).delivered, 2);
    let received = collector.received();
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].batch_id.as_str(), received[0].attempt.as_str()), ("mt-c400/3/100-101", "4"));
    assert_eq!(received[0].content_type, "application/x-ndjson");
    assert_eq!(received[0].traceparent.as_deref(), Some(trace));
    assert_eq!(received[0].lines, values);
}

#[tokio::test]
async fn each_kind_of_answer_has_its_verdict() {
    for (status, kind, reason) in [
        (500, "retry", "transient"),
        (503, "retry", "transient"),
        (429, "retry", "throttled"),
        (404, "retry", "ours"),
        (302, "retry", "ours"),
        (422, "rejected", "rejected"),
        (400, "rejected", "rejected"),
        (413, "rejected", "too-large"),
    ] {
        let collector = Collector::start(&[(status, "because")]).await;
        let dispatcher = dispatcher(collector.url(), ONE_ATTEMPT);
        let batch = batch(&[event("BR00001", 1)]);
        let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
        let judgement = judged(&batch, &response);
        let list = if kind == "retry" { &judgement.retry } else { &judgement.rejected };
        assert_eq!(listed(list), [format!("100:{reason}")], "{status}");
        assert!(list[0].detail.starts_with(&format!("collector: HTTP {status}")), "{}", list[0].detail);
        assert!(list[0].detail.ends_with(": because"), "{}", list[0].detail);
    }
}

#[tokio::test]
async fn a_busy_collector_is_asked_again_within_the_invocation() {
    let collector = Collector::start(&[(429, ""), (503, "")]).await;
    let dispatcher = dispatcher(collector.url(), "[deliver]\nbackoff = \"1ms\"\n");
    let batch = batch(&[event("BR00001", 1)]);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    assert_eq!(judged(&batch, &response).delivered, 1);
}

#[tokio::test]
async fn only_the_poison_is_rejected() {
    let collector = Collector::start(&[]).await;
    let dispatcher = dispatcher(collector.url(), "");
    let mut values: Vec<String> = (1..=20).map(|seq| event("BR00001", seq)).collect();
    values[7] = values[7].replace("\"v\":1", "\"v\":1,\"note\":\"poison\"");
    let batch = batch(&values);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!((judgement.delivered, listed(&judgement.rejected)), (19, vec!["107:rejected".to_owned()]));
    values.remove(7);
    let lines: Vec<String> = collector.received().into_iter().flat_map(|post| post.lines).collect();
    assert_eq!(lines, values, "in order");
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_a_retry() {
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", gone.local_addr().unwrap());
    drop(gone);
    let dispatcher = dispatcher(&url, "[deliver]\nattempts = 2\nbackoff = \"1ms\"\n");
    let batch = batch(&[event("BR00001", 1), event("BR00002", 1)]);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!(listed(&judgement.retry), ["100:transient", "101:transient"]);
    assert!(judgement.retry[0].detail.contains("refused"), "{}", judgement.retry[0].detail);
}

#[tokio::test]
async fn a_collector_that_never_answers_is_a_retry_in_time() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let dispatcher = dispatcher(&url, "batch.timeout = \"100ms\"\n[deliver]\nattempts = 2\nbackoff = \"1ms\"\n");
    let batch = batch(&[event("BR00001", 1)]);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    let judgement = judged(&batch, &response);
    assert_eq!(judgement.retry[0].detail, "collector: no answer within 100ms");
}

#[tokio::test]
async fn the_file_and_the_collector_hold_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("events.ndjson");
    let collector = Collector::start(&[]).await;
    let dispatcher =
        dispatcher(collector.url(), &format!("[destinations.audit.file]\npath = \"{}\"\n", path.display()));
    let values = [event("BR00001", 1), event("BR00001", 2)];
    let batch = batch(&values);
    let response = dispatcher.dispatch(&batch.request(1, None), soon()).await.unwrap();
    assert_eq!(judged(&batch, &response).delivered, 2);
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), values);
    assert_eq!(collector.received()[0].lines, values);
}
