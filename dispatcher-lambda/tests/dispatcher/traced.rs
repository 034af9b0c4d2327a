//! The spans of a batch whose trace is recorded: the whole, its steps, and each destination.

use crate::requests::{batch, event};
use crate::scripted::{Act, Scripted, config};
use dispatcher_lambda::deadline::Deadline;
use dispatcher_lambda::dispatcher::Dispatcher;
use dispatcher_lambda::record::Need;
use dispatcher_lambda::telemetry::Telemetry;
use domain::failure::FailureClass::Transient;
use opentelemetry::trace::{SpanId, Status};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use runtime::traces::Traces;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

/// Keeps what ends; clones are the same.
#[derive(Debug, Clone, Default)]
struct Spans(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Spans {
    async fn export(&self, ended: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(ended);
        Ok(())
    }
}

async fn spans(flags: &str) -> Vec<SpanData> {
    let exporter = Spans::default();
    let (destination, _) = Scripted::new(vec![Act::Part(vec![1], Transient)], Act::Take, 10);
    let config = config(vec![(Box::new(destination), Need::Required)], 1);
    let dispatcher = Dispatcher::told(config, Telemetry::traced(Traces::into(exporter.clone(), 0.0)));
    let batch = batch(&[event("BR00001", 1), event("BR00002", 1)]);
    let payload = batch.request(3, Some(&format!("00-{TRACE}-{SPAN}-{flags}")));
    dispatcher.dispatch(&payload, Deadline::after(Duration::from_secs(5))).await.unwrap();
    exporter.0.lock().unwrap().clone()
}

#[tokio::test]
async fn a_recorded_batch_has_spans_for_the_whole_the_steps_and_the_destinations() {
    let spans = spans("01").await;
    let mut names: Vec<&str> = spans.iter().map(|span| span.name.as_ref()).collect();
    names.sort_unstable();
    assert_eq!(names, ["dedupe", "deliver", "deliver collector", "dispatch mt-c400", "remember", "validate"]);
    assert!(spans.iter().all(|span| span.span_context.trace_id().to_string() == TRACE));
    let whole = spans.iter().find(|span| span.name == "dispatch mt-c400").unwrap();
    assert_eq!(whole.parent_span_id, SpanId::from_hex(SPAN).unwrap(), "the caller's span");
    let said: Vec<String> = whole.attributes.iter().map(|said| format!("{}={}", said.key, said.value)).collect();
    assert!(said.contains(&"comboio.batch_id=mt-c400/3/100-101".to_owned()), "{said:?}");
    assert!(said.contains(&"comboio.attempt=3".to_owned()) && said.contains(&"comboio.retry=1".to_owned()));
    for part in spans.iter().filter(|span| span.name != whole.name) {
        assert_eq!(part.parent_span_id, whole.span_context.span_id(), "{}", part.name);
        assert!(
            whole.start_time <= part.start_time && part.end_time <= whole.end_time + Duration::from_millis(2),
            "{}",
            part.name
        );
    }
    let destination = spans.iter().find(|span| span.name == "deliver collector").unwrap();
    assert_eq!(destination.status, Status::error("1 records are not there"));
}

#[tokio::test]
async fn a_batch_that_is_not_recorded_has_none() {
    assert!(spans("00").await.is_empty());
}
