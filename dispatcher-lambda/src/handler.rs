//! Between Lambda and the dispatcher: one invocation in, one response or one handled error out.

use crate::decode::BadRequest;
use crate::dispatcher::Dispatcher;
use domain::contract::Response;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use runtime::clock::{Clock, SystemClock};
use serde_json::value::RawValue;

/// A payload that is no request of ours: Lambda reports it as a function error of type `BadRequest`.
#[derive(Debug)]
pub struct Handled(BadRequest);

impl From<BadRequest> for Handled {
    fn from(bad: BadRequest) -> Self {
        Self(bad)
    }
}

impl From<Handled> for Diagnostic {
    fn from(handled: Handled) -> Self {
        Self { error_type: "BadRequest".to_owned(), error_message: handled.0.to_string() }
    }
}

/// Answers one invocation.
///
/// # Errors
/// Only for a payload that is no request of our contract.
pub async fn handle(dispatcher: &Dispatcher, event: LambdaEvent<Box<RawValue>>) -> Result<Response, Handled> {
    let (payload, context) = event.into_parts();
    let started = SystemClock.now();
    let deadline = dispatcher.deadline(context.deadline, SystemClock.wall_ms());
    let response = dispatcher.dispatch(payload.get().as_bytes(), deadline).await?;
    tell(&response, &context, started);
    Ok(response)
}

/// One line per invocation: at debug when every record is where it should be.
fn tell(response: &Response, context: &Context, started: std::time::Duration) {
    let (rejected, retry) = (response.rejected.len(), response.retry.len());
    let first = response.retry.first().or(response.rejected.first());
    let why = first.map(|listed| format!("offset {}: {}: {}", listed.offset, listed.reason, listed.detail));
    let (delivered, duplicates) = (response.delivered, response.duplicates);
    let millis = u64::try_from(SystemClock.now().saturating_sub(started).as_millis()).unwrap_or(u64::MAX);
    let (batch_id, request_id) = (&response.batch_id, &context.request_id);
    match why {
        None => tracing::debug!(%batch_id, %request_id, delivered, duplicates, millis, "batch answered"),
        Some(first) => {
            tracing::info!(%batch_id, %request_id, delivered, duplicates, rejected, retry, %first, millis, "batch answered");
        }
    }
}
