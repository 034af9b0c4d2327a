//! Steering the host over HTTP, for scripts and for other processes.
//!
//! `POST /_host/functions` deploys; `GET|POST|DELETE /_host/faults` and `DELETE /_host/faults/{id}` script faults; `GET /_host/stats` tells.
//! JSON in and out; what is wrong is answered 400 with `{"error":"..."}`.

use super::engine::Engine;
use super::fault::Rule;
use super::function::Function;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Response, StatusCode};
use axum::routing::{delete, get, post};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;

/// The routes under `/_host/`.
pub fn router(engine: Arc<Engine>) -> Router {
    Router::new()
        .route("/_host/functions", post(deploy))
        .route("/_host/faults", get(faults).post(add_faults).delete(clear_faults))
        .route("/_host/faults/{id}", delete(clear_fault))
        .route("/_host/stats", get(stats))
        .with_state(engine)
}

async fn deploy(State(engine): State<Arc<Engine>>, body: Bytes) -> Response<Body> {
    let deployed = one_or_many::<Function>(&body)
        .and_then(|functions| functions.into_iter().map(|one| engine.deploy(one)).collect::<anyhow::Result<Vec<()>>>());
    answer(deployed.map(|deployed| json!({"deployed": deployed.len()})))
}

async fn add_faults(State(engine): State<Arc<Engine>>, body: Bytes) -> Response<Body> {
    let added = one_or_many::<Rule>(&body).and_then(|rules| engine.add_faults(rules));
    answer(added.map(|ids| json!({"ids": ids})))
}

async fn faults(State(engine): State<Arc<Engine>>) -> Response<Body> {
    answer(serde_json::to_value(engine.standing_faults()).map_err(Into::into))
}

async fn clear_faults(State(engine): State<Arc<Engine>>) -> Response<Body> {
    answer(Ok(json!({"cleared": engine.clear_faults(None)})))
}

async fn clear_fault(State(engine): State<Arc<Engine>>, Path(id): Path<u64>) -> Response<Body> {
    answer(Ok(json!({"cleared": engine.clear_faults(Some(id))})))
}

async fn stats(State(engine): State<Arc<Engine>>) -> Response<Body> {
    answer(serde_json::to_value(engine.stats()).map_err(Into::into))
}

fn one_or_many<T: DeserializeOwned>(body: &[u8]) -> anyhow::Result<Vec<T>> {
    let many = body.trim_ascii_start().starts_with(b"[");
    if many { Ok(serde_json::from_slice(body)?) } else { Ok(vec![serde_json::from_slice(body)?]) }
}

fn answer(result: anyhow::Result<Value>) -> Response<Body> {
    let (status, body) = match result {
        Ok(value) => (StatusCode::OK, value),
        Err(error) => (StatusCode::BAD_REQUEST, json!({"error": format!("{error:#}")})),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}
