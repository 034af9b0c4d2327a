//! Between Lambda and the dispatcher: one invocation in, one response or one handled error out.

use crate::decode::BadRequest;
use crate::dispatcher::Dispatcher;
use crate::event_source::{BatchItemFailures, is_event};
use domain::contract::Response;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use runtime::clock::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;

/// What the caller gets: our consumer, or AWS's event source mapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Consumer(Response),
    EventSource(BatchItemFailures),
}

/// Told to Lambda as a function error, with its type: `BadRequest` for a payload that is no request of ours and no event,
/// `BatchItemFailures` for an event with failed records that shall fail as a whole.
#[derive(Debug)]
pub struct Handled {
    error_type: &'static str,
    sentence: String,
}

impl From<BadRequest> for Handled {
    fn from(bad: BadRequest) -> Self {
        Self { error_type: "BadRequest", sentence: bad.to_string() }
    }
}

impl From<Handled> for Diagnostic {
    fn from(handled: Handled) -> Self {
        Self { error_type: handled.error_type.to_owned(), error_message: handled.sentence }
    }
}

/// Answers one invocation.
///
/// # Errors
/// See [`Handled`].
pub async fn handle(dispatcher: &Dispatcher, event: LambdaEvent<Box<RawValue>>) -> Result<Answer, Handled> {
    let (payload, context) = event.into_parts();
    let started = SystemClock.now();
    let deadline = dispatcher.deadline(context.deadline, SystemClock.wall_ms());
    let payload = payload.get().as_bytes();
    if !is_event(payload) {
        let response = dispatcher.dispatch(payload, deadline).await?;
        tell(&response, payload, &context, started);
        return Ok(Answer::Consumer(response));
    }
    let settled = dispatcher.dispatch_event(payload, deadline).await?;
    for response in &settled.responses {
        tell(response, b"", &context, started);
    }
    let failed = settled.failures.batch_item_failures.len();
    if failed > 0 && dispatcher.fails_whole_events() {
        let sentence = format!("{failed} records failed, the first {}", settled.first_failure.unwrap_or_default());
        return Err(Handled { error_type: "BatchItemFailures", sentence });
    }
    Ok(Answer::EventSource(settled.failures))
}

/// One line per invocation: at debug when every record is where it should be.
fn tell(response: &Response, payload: &[u8], context: &Context, started: Duration) {
    let (rejected, retry) = (response.rejected.len(), response.retry.len());
    let first = response.retry.first().or(response.rejected.first());
    let why = first.map(|listed| format!("offset {}: {}: {}", listed.offset, listed.reason, listed.detail));
    let (delivered, duplicates) = (response.delivered, response.duplicates);
    let millis = u64::try_from(SystemClock.now().saturating_sub(started).as_millis()).unwrap_or(u64::MAX);
    let (batch_id, request_id) = (&response.batch_id, &context.request_id);
    match why {
        None => {
            tracing::debug!(%batch_id, %request_id, traceparent = traceparent(payload), delivered, duplicates, millis, "batch answered")
        }
        Some(first) => {
            tracing::info!(%batch_id, %request_id, traceparent = traceparent(payload), delivered, duplicates, rejected, retry, %first, millis, "batch answered");
        }
    }
}

/// The trace context of a request, for a line that is written.
fn traceparent(payload: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Traced {
        #[serde(default)]
        traceparent: Option<String>,
    }
    serde_json::from_slice::<Traced>(payload).ok()?.traceparent
}
