//! What the admin port moves: breakers, the limits in front of the functions, partitions that a flood of dead letters has stopped, and
//! what is paused by hand.

/// Breakers.
mod breaker;
/// What is paused by hand.
mod pauses;

use crate::flood::Flood;
use crate::guard::{Guard, Limits};
use crate::pause::Pauses;
use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get};
use runtime::clock::SharedClock;
use serde::Deserialize;

/// `/control/breaker` and `/control/limits`: `GET` shows, `POST` or `PUT` changes. A limit that is left out stays as it is.
/// `/control/flood`: `GET` shows what is stopped, `POST` opens all of it. `/control/pause` and `/control/resume`: `GET` on either
/// shows what is paused by hand, `POST` changes it. `topics` are those that are consumed.
pub fn router((guard, flood, pauses): (Guard, Flood, Pauses), topics: Vec<String>, clock: SharedClock) -> Router {
    let write = MethodFilter::POST.or(MethodFilter::PUT);
    let (shown, moved) = (guard.clone(), guard.clone());
    let breaker =
        get(async move || breaker::show(&shown)).on(write, async move |body: Bytes| breaker::set(&moved, &body));
    let (shown, moved) = (guard.clone(), guard);
    let limits = get(async move || show_limits(&shown)).on(write, async move |body: Bytes| move_limits(&moved, &body));
    let (shown, moved) = (flood.clone(), flood);
    let flood = get(async move || answer(StatusCode::OK, &shown.json())).on(write, async move || open(&moved));
    let pauses = pauses::router(pauses, topics, clock);
    pauses.route("/control/breaker", breaker).route("/control/limits", limits).route("/control/flood", flood)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    max_in_flight: Option<usize>,
    invocations_per_second: Option<f64>,
}

fn show_limits(guard: &Guard) -> Response {
    answer(StatusCode::OK, &guard.view().limits)
}

fn move_limits(guard: &Guard, body: &[u8]) -> Response {
    match changed(guard.view().limits, guard.most_in_flight(), body) {
        Ok(limits) => {
            guard.set_limits(limits);
            let Limits { max_in_flight, invocations_per_second } = limits;
            tracing::info!(max_in_flight, invocations_per_second, "limits changed");
            show_limits(guard)
        }
        Err(error) => refused(&error),
    }
}

/// Answers with what was stopped until now.
fn open(flood: &Flood) -> Response {
    let stopped = flood.json();
    for at in flood.open() {
        tracing::warn!(topic = &*at.topic, partition = at.partition, "opened: dead letters are written again");
    }
    answer(StatusCode::OK, &stopped)
}

fn changed(mut limits: Limits, most: usize, body: &[u8]) -> Result<Limits, String> {
    let change: Change = domain::object::read(body)
        .map_err(|error| format!("allowed are max_in_flight and invocations_per_second: {error}"))?;
    limits.max_in_flight = change.max_in_flight.unwrap_or(limits.max_in_flight);
    limits.invocations_per_second = change.invocations_per_second.unwrap_or(limits.invocations_per_second);
    limits.validate(most).map_err(|(name, allowed)| match name {
        "max_in_flight" => format!("{name}: {allowed}; for more, start with a higher function.max_in_flight"),
        _ => format!("{name}: {allowed}"),
    })?;
    Ok(limits)
}

fn refused(error: &str) -> Response {
    answer(StatusCode::BAD_REQUEST, &serde_json::json!({ "error": error }))
}

fn answer(status: StatusCode, body: &impl serde::Serialize) -> Response {
    let body = serde_json::to_string(body).unwrap_or_default() + "\n";
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::{Limits, changed};

    const BEFORE: Limits = Limits { max_in_flight: 64, invocations_per_second: 5.0 };

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let after = changed(BEFORE, 100, br#"{"max_in_flight":8}"#).unwrap();
        assert_eq!(after, Limits { max_in_flight: 8, ..BEFORE });
        let after = changed(BEFORE, 100, br#"{"invocations_per_second":0}"#).unwrap();
        assert_eq!(after, Limits { invocations_per_second: 0.0, ..BEFORE });
        assert_eq!(changed(BEFORE, 100, b"{}"), Ok(BEFORE));
    }

    #[test]
    fn nonsense_is_refused_in_one_sentence_that_says_what_is_allowed() {
        let limits: [&[u8]; 6] = [
            br#"{"max_in_flight":0}"#,
            br#"{"max_in_flight":101}"#,
            br#"{"invocations_per_second":-1}"#,
            br#"{"invocations_per_second":0.01}"#,
            br#"{"max":1}"#,
            b"",
        ];
        let refusals = limits.map(|body| changed(BEFORE, 100, body).unwrap_err());
        for refusal in refusals {
            assert!(refusal.contains("allowed") && !refusal.contains('\n'), "{refusal}");
        }
    }
}
