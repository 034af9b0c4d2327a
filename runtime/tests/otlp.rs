//! Metrics and spans reach an OTLP/HTTP receiver; one that does not answer holds nothing up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use opentelemetry::trace::{Span, SpanBuilder, TraceContextExt, Tracer};
use runtime::config::{Settings, Span as Time};
use runtime::metrics::{Metrics, MetricsConfig, MetricsRaw};
use runtime::traces::{Traces, TracesConfig, TracesRaw};

/// Takes one request: its first line and its body.
fn receiver() -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let lines: Vec<String> =
            reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
        let length =
            lines.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok()).unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        reader.into_inner().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        sender.send((lines[0].clone(), body)).unwrap();
    });
    (endpoint, requests)
}

fn holds(body: &[u8], text: &str) -> bool {
    body.windows(text.len()).any(|window| window == text.as_bytes())
}

fn metrics(endpoint: String) -> Metrics {
    let raw = MetricsRaw { otlp_endpoint: endpoint, otlp_interval: Time::from_secs(3600) };
    Metrics::start(&MetricsConfig::validate(&Settings::default(), &raw).unwrap(), "comboio-test").unwrap()
}

#[test]
fn metrics_are_exported_at_the_end_with_the_service_name() {
    let (endpoint, requests) = receiver();
    let metrics = metrics(endpoint);
    metrics.counter("comboio_test_send_records", "records", &[("topic", "mt-c400")]).add(3);
    metrics.stop(Duration::from_secs(20));
    let (line, body) = requests.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(line, "POST /v1/metrics HTTP/1.1");
    for text in ["comboio_test_send_records", "mt-c400", "comboio-test"] {
        assert!(holds(&body, text), "{text} is missing");
    }
}

#[test]
fn spans_of_sampled_parents_are_exported_and_others_are_not() {
    let (endpoint, requests) = receiver();
    let raw = TracesRaw { otlp_endpoint: endpoint, sample_ratio: 1.0 };
    let traces = Traces::start(&TracesConfig::validate(&Settings::default(), &raw).unwrap(), "comboio-test").unwrap();
    let parent = traces.sample().unwrap();
    let mut unsampled = parent;
    unsampled.sampled = false;
    for (name, parent) in [("invoke recorded", parent), ("invoke hidden", unsampled)] {
        let context = opentelemetry::Context::new().with_remote_span_context(parent.span_context());
        traces.tracer().build_with_context(SpanBuilder::from_name(name), &context).end();
    }
    traces.stop(Duration::from_secs(20));
    let (line, body) = requests.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(line, "POST /v1/traces HTTP/1.1");
    assert!(holds(&body, "invoke recorded") && !holds(&body, "invoke hidden"));
    assert!(body.windows(16).any(|window| window == parent.trace_id.to_bytes()));
}

#[test]
fn a_receiver_that_never_answers_holds_the_end_no_longer_than_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let metrics = metrics(format!("http://{}", silent.local_addr().unwrap()));
    metrics.counter("comboio_test_send_records", "records", &[]).add(3);
    let started = Instant::now();
    metrics.stop(Duration::from_millis(200));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[test]
fn metrics_stay_readable_when_nobody_receives_them() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let metrics = metrics(format!("http://{closed}"));
    metrics.counter("comboio_test_send_records", "records", &[]).add(3);
    assert!(metrics.render().contains("comboio_test_send_records 3\n"));
    metrics.stop(Duration::from_secs(20));
}
