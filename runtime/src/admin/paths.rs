//! What the admin port answers.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::AdminParts;
use crate::health::Checkup;

/// /livez, /readyz, /metrics, /status, and the service's controls.
pub(super) fn router(parts: AdminParts) -> Router {
    let AdminParts { health, metrics, status, controls } = parts;
    let live = health.clone();
    let ready = health;
    Router::new()
        .route("/livez", get(move || async move { checked(&live.live()) }))
        .route("/readyz", get(move || async move { checked(&ready.ready()) }))
        .route(
            "/metrics",
            get(move || async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4")], metrics.render()) }),
        )
        .route("/status", get(move || async move { json(StatusCode::OK, &status()) }))
        .merge(controls)
        .fallback(nothing_here)
}

/// 200, or 503 with the names of what is wrong.
fn checked(checkup: &Checkup) -> Response {
    let status = if checkup.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json(status, checkup)
}

async fn nothing_here() -> Response {
    let error = "no such path: /livez, /readyz, /metrics, /status and the controls of this service are here";
    json(StatusCode::NOT_FOUND, &serde_json::json!({ "error": error }))
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => (status, [(CONTENT_TYPE, "application/json")], text + "\n").into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
