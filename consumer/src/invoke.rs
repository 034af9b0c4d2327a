//! Invoke: one synchronous call of the dispatcher for one batch.
//!
//! In: a request's bytes. Out: the response's bytes, or a failure with its class.
//! Never: tries again by itself, or looks into a request or response.

/// One table from AWS's errors to the failure classes.
mod classify;
/// A connection, until nothing comes out of it any more.
mod line;
/// The real one: AWS Lambda, or a host that speaks its API.
pub mod lambda;

use bytes::Bytes;
use domain::failure::FailureClass;
use std::future::Future;
use std::time::Duration;

/// Calls a function. The border to Lambda: tests put a scripted one here.
pub trait Invoker: Send + Sync + 'static {
    /// Calls `function` once and waits for its response. Ends within a deadline of its own; may be dropped at any time.
    fn invoke(&self, function: &str, payload: Bytes) -> impl Future<Output = Result<Bytes, InvokeFailure>> + Send;

    /// Whether `function` is there and may be called; runs nothing.
    fn check(&self, function: &str) -> impl Future<Output = Result<(), InvokeFailure>> + Send;
}

/// Why there is no response. The class decides what happens next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {detail}")]
pub struct InvokeFailure {
    pub class: FailureClass,
    /// For people: what the other side said.
    pub detail: String,
    /// Not before so long, when the other side asks for it.
    pub retry_after: Option<Duration>,
    /// There was no answer in time, of the function or of Lambda; the function may have run.
    pub timed_out: bool,
}

impl InvokeFailure {
    pub fn new(class: FailureClass, detail: impl Into<String>) -> Self {
        Self { class, detail: detail.into(), retry_after: None, timed_out: false }
    }
}
