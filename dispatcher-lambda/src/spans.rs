//! The spans of a batch: one for the whole, one for each step, and one for each destination in it; made when it is over, from what the steps
//! wrote down. They belong to the caller's trace, and are there when that is recorded.

use crate::laps::{Lap, Laps};
use crate::record::Head;
use domain::contract::Response;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use runtime::traces::{Traceparent, Traces};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Records the batch that is over at `wall_ms` (milliseconds since the epoch); false when its trace is not recorded.
pub fn record(traces: &Traces, head: &Head<'_>, response: &Response, laps: &Laps, wall_ms: i64) -> bool {
    let parent = head.traceparent.and_then(|text| text.parse::<Traceparent>().ok());
    let Some(parent) = parent.filter(|parent| parent.sampled && traces.exports()) else { return false };
    let context = Context::new().with_remote_span_context(parent.span_context());
    let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(wall_ms).unwrap_or(0));
    let began = now - laps.so_far();
    let whole = whole(head, response).with_start_time(began);
    let mut whole = traces.tracer().build_with_context(whole, &context);
    if !response.retry.is_empty() {
        whole.set_status(Status::error(format!("{} records must come again", response.retry.len())));
    }
    let inside = Context::new().with_remote_span_context(whole.span_context().clone());
    for lap in laps.all() {
        part(traces, &lap, began, &inside);
    }
    whole.end_with_timestamp(now);
    true
}

fn whole(head: &Head<'_>, response: &Response) -> SpanBuilder {
    SpanBuilder::from_name(format!("dispatch {}", head.topic)).with_kind(SpanKind::Server).with_attributes([
        KeyValue::new("comboio.batch_id", head.batch_id.to_owned()),
        KeyValue::new("comboio.attempt", i64::from(head.attempt)),
        KeyValue::new("comboio.delivered", number(response.delivered)),
        KeyValue::new("comboio.duplicates", number(response.duplicates)),
        KeyValue::new("comboio.rejected", number(response.rejected.len() as u64)),
        KeyValue::new("comboio.retry", number(response.retry.len() as u64)),
    ])
}

fn part(traces: &Traces, lap: &Lap, began: SystemTime, inside: &Context) {
    let (name, kind) = match &lap.destination {
        Some(destination) => (format!("{} {destination}", lap.step), SpanKind::Client),
        None => (lap.step.to_owned(), SpanKind::Internal),
    };
    let attributes = [
        KeyValue::new("comboio.records", number(lap.records as u64)),
        KeyValue::new("comboio.missed", number(lap.missed as u64)),
    ];
    let builder = SpanBuilder::from_name(name).with_kind(kind).with_attributes(attributes);
    let mut span = traces.tracer().build_with_context(builder.with_start_time(began + lap.from), inside);
    if lap.missed > 0 {
        span.set_status(Status::error(format!("{} records are not there", lap.missed)));
    }
    span.end_with_timestamp(began + lap.from + lap.took);
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How long the answer may wait for the spans to leave: a Lambda instance is frozen after it.
pub const FLUSH: Duration = Duration::from_millis(200);
