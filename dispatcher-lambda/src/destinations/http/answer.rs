//! Reads what an HTTP destination answered, and classifies it; the only place that knows reqwest's errors.

use super::class_of;
use crate::destinations::{Failure, Outcome};
use domain::failure::FailureClass;
use reqwest::header::RETRY_AFTER;
use reqwest::{Error, Response};
use std::time::Duration;
use tokio::time::timeout;

/// This much of a refusal is kept for people.
const DETAIL_BYTES: usize = 200;
/// This much of any answer is read, so that its connection can be used again.
const ANSWER_BYTES: usize = 64 * 1024;
/// The status is known by then, so a body that does not come changes nothing.
const READ_FOR: Duration = Duration::from_secs(1);

/// 2xx is delivered, whatever its body.
pub(super) async fn outcome(mut response: Response) -> Outcome {
    let status = response.status();
    let retry_after = retry_after(&response);
    let said = timeout(READ_FOR, read(&mut response)).await.unwrap_or_default();
    let Some(class) = class_of(status.as_u16()) else { return Outcome::Delivered };
    let text = String::from_utf8_lossy(&said[..said.len().min(DETAIL_BYTES)]).replace(['\n', '\r'], " ");
    let colon = if text.is_empty() { "" } else { ": " };
    Outcome::Failed(Failure { class, detail: format!("HTTP {status}{colon}{text}"), retry_after })
}

/// Whole seconds only; a date would need the wall clock, and nobody sends one with 429.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

async fn read(response: &mut Response) -> Vec<u8> {
    let mut said = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        said.extend_from_slice(&chunk);
        if said.len() > ANSWER_BYTES {
            break;
        }
    }
    said
}

/// No answer at all: the request may or may not have arrived.
pub(super) fn refused_connection(error: &Error) -> Failure {
    let class = if error.is_builder() { FailureClass::Ours } else { FailureClass::Transient };
    // The URL may hold a token, and stands in the configuration anyway.
    Failure::new(class, runtime::exit::chain(error).replace(['\n', '\r'], " "))
}
