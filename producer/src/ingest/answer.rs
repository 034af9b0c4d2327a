//! What a sender is told: the status, the headers, and one JSON object.

use crate::doors::Closed;
use crate::ticket::Settled;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde::Serialize;
use std::time::Duration;

/// A line that holds no valid event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct BadLine {
    /// Counted from 1.
    pub line: u64,
    /// Stable word: `not-json`, `version` or `schema`.
    pub reason: &'static str,
    pub detail: String,
}

/// Why a request was refused as a whole: nothing of it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Refusal {
    #[serde(skip)]
    pub status: StatusCode,
    /// Stable word.
    pub reason: &'static str,
    /// One sentence: what is wrong, and what to do.
    pub error: String,
    /// The line at which it was noticed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// Shortly; a full queue empties as fast as Kafka takes events.
const SOON: Duration = Duration::from_secs(1);

impl Refusal {
    pub(super) fn new(status: StatusCode, reason: &'static str, error: impl Into<String>) -> Self {
        Self { status, reason, error: error.into(), line: None, retry_after: None }
    }

    fn later(status: StatusCode, reason: &'static str, error: String, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(status, reason, error) }
    }

    pub(super) fn no_room() -> Self {
        let error = "too many events wait for Kafka (ingest.queue_events, ingest.queue_size): nothing was taken";
        Self::later(StatusCode::SERVICE_UNAVAILABLE, "queue-full", error.into(), SOON)
    }

    pub(super) fn closed(closed: Closed) -> Self {
        let error = format!("{}: nothing was taken", closed.reason);
        Self::later(StatusCode::SERVICE_UNAVAILABLE, "closed", error, closed.retry_after)
    }

    pub(super) fn rate(wait: Duration) -> Self {
        let error = "the rate limit is used up (limits): nothing was taken";
        Self::later(StatusCode::TOO_MANY_REQUESTS, "rate-limit", error.into(), wait)
    }

    pub(super) fn answer(&self) -> Answer {
        Answer { retry_after: self.retry_after, ..Answer::json(self.status, self) }
    }
}

/// What became of the events of a request.
#[derive(Debug, Serialize)]
struct Outcome<'a> {
    /// Only when something has to be sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    accepted: u32,
    acknowledged: u32,
    spooled: u32,
    dead_lettered: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<u32>,
    bad_lines: &'a [BadLine],
}

/// Why some events of a request have no good fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unsettled {
    /// Kafka did not take them.
    Failed,
    /// Kafka has not answered in time.
    Late,
    /// Nothing meets its fate for now, for this reason.
    Stalled(String),
    /// The producer ends.
    Ending,
}

impl Unsettled {
    fn words(&self) -> (&'static str, String) {
        let (reason, what) = match self {
            Self::Failed => ("failed", "not all events are safe"),
            Self::Late => ("no-answer-in-time", "Kafka has not answered in time"),
            Self::Stalled(why) => ("no-answer-in-time", why.as_str()),
            Self::Ending => ("ending", "the producer ended before Kafka answered"),
        };
        (reason, format!("{what}: send the request again, repeats are removed by id"))
    }
}

/// An answer, not yet on the wire.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    body: Bytes,
    retry_after: Option<Duration>,
    header: Option<(HeaderName, &'static str)>,
}

impl Answer {
    fn json(status: StatusCode, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { status, body: body.into(), retry_after: None, header: None }
    }

    /// The document that describes this server.
    pub(super) fn document(text: &'static str) -> Self {
        Self { status: StatusCode::OK, body: Bytes::from_static(text.as_bytes()), retry_after: None, header: None }
    }

    /// Every event has its fate: 202, or 400 when there were bad lines beside them, or 503 when some may be nowhere.
    pub(super) fn settled(settled: Settled, bad_lines: &[BadLine]) -> Self {
        if settled.failed > 0 {
            return Self::unsettled(Unsettled::Failed, settled.sum(), settled, bad_lines);
        }
        let Settled { acknowledged, spooled, dead_lettered, .. } = settled;
        let (reason, error, failed) = (None, None, None);
        let accepted = settled.sum();
        let outcome = Outcome { reason, error, accepted, acknowledged, spooled, dead_lettered, failed, bad_lines };
        let status = if bad_lines.is_empty() { StatusCode::ACCEPTED } else { StatusCode::BAD_REQUEST };
        Self::json(status, &outcome)
    }

