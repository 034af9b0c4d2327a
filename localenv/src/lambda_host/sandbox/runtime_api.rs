//! The Lambda Runtime API as one `bootstrap` process sees it: next, response, error, init error.
//!
//! In: the process's requests on a port that is its own. Out: events from its slot, reports into it.
//! Never: serves two processes, or looks into payloads. Paths, headers and statuses are those of
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use super::super::answer::MAX_RESPONSE_BYTES;
use super::slot::{Event, Report, Slot};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::routing::{get, post};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A runtime that sends more than this at once is cut off before its 413.
const MAX_UPLOAD_BYTES: usize = 64 << 20;

/// The routes of one process.
pub fn router(slot: Arc<Slot>) -> Router {
    Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(slot)
}

async fn next(State(slot): State<Arc<Slot>>) -> Response<Body> {
    let event = slot.next().await;
    let deadline = SystemTime::now() + event.timeout;
    let deadline_ms = deadline.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let Event { request_id, arn, trace_id, payload, .. } = event;
    let mut answer = Response::new(Body::from(payload));
    let headers = answer.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let texts = [
        ("lambda-runtime-aws-request-id", request_id),
        ("lambda-runtime-deadline-ms", deadline_ms.to_string()),
        ("lambda-runtime-invoked-function-arn", arn),
        ("lambda-runtime-trace-id", trace_id),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
    answer
}

async fn response(State(slot): State<Arc<Slot>>, Path(id): Path<String>, body: Body) -> Response<Body> {
    let Ok(bytes) = to_bytes(body, MAX_UPLOAD_BYTES).await else { return too_large(&slot, &id) };
    if bytes.len() > MAX_RESPONSE_BYTES {
        return too_large(&slot, &id);
    }
    accepted(slot.report(&id, Report::Response(bytes)))
}

async fn error(State(slot): State<Arc<Slot>>, Path(id): Path<String>, bytes: Bytes) -> Response<Body> {
    accepted(slot.report(&id, Report::Error(bytes)))
}

async fn init_error(State(slot): State<Arc<Slot>>, bytes: Bytes) -> Response<Body> {
    slot.init_failed(bytes);
    accepted(true)
}

fn too_large(slot: &Slot, id: &str) -> Response<Body> {
    slot.report(id, Report::ResponseTooLarge);
    let body = format!(
        r#"{{"errorMessage":"Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).","errorType":"RequestEntityTooLarge"}}"#
    );
    json(StatusCode::PAYLOAD_TOO_LARGE, body)
}

/// A report about an event that does not run here is refused, as AWS does for a stale one.
fn accepted(known: bool) -> Response<Body> {
    if known {
        return json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#.into());
    }
    json(StatusCode::BAD_REQUEST, r#"{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}"#.into())
}

fn json(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}
