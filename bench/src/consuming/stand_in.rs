//! Lambda's Invoke API on this machine: it answers the contract after a while, and does nothing else.

use crate::consuming::pretend::{Tally, answer};
use anyhow::{Context, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use localenv::listener::Server;
use runtime::clock;
use std::time::Duration;
use tokio::runtime::Runtime;

/// A running stand-in; it ends when this is dropped.
pub struct StandIn {
    /// Before the runtime, because it goes first.
    server: Server,
    _runtime: Runtime,
    pub tally: Tally,
}

#[derive(Clone)]
struct Function {
    latency: Duration,
    tally: Tally,
}

impl StandIn {
    /// Starts it on any free port.
    ///
    /// # Errors
    /// There is no port, or no thread.
    pub fn start(latency: Duration) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let tally = Tally::default();
        let router = router(latency, tally.clone());
        let server = runtime.block_on(Server::start(0, router)).context("no port for the stand-in")?;
        Ok(Self { server, _runtime: runtime, tally })
    }

    /// What the SDK wants as its endpoint URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }
}

/// The Invoke API of any function.
pub fn router(latency: Duration, tally: Tally) -> Router {
    let function = Function { latency, tally };
    Router::new().route("/2015-03-31/functions/{name}/invocations", post(invoke)).with_state(function)
}

async fn invoke(State(function): State<Function>, headers: HeaderMap, body: Bytes) -> (StatusCode, Vec<u8>) {
    let clock = clock::system();
    let begun = clock.now();
    if headers.get("x-amz-invocation-type").is_some_and(|kind| kind == "DryRun") {
        return (StatusCode::NO_CONTENT, Vec::new());
    }
    let Some((answer, records)) = answer(&body) else { return (StatusCode::BAD_REQUEST, Vec::new()) };
    tokio::time::sleep(function.latency).await;
    function.tally.note(records, clock.now() - begun);
    (StatusCode::OK, answer)
}
