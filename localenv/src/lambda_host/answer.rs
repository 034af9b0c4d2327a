//! What an invocation comes to, and its form on the wire.
//!
//! In AWS a function error is an HTTP 200 with `X-Amz-Function-Error`. Custom runtimes only ever produce `Unhandled`;
//! `Handled` is what some managed runtimes once answered, so this host never does.

use super::function::VERSION;
use super::refusal::Refusal;
use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use serde_json::{Value, json};
use std::time::Duration;

/// The most bytes that a function may answer; the 100 on top of 6 MiB are AWS's, and its error message names this number.
pub const MAX_RESPONSE_BYTES: usize = 6_291_556;

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The function's response, byte for byte.
    Success(Bytes),
    /// HTTP 200 and a failed function.
    FunctionError(FunctionError),
    /// The function was not reached.
    Refused(Refusal),
    /// A dry run that would have been allowed.
    WouldRun,
    /// No answer: the connection is reset.
    Reset,
}

/// A failure inside the function or of its process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    pub error_type: String,
    /// The JSON that AWS answers with.
    pub body: Bytes,
}

impl FunctionError {
    pub fn new(error_type: &str, message: &str) -> Self {
        let body = json!({"errorType": error_type, "errorMessage": message}).to_string();
        Self { error_type: error_type.into(), body: body.into() }
    }

    /// What the runtime reported itself, passed on as it is.
    pub fn reported(body: Bytes) -> Self {
        let named = serde_json::from_slice::<Value>(&body).ok();
        let error_type = named.as_ref().and_then(|v| v["errorType"].as_str()).unwrap_or("Runtime.UnknownReason");
        Self { error_type: error_type.into(), body }
    }

    pub fn timed_out(request_id: &str, timeout: Duration) -> Self {
        let seconds = timeout.as_secs_f64();
        let message = format!("RequestId: {request_id} Error: Task timed out after {seconds:.2} seconds");
        Self::new("Sandbox.Timedout", &message)
    }

    /// `how` is "exit status 3" or "signal: killed"; `None` for a clean exit.
    pub fn exited(request_id: &str, how: Option<&str>) -> Self {
        let message = match how {
            Some(how) => format!("RequestId: {request_id} Error: Runtime exited with error: {how}"),
            None => format!("RequestId: {request_id} Error: Runtime exited without providing a reason"),
        };
        Self::new("Runtime.ExitError", &message)
    }

    pub fn no_entrypoint(request_id: &str, why: &str) -> Self {
        Self::new("Runtime.InvalidEntrypoint", &format!("RequestId: {request_id} Error: {why}"))
    }

    pub fn response_too_large() -> Self {
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).");
        Self::new("Function.ResponseSizeTooLarge", &message)
    }
}

impl Answer {
    /// The word under which it is counted: `success`, an AWS error type, `dry-run` or `connection-reset`.
    pub fn outcome(&self) -> &str {
        match self {
            Self::Success(_) => "success",
            Self::FunctionError(error) => &error.error_type,
            Self::Refused(refusal) => &refusal.error_type,
            Self::WouldRun => "dry-run",
            Self::Reset => "connection-reset",
        }
    }

    /// The HTTP answer. For `Reset` it is never seen: the caller cuts the line.
    pub fn response(self, request_id: &str) -> Response<Body> {
        let mut response = match self {
            Self::Success(bytes) => ok(bytes, false),
            Self::FunctionError(error) => ok(error.body, true),
            Self::Refused(refusal) => refusal.response(),
            Self::WouldRun | Self::Reset => status(StatusCode::NO_CONTENT),
        };
        if let Ok(id) = HeaderValue::from_str(request_id) {
            response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
        }
        response
    }
}

fn ok(bytes: Bytes, failed: bool) -> Response<Body> {
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-amz-executed-version", HeaderValue::from_static(VERSION));
    if failed {
        headers.insert("x-amz-function-error", HeaderValue::from_static("Unhandled"));
    }
    response
}

fn status(code: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = code;
    response
}

#[cfg(test)]
mod tests {
    use super::{Answer, FunctionError};
    use std::time::Duration;

    #[test]
    fn the_timeout_reads_as_aws_writes_it() {
        let error = FunctionError::timed_out("id", Duration::from_secs(3));
        let want = r#"{"errorMessage":"RequestId: id Error: Task timed out after 3.00 seconds","errorType":"Sandbox.Timedout"}"#;
        assert_eq!(error.body, want);
    }

    #[test]
    fn a_reported_error_keeps_its_bytes_and_names_its_type() {
        let error = FunctionError::reported(r#"{"errorType":"Boom","errorMessage":"x","more":1}"#.into());
        assert_eq!(error.error_type, "Boom");
        assert!(error.body.ends_with(br#""more":1}"#));
        assert_eq!(FunctionError::reported("no json".into()).error_type, "Runtime.UnknownReason");
    }

    #[test]
    fn only_a_failed_function_carries_the_header() {
        let failed = Answer::FunctionError(FunctionError::exited("id", Some("exit status 3"))).response("id");
        assert_eq!(failed.status(), 200);
        assert_eq!(failed.headers()["x-amz-function-error"], "Unhandled");
        let fine = Answer::Success("{}".into()).response("id");
        assert!(!fine.headers().contains_key("x-amz-function-error"));
    }
}
