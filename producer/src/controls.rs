//! What the admin port moves: the limits of the running producer.

use crate::limit::{LimitControl, Limits};
use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use runtime::config::Size;
use serde::Deserialize;

/// `GET` and `PUT /control/limits`. A field that a `PUT` leaves out stays as it is.
pub fn router(control: LimitControl) -> Router {
    let (shown, changed) = (control.clone(), control);
    let show = async move || answer(StatusCode::OK, &shown.get());
    let change = async move |body: Bytes| put(&changed, &body);
    Router::new().route("/control/limits", get(show).put(change))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    events_per_second: Option<f64>,
    bytes_per_second: Option<Size>,
}

fn put(control: &LimitControl, body: &[u8]) -> axum::response::Response {
    match changed(control.get(), body) {
        Ok(limits) => {
            control.set(limits);
            let (events, bytes) = (limits.events_per_second, limits.bytes_per_second.bytes());
            tracing::info!(events_per_second = events, bytes_per_second = bytes, "limits changed");
            answer(StatusCode::OK, &limits)
        }
        Err(error) => answer(StatusCode::BAD_REQUEST, &serde_json::json!({ "error": error })),
    }
}

fn changed(mut limits: Limits, body: &[u8]) -> Result<Limits, String> {
    let change: Change = domain::object::read(body)
        .map_err(|error| format!("allowed are events_per_second and bytes_per_second: {error}"))?;
    limits.events_per_second = change.events_per_second.unwrap_or(limits.events_per_second);
    limits.bytes_per_second = change.bytes_per_second.unwrap_or(limits.bytes_per_second);
    limits.validate().map_err(|(name, allowed)| format!("{name}: {allowed}"))?;
    Ok(limits)
}

fn answer(status: StatusCode, body: &impl serde::Serialize) -> axum::response::Response {
    let body = serde_json::to_string(body).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::{Limits, changed};
    use runtime::config::Size;

    #[test]
    fn a_change_keeps_what_it_does_not_name_and_refuses_nonsense() {
        let before = Limits { events_per_second: 5.0, bytes_per_second: Size::from_kib(64) };
        let after = changed(before, br#"{"events_per_second":13000}"#).unwrap();
        assert_eq!((after.events_per_second, after.bytes_per_second), (13_000.0, Size::from_kib(64)));
        let after = changed(before, br#"{"bytes_per_second":"10MB"}"#).unwrap();
        assert_eq!((after.events_per_second, after.bytes_per_second.bytes()), (5.0, 10_000_000));
        for bad in [&br#"{"events_per_second":-1}"#[..], br#"{"events":1}"#, b"x", br#"{"bytes_per_second":"1B"}"#] {
            assert!(changed(before, bad).is_err());
        }
    }
}
