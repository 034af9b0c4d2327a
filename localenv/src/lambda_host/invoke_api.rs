//! Lambda's Invoke API over HTTP, as the AWS SDKs speak it.
//!
//! *In*: `POST /2015-03-31/functions/{name}/invocations`. *Out*: AWS's status, headers and body. *Never*: checks signatures or permissions.

use super::answer::Answer;
use super::engine::Engine;
use super::function::split_name;
use super::invocation::Call;
use super::refusal::Refusal;
use crate::listener::Line;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, Response, Uri};
use axum::routing::post;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// A request over this is cut off unread; between the limit and this it gets its 413.
const MAX_UPLOAD_BYTES: usize = 64 << 20;

/// The route of the Invoke API.
pub fn router(engine: Arc<Engine>) -> Router {
    Router::new().route("/2015-03-31/functions/{name}/invocations", post(invoke)).with_state(engine)
}

async fn invoke(
    State(engine): State<Arc<Engine>>,
    ConnectInfo(line): ConnectInfo<Line>,
    Path(target): Path<String>,
    parts: (Uri, HeaderMap),
    body: Body,
) -> Response<Body> {
    let request_id = request_id();
    let payload = to_bytes(body, MAX_UPLOAD_BYTES).await;
    let answer = match call(&request_id, &target, &parts, payload.ok()) {
        Ok((name, call)) => run(engine, name, call).await,
        Err(refusal) => Answer::Refused(refusal),
    };
    if answer == Answer::Reset {
        line.cut();
    }
    answer.response(&request_id)
}

/// In a task of its own: a caller that goes away does not stop the function.
async fn run(engine: Arc<Engine>, name: String, call: Call) -> Answer {
    let task = tokio::spawn(async move { engine.invoke(&name, call).await });
    task.await.unwrap_or_else(|_| Answer::Refused(Refusal::service()))
}

fn call(
    request_id: &str,
    target: &str,
    (uri, headers): &(Uri, HeaderMap),
    payload: Option<Bytes>,
) -> Result<(String, Call), Refusal> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let dry_run = match header("x-amz-invocation-type") {
        None | Some("RequestResponse") => false,
        Some("DryRun") => true,
        Some(other) => return Err(Refusal::parameter(format!("Invocation type {other} is not served by this host."))),
    };
    let (name, in_name) = split_name(target);
    let query = uri.query().unwrap_or_default();
    let in_query = query.split('&').find_map(|pair| pair.strip_prefix("Qualifier="));
    let call = Call {
        request_id: request_id.into(),
        qualifier: in_name.or(in_query).map(str::to_owned),
        trace_id: header("x-amzn-trace-id").map_or_else(trace_id, str::to_owned),
        payload: payload.ok_or_else(Refusal::too_large)?,
        dry_run,
    };
    Ok((name.to_owned(), call))
}

/// A version 4 UUID.
fn request_id() -> String {
    let bits: u128 = rand::random();
    let bits = (bits & !(0xF000 << 64) & !(0xC000 << 48)) | (0x4000 << 64) | (0x8000 << 48);
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn trace_id() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (high, low): (u64, u32) = (rand::random(), rand::random());
    format!("Root=1-{seconds:08x}-{high:016x}{low:08x};Sampled=0")
}

#[cfg(test)]
mod tests {
    use super::{request_id, trace_id};

    #[test]
    fn ids_have_the_shape_of_aws() {
        let id = request_id();
        assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
        assert!(["8", "9", "a", "b"].contains(&&id[19..20]), "{id}");
        assert!(trace_id().starts_with("Root=1-"));
    }
}
