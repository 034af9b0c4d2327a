//! Errors of the Invoke API itself, in AWS's REST-JSON form.
//!
//! Status, error type and body are those of <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>. The member
//! is `Message` for ResourceNotFoundException and ServiceException and `message` for the others, as in AWS's model.

use super::function::arn;
use axum::body::Body;
use axum::http::{HeaderValue, Response};
use serde_json::{Map, Value};

/// The most bytes that a synchronous invocation may carry.
pub const MAX_REQUEST_BYTES: usize = 6_291_456;

/// The function's own limit is used up.
pub const REASON_RESERVED: &str = "ReservedFunctionConcurrentInvocationLimitExceeded";
/// The account's limit is used up.
pub const REASON_ACCOUNT: &str = "ConcurrentInvocationLimitExceeded";

/// An invocation that did not reach the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// The `X-Amzn-ErrorType`.
    pub error_type: String,
    pub message: String,
    /// Why it was throttled.
    pub reason: Option<String>,
    /// Seconds, as `Retry-After`.
    pub retry_after_s: Option<u32>,
}

impl Refusal {
    fn new(status: u16, error_type: &str, message: impl Into<String>) -> Self {
        Self { status, error_type: error_type.into(), message: message.into(), reason: None, retry_after_s: None }
    }

    pub fn not_found(name: &str, qualifier: Option<&str>) -> Self {
        let message = format!("Function not found: {}", arn(name, qualifier));
        Self::new(404, "ResourceNotFoundException", message)
    }

    pub fn throttled(reason: &str) -> Self {
        let refusal = Self::new(429, "TooManyRequestsException", "Rate Exceeded.");
        Self { reason: Some(reason.into()), retry_after_s: Some(1), ..refusal }
    }

    pub fn too_large() -> Self {
        let message =
            format!("Request must be smaller than {MAX_REQUEST_BYTES} bytes for the InvokeFunction operation");
        Self::new(413, "RequestTooLargeException", message)
    }

    pub fn content(error: &serde_json::Error) -> Self {
        Self::new(400, "InvalidRequestContentException", format!("Could not parse request body into json: {error}"))
    }

    pub fn parameter(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidParameterValueException", message)
    }

    pub fn service() -> Self {
        Self::new(500, "ServiceException", "Service encountered an internal error.")
    }

    /// What AWS calls a status when nothing more is known.
    pub fn of_status(status: u16) -> Self {
        match status {
            400 => Self::new(400, "InvalidRequestContentException", "Could not parse request body into json."),
            403 => Self::new(403, "AccessDeniedException", "User is not authorized to perform: lambda:InvokeFunction"),
            404 => Self::not_found("unknown", None),
            413 => Self::too_large(),
            429 => Self::throttled(REASON_ACCOUNT),
            502 => Self::new(502, "EC2ThrottledException", "Lambda was throttled by Amazon EC2 during initialization."),
            503 => Self::new(503, "ServiceUnavailableException", "Service is unavailable."),
            500 => Self::service(),
            other => Self::new(other, "UnknownException", "An error was ordered."),
        }
    }

    fn body(&self) -> Value {
        let named = matches!(self.error_type.as_str(), "ResourceNotFoundException" | "ServiceException");
        let mut body = Map::new();
        if let Some(reason) = &self.reason {
            body.insert("Reason".into(), reason.as_str().into());
        }
        body.insert("Type".into(), if self.status < 500 { "User" } else { "Service" }.into());
        body.insert(if named { "Message" } else { "message" }.into(), self.message.as_str().into());
        Value::Object(body)
    }

    /// The HTTP answer.
    pub fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body().to_string()));
        *response.status_mut() = axum::http::StatusCode::from_u16(self.status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        if let Ok(value) = HeaderValue::from_str(&self.error_type) {
            headers.insert("x-amzn-errortype", value);
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert("retry-after", seconds.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::{REASON_RESERVED, Refusal};

    #[test]
    fn a_throttle_says_why_and_when_to_come_back() {
        let refusal = Refusal::throttled(REASON_RESERVED);
        let want = r#"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
        assert_eq!(refusal.body().to_string(), want);
        assert_eq!(refusal.response().headers()["retry-after"], "1");
        assert_eq!(refusal.response().headers()["x-amzn-errortype"], "TooManyRequestsException");
    }

    #[test]
    fn a_missing_function_is_named_by_its_arn() {
        let body = Refusal::not_found("nope", None).body().to_string();
        let want =
            r#"{"Message":"Function not found: arn:aws:lambda:us-east-1:000000000000:function:nope","Type":"User"}"#;
        assert_eq!(body, want);
    }
}
