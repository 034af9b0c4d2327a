//! The trace of a batch: its span, its links to the records that are traced, and what the function gets of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "pipeline/rig.rs"]
mod rig;

use consumer::record::Headers;
use domain::failure::FailureClass;
use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use rig::{Answer, Rig, settings};
use runtime::traces::{Traceparent, Traces};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

/// Keeps what ends; clones are the same.
#[derive(Debug, Clone, Default)]
struct Spans(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Spans {
    async fn export(&self, ended: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(ended);
        Ok(())
    }
}

impl Spans {
    fn all(&self) -> Vec<SpanData> {
        self.0.lock().unwrap().clone()
    }

    fn rig(&self, records: usize, share: f64) -> Rig {
        let mut rig = Rig::traced(settings(1, records), Traces::into(self.clone(), share));
        rig.assign(&[0]);
        rig
    }
}

/// A trace context with this number for its trace.
fn context(trace: u8, flags: &str) -> String {
    format!("00-0af7651916cd43dd8448eb211c8031{trace:02x}-b7ad6b7169203331-{flags}")
}

fn headers(trace: u8, flags: &str) -> Headers {
    vec![("x".into(), None), ("traceparent".into(), Some(context(trace, flags).into_bytes()))]
}

fn of(span: &SpanData) -> String {
    Traceparent::from(&span.span_context).to_string()
}

fn links(span: &SpanData) -> Vec<String> {
    span.links.iter().map(|link| Traceparent::from(&link.span_context).to_string()).collect()
}

fn attribute(attributes: &[opentelemetry::KeyValue], key: &str) -> Option<Value> {
    attributes.iter().find(|one| one.key.as_str() == key).map(|one| one.value.clone())
}

#[tokio::test(start_paused = true)]
async fn the_function_gets_the_context_of_the_batch_s_span_which_links_to_the_records_that_are_traced() {
    let spans = Spans::default();
    let mut rig = spans.rig(4, 0.0);
    rig.receive(0, 0..1);
    rig.receive_with(0, 1, headers(1, "01"));
    rig.receive_with(0, 2, headers(2, "00"));
    rig.receive_with(0, 3, headers(3, "01"));
    rig.turn().await;
    let (calls, spans) = (rig.calls(), spans.all());
    assert_eq!((calls.len(), spans.len()), (1, 1));
    let span = &spans[0];
    assert_eq!(links(span), [context(1, "01"), context(3, "01")]);
    assert_eq!(calls[0].traceparent, Some(of(span)), "the function goes on from here");
    assert_eq!((span.name.as_ref(), &span.span_kind, &span.status), ("process t", &SpanKind::Consumer, &Status::Unset));
    for (key, value) in [
        ("messaging.system", Value::from("kafka")),
        ("messaging.destination.name", "t".into()),
        ("messaging.destination.partition.id", "0".into()),
        ("messaging.consumer.group.name", "g".into()),
        ("messaging.batch.message_count", 4.into()),
    ] {
        assert_eq!(attribute(&span.attributes, key), Some(value), "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_is_an_event_of_the_one_span_of_its_batch() {
    let spans = Spans::default();
    let mut rig = spans.rig(2, 1.0);
    rig.script([Answer::Fail(FailureClass::Throttled), Answer::Fail(FailureClass::TooLarge)]);
    rig.receive(0, 0..2);
    rig.pass(SECOND * 5).await;
    let (calls, spans) = (rig.calls(), spans.all());
    assert_eq!((calls.len(), spans.len()), (4, 1), "twice whole, then its halves");
    assert!(calls.iter().all(|call| call.traceparent == Some(of(&spans[0]))), "{calls:?}");
    let events: Vec<_> = spans[0].events.iter().map(|event| (event.name.as_ref(), &event.attributes)).collect();
    let shown = |(name, all): &(&str, &Vec<opentelemetry::KeyValue>)| {
        let text = |key| attribute(all, key).unwrap().to_string();
        format!("{name} {} {} {}", text("comboio.attempt"), text("comboio.records"), text("comboio.outcome"))
    };
    assert_eq!(
        events.iter().map(shown).collect::<Vec<_>>(),
        ["invoke 1 2 throttled", "invoke 2 2 too-large", "invoke 3 1 ok", "invoke 3 1 ok"]
    );
    assert_eq!(rig.commit(), [(0, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_without_traced_records_is_recorded_for_its_share_and_the_function_is_told_so() {
    for (share, flags) in [(0.0, "00"), (1.0, "01")] {
        let spans = Spans::default();
        let mut rig = spans.rig(2, share);
        rig.receive(0, 0..2);
        rig.turn().await;
        let told = rig.calls()[0].traceparent.clone().unwrap();
        assert!(told.ends_with(&format!("-{flags}")), "{told}");
        assert_eq!(spans.all().len(), share as usize);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_links_to_no_more_records_than_help() {
    let spans = Spans::default();
    let mut rig = spans.rig(100, 0.0);
    (0..100).for_each(|n| rig.receive_with(0, i64::from(n), headers(n, "01")));
    rig.turn().await;
    let linked = links(&spans.all()[0]);
    assert_eq!(linked, (0..32).map(|n| context(n, "01")).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_is_stopped_says_so() {
    let spans = Spans::default();
    let mut rig = spans.rig(2, 1.0);
    rig.script([Answer::Fail(FailureClass::Transient), Answer::Fail(FailureClass::Transient)]);
    rig.receive(0, 0..2);
    rig.turn().await;
    assert!(spans.all().is_empty(), "it is under way");
    rig.revoke(&[0]);
    rig.pass(SECOND).await;
    assert_eq!(spans.all()[0].status, Status::error("stopped before everything was finished"));
}

#[tokio::test(start_paused = true)]
async fn who_records_nothing_passes_on_the_first_context_that_came_and_makes_none_up() {
    let mut rig = Rig::new(settings(1, 3));
    rig.assign(&[0]);
    rig.receive_with(0, 0, headers(1, "00"));
    rig.receive_with(0, 1, headers(2, "01"));
    rig.receive_with(0, 2, headers(3, "01"));
    rig.receive(0, 3..6);
    rig.pass(SECOND).await;
    let told: Vec<_> = rig.calls().into_iter().map(|call| call.traceparent).collect();
    assert_eq!(told, [Some(context(2, "01")), None]);
}
