//! A real `bootstrap`, made with lambda_runtime, that does what its event says: for tests and measurements of the Lambda host.
//!
//! An example and not a binary of the crate, so that lambda_runtime stays out of what the local environment links. `cargo test` builds
//! it; `cargo test --test NAME` does not, and the tests then say what to run.
//!
//! Event: `{"do":"..."}`, one of `echo` (default), `sleep` with `ms`, `error`, `panic`, `exit` with `code`, `abort`, `big` with `bytes`,
//! `env` with `name`, `batch` (an answer of the dispatcher's contract for `batch_id` and `records`). The answer names the process.
//! The environment variable PROBE_INIT makes the start fail: `exit`, `hang`, or `report` (tells the Runtime API, then ends).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static CALLS: AtomicU64 = AtomicU64::new(0);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    match std::env::var("PROBE_INIT").as_deref() {
        Ok("exit") => std::process::exit(7),
        Ok("hang") => std::thread::sleep(Duration::from_secs(3600)),
        Ok("report") => report_init_error(),
        _ => {}
    }
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let calls = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
    let (asked, context) = event.into_parts();
    let number = |name: &str| asked[name].as_u64().unwrap_or_default();
    let done = match asked["do"].as_str().unwrap_or("echo") {
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
            Value::Null
        }
        "error" => return Err("the probe was told to fail".into()),
        "panic" => panic!("the probe was told to panic"),
        "exit" => std::process::exit(number("code") as i32),
        "abort" => std::process::abort(),
        "big" => return Ok("x".repeat(number("bytes") as usize - 2).into()),
        "env" => std::env::var(asked["name"].as_str().unwrap_or_default()).ok().into(),
        "batch" => return Ok(batch(&asked)),
        _ => asked.clone(),
    };
    Ok(json!({
        "pid": std::process::id(), "calls": calls, "done": done, "request_id": context.request_id,
        "deadline": context.deadline, "arn": context.invoked_function_arn, "trace_id": context.xray_trace_id,
    }))
}

fn batch(asked: &Value) -> Value {
    json!({"version": 1, "batch_id": asked["batch_id"], "delivered": asked["records"], "duplicates": 0, "rejected": [], "retry": []})
}

fn report_init_error() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let body = r#"{"errorType":"Probe.Init","errorMessage":"no settings"}"#;
    let mut stream = TcpStream::connect(&api).unwrap();
    write!(
        stream,
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nhost: {api}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    stream.read_to_end(&mut Vec::new()).unwrap();
    std::process::exit(1);
}
