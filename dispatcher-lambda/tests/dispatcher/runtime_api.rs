//! Lambda's Runtime API on a port of its own, and the real `bootstrap` at it.
//! Source of the paths and headers: AWS Lambda developer guide, "Using the Lambda runtime API".

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the process told the Runtime API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It asks for the next invocation: the cold start is over, or the last one is answered.
    Next,
    Response(String),
    Error(String),
    InitError(String),
}

#[derive(Clone)]
struct Shared {
    told: UnboundedSender<Told>,
    payloads: Arc<tokio::sync::Mutex<UnboundedReceiver<Vec<u8>>>>,
    count: Arc<Mutex<u64>>,
}

pub struct RuntimeApi {
    pub address: String,
    told: UnboundedReceiver<Told>,
    payloads: UnboundedSender<Vec<u8>>,
    server: tokio::task::JoinHandle<()>,
}

impl RuntimeApi {
    pub async fn start() -> Self {
        let (told_by, told) = unbounded_channel();
        let (payloads, waiting) = unbounded_channel();
        let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
        let shared = Shared { told: told_by, payloads: waiting, count: Arc::default() };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(shared);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, told, payloads, server }
    }

    pub fn invoke(&self, payload: Vec<u8>) {
        self.payloads.send(payload).unwrap();
    }

    /// The next thing that the process says; fails when it says nothing for ten seconds.
    pub async fn told(&mut self) -> Told {
        tokio::time::timeout(Duration::from_secs(10), self.told.recv()).await.expect("silence").unwrap()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(shared): State<Shared>) -> Response {
    shared.told.send(Told::Next).unwrap();
    let Some(payload) = shared.payloads.lock().await.recv().await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let id = {
        let mut count = shared.count.lock().unwrap();
        *count += 1;
        format!("request-{count}")
    };
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() + 10_000;
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:sa-east-1:000000000000:function:dispatcher".into()),
    ];
    (headers, payload).into_response()
}

async fn response(State(shared): State<Shared>, Path(_): Path<String>, body: String) -> StatusCode {
    shared.told.send(Told::Response(body)).unwrap();
    StatusCode::ACCEPTED
}

async fn error(State(shared): State<Shared>, Path(_): Path<String>, body: String) -> StatusCode {
    shared.told.send(Told::Error(body)).unwrap();
    StatusCode::ACCEPTED
}

async fn init_error(State(shared): State<Shared>, body: String) -> StatusCode {
    shared.told.send(Told::InitError(body)).unwrap();
    StatusCode::ACCEPTED
}

/// The real binary, with nothing in its environment but Lambda's variables and `settings`; killed when dropped.
pub fn bootstrap(api: &str, settings: &[(&str, &str)]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_bootstrap"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "dispatcher")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}
