//! Reads the body of a request in bounded memory and time, and throws away the body of one that is refused.

use super::answer::Refusal;
use crate::parcel::Share;
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body, Bytes, Incoming};
use std::time::Duration;

/// How long the rest of a refused body may take; a sender that is not done then finds its connection closed.
const REST: Duration = Duration::from_secs(1);

/// Reads the whole body; every byte takes its share of the common allowance first.
///
/// # Errors
/// Too large, no room for it, too slow, or broken off.
pub(super) async fn read(
    body: &mut Incoming,
    most: usize,
    within: Duration,
    share: &mut Share,
) -> Result<Vec<u8>, Refusal> {
    // A length that is told beforehand is judged beforehand.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    let mut bytes = Vec::new();
    let all = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken_off(&error))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > most {
                return Err(too_large(most));
            }
            if !share.grow(0, data.len()) {
                return Err(Refusal::no_room());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(())
    };
    match tokio::time::timeout(within, all).await {
        Ok(read) => read.map(|()| bytes),
        Err(_) => Err(too_slow(within)),
    }
}

/// Reads on, so that the sender comes to read the answer; not for ever.
pub(super) async fn discard(body: &mut Incoming, most: usize) {
    let rest = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, Bytes::len);
            if seen > most {
                break;
            }
        }
    };
    // Out of time is as good as done: the connection is closed then.
    let _ = tokio::time::timeout(REST, rest).await;
}

fn too_large(most: usize) -> Refusal {
    let error = format!("the body has more than {most} bytes (ingest.max_body): nothing was taken, send less at once");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", error)
}

fn too_slow(within: Duration) -> Refusal {
    let error = format!("the body was not complete within {within:?} (ingest.body_within): nothing was taken");
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", error)
}

fn broken_off(error: &hyper::Error) -> Refusal {
    // Most often nobody is there any more to read this.
    Refusal::new(StatusCode::BAD_REQUEST, "body-broken-off", format!("the body broke off: {error}: nothing was taken"))
}
