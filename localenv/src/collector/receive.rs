//! The collector's HTTP: deliveries on every path, and its own questions under `/_collector/`.
//!
//! *In*: `POST`, one event a line, headers `comboio-batch-id` and `comboio-attempt`. *Out*: 204 when every line is taken down, 400 with
//! the line that is no event, 500 when the file cannot be written, or what was ordered. *Never*: takes down a part of a request.

use super::book::{Book, arrivals};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

const MAX_UPLOAD_BYTES: usize = 64 << 20;

/// The book, shared.
pub type Shared = Arc<Mutex<Book>>;

/// What goes wrong on command, `POST /_collector/faults`; what is left out is taken back.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    #[serde(default)]
    forget_every: Option<u64>,
    #[serde(default)]
    refuse: Option<Refuse>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refuse {
    status: u16,
    count: u64,
}

/// All routes.
pub fn router(book: Shared) -> Router {
    Router::new()
        .route("/_collector/snapshot", get(snapshot))
        .route("/_collector/faults", post(faults))
        .fallback(post(receive))
        .with_state(book)
}

/// The book, whatever happened to the one who held it before.
pub fn lock(book: &Shared) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(State(book): State<Shared>, headers: HeaderMap, body: Body) -> Response<Body> {
    let Ok(body) = to_bytes(body, MAX_UPLOAD_BYTES).await else { return answer(413, "") };
    let mut hanging = lock(&book).hanging();
    // Without an end to wait for when the collector is gone.
    let _ = hanging.wait_for(|hangs| !hangs).await;
    if let Some(ordered) = lock(&book).refusal() {
        return answer(ordered, "ordered");
    }
    let batch_id = headers.get("comboio-batch-id").and_then(|value| value.to_str().ok());
    match arrivals(&body) {
        Err(what) => {
            lock(&book).bad_request();
            answer(400, &what)
        }
        Ok(arrivals) => match lock(&book).record(&arrivals, batch_id, now_ms()) {
            Ok(()) => answer(204, ""),
            Err(error) => answer(500, &error.to_string()),
        },
    }
}

async fn snapshot(State(book): State<Shared>) -> Response<Body> {
    let snapshot = lock(&book).snapshot();
    match serde_json::to_string(&snapshot) {
        Ok(text) => answer(200, &text),
        Err(error) => answer(500, &error.to_string()),
    }
}

async fn faults(State(book): State<Shared>, body: Bytes) -> Response<Body> {
    let ordered: Faults = match serde_json::from_slice(&body) {
        Ok(ordered) => ordered,
        Err(error) => return answer(400, &error.to_string()),
    };
    let mut book = lock(&book);
    book.forget_every(ordered.forget_every);
    match ordered.refuse {
        Some(Refuse { status, count }) => book.refuse(status, count),
        None => book.refuse(0, 0),
    }
    answer(204, "")
}

fn answer(status: u16, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
