//! An HTTP collector on a port of its own, with scripted answers.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// One POST as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub batch_id: String,
    pub attempt: String,
    pub content_type: String,
    pub traceparent: Option<String>,
    pub lines: Vec<String>,
}

#[derive(Clone, Default)]
struct Shared {
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<(u16, &'static str)>>>,
}

/// Answers with the scripted statuses and bodies (0: never), then with 204; a line with `poison` gets the whole POST a 422.
pub struct Collector {
    shared: Shared,
    url: String,
    server: tokio::task::JoinHandle<()>,
}

impl Collector {
    pub async fn start(answers: &[(u16, &'static str)]) -> Self {
        let shared = Shared::default();
        shared.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/deliveries", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/deliveries", post(receive)).with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, url, server }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every POST that was answered with 2xx.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(State(shared): State<Shared>, headers: HeaderMap, body: String) -> Response {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    if body.contains("poison") {
        return (StatusCode::UNPROCESSABLE_ENTITY, "a line is poison").into_response();
    }
    let scripted = shared.answers.lock().unwrap().pop_front();
    if let Some((status, said)) = scripted
        && !(200..300).contains(&status)
    {
        if status == 0 {
            return std::future::pending().await;
        }
        return (StatusCode::from_u16(status).unwrap(), [("retry-after", "0")], said).into_response();
    }
    assert!(body.ends_with('\n'));
    shared.received.lock().unwrap().push(Received {
        batch_id: text("comboio-batch-id").unwrap(),
        attempt: text("comboio-attempt").unwrap(),
        content_type: text("content-type").unwrap(),
        traceparent: text("traceparent"),
        lines: body.lines().map(str::to_owned).collect(),
    });
    StatusCode::NO_CONTENT.into_response()
}