    /// Some events may be nowhere, or may come to be somewhere later.
    pub(super) fn unsettled(why: Unsettled, accepted: u32, so_far: Settled, bad_lines: &[BadLine]) -> Self {
        let (reason, error) = why.words();
        let Settled { acknowledged, spooled, dead_lettered, .. } = so_far;
        let failed = Some(accepted - acknowledged - spooled - dead_lettered);
        let (reason, error) = (Some(reason), Some(error.as_str()));
        let outcome = Outcome { reason, error, accepted, acknowledged, spooled, dead_lettered, failed, bad_lines };
        Self { retry_after: Some(SOON), ..Self::json(StatusCode::SERVICE_UNAVAILABLE, &outcome) }
    }

    pub(super) fn no_token() -> Self {
        let error = "a bearer token is needed: authorization: Bearer <token of ingest.token_file>";
        let answer = Refusal::new(StatusCode::UNAUTHORIZED, "token", error).answer();
        Self { header: Some((WWW_AUTHENTICATE, "Bearer")), ..answer }
    }

    pub(super) fn no_such_path() -> Self {
        let error = "no such path: POST /v1/events and GET /v1/openapi.json are here";
        Refusal::new(StatusCode::NOT_FOUND, "path", error).answer()
    }

    pub(super) fn wrong_method(allowed: &'static str) -> Self {
        let error = format!("this path takes {allowed} only");
        let answer = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method", error).answer();
        Self { header: Some((ALLOW, allowed)), ..answer }
    }

    /// On the wire; `close` ends the connection after it.
    pub(super) fn response(self, close: bool) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(after) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(after)));
        }
        if let Some((name, value)) = self.header {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// Retry-After knows whole seconds; never 0, which would mean at once.
fn whole_seconds(after: Duration) -> u64 {
    (after.as_secs() + u64::from(after.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::{Answer, BadLine, Refusal, Settled, Unsettled};
    use hyper::StatusCode;
    use serde_json::{Value, json};
    use std::time::Duration;

    fn told(answer: &Answer) -> (u16, Value) {
        (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap())
    }

    #[test]
    fn the_status_follows_from_the_fates_and_the_bad_lines() {
        let good = Settled { acknowledged: 3, spooled: 2, dead_lettered: 1, failed: 0 };
        let bad = [BadLine { line: 4, reason: "schema", detail: "x".into() }];
        let fates = json!({ "accepted": 6, "acknowledged": 3, "spooled": 2, "dead_lettered": 1, "bad_lines": [] });
        assert_eq!(told(&Answer::settled(good, &[])), (202, fates));
        let (status, body) = told(&Answer::settled(good, &bad));
        assert_eq!((status, &body["bad_lines"][0]["line"], &body["accepted"]), (400, &json!(4), &json!(6)));
        let some = Settled { failed: 1, ..good };
        let (status, body) = told(&Answer::settled(some, &bad));
        assert_eq!((status, &body["failed"], &body["accepted"]), (503, &json!(1), &json!(7)));
        let (_, body) = told(&Answer::unsettled(Unsettled::Late, 10, good, &[]));
        assert_eq!((&body["failed"], &body["reason"]), (&json!(4), &json!("no-answer-in-time")));
        let (status, body) = told(&Answer::unsettled(Unsettled::Stalled("the disk hangs".into()), 10, good, &[]));
        assert!(status == 503 && body["error"].as_str().unwrap().starts_with("the disk hangs: send"), "{body}");
    }

    #[test]
    fn retry_after_is_in_whole_seconds_and_never_zero() {
        for (wait, header) in [(0, "1"), (1, "1"), (1_000, "1"), (1_001, "2")] {
            let response = Refusal::rate(Duration::from_millis(wait)).answer().response(true);
            assert_eq!(
                (response.status(), &response.headers()["retry-after"]),
                (StatusCode::TOO_MANY_REQUESTS, &header.parse().unwrap())
            );
            assert_eq!(response.headers()["connection"], "close");
        }
    }
}
