//! The trace of a batch: one span for its delivery, with links to the records whose journeys are recorded, and what the function gets of it.
//!
//! A batch belongs to no single journey, so its span begins a trace of its own (OpenTelemetry's conventions for messaging).

use crate::batch::Batch;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Link, Span as _, SpanBuilder, SpanKind, Status};
use runtime::traces::{Span, Traceparent, Traces};
use std::time::Duration;

/// So many links at most; the others of a batch that is traced that densely say nothing more.
const MOST_LINKS: usize = 32;

/// See the head of the file. The span ends when this is dropped.
#[derive(Debug)]
pub struct Trace {
    /// `None` while nothing is exported.
    span: Option<Span>,
    context: Option<String>,
}

/// One call, when it is over.
#[derive(Debug, Clone, Copy)]
pub struct CallEnd<'a> {
    pub function: &'a str,
    pub attempt: u32,
    pub records: usize,
    pub latency: Duration,
    /// `ok`, or the class of its failure.
    pub outcome: &'static str,
}

impl Trace {
    pub fn begin(traces: &Traces, batch: &Batch) -> Self {
        match traces.begin(|| describe(batch)) {
            Some(span) => {
                let context = Traceparent::from(span.span_context()).to_string();
                Self { span: Some(span), context: Some(context) }
            }
            // Who records nothing passes on what came: of several journeys the first, for a request has one trace.
            None => Self { span: None, context: batch.kept.traced().next().map(|context| context.to_string()) },
        }
    }

    /// The trace context of the batch's requests.
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    pub fn called(&mut self, call: CallEnd<'_>) {
        let Some(span) = self.span.as_mut().filter(|span| span.is_recording()) else { return };
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let attributes = vec![
            KeyValue::new("faas.invoked_name", call.function.to_owned()),
            KeyValue::new("comboio.attempt", i64::from(call.attempt)),
            KeyValue::new("comboio.records", number(call.records)),
            KeyValue::new("comboio.latency_seconds", call.latency.as_secs_f64()),
            KeyValue::new("comboio.outcome", call.outcome),
        ];
        span.add_event("invoke", attributes);
    }

    /// The delivery ends, and not everything is finished.
    pub fn stopped(&mut self) {
        if let Some(span) = &mut self.span {
            span.set_status(Status::error("stopped before everything was finished"));
        }
    }
}

fn describe(batch: &Batch) -> SpanBuilder {
    let head = batch.records.head();
    let links = batch.kept.traced().take(MOST_LINKS).map(|context| Link::with_context(context.span_context()));
    SpanBuilder::from_name(format!("process {}", head.topic))
        .with_kind(SpanKind::Consumer)
        .with_links(links.collect())
        .with_attributes([
            KeyValue::new("messaging.system", "kafka"),
            KeyValue::new("messaging.operation.name", "process"),
            KeyValue::new("messaging.operation.type", "process"),
            KeyValue::new("messaging.destination.name", head.topic.clone()),
            KeyValue::new("messaging.destination.partition.id", head.partition.to_string()),
            KeyValue::new("messaging.consumer.group.name", head.group.clone()),
            KeyValue::new("messaging.batch.message_count", i64::try_from(batch.len()).unwrap_or(i64::MAX)),
        ])
}
