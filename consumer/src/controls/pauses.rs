//! `/control/pause` and `/control/resume`: what is paused by hand.

use super::{answer, refused};
use crate::pause::{Pauses, Scope};
use axum::Router;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, get};
use runtime::clock::SharedClock;
use serde::Deserialize;
use std::sync::Arc;

/// What both paths share.
struct Control {
    pauses: Pauses,
    topics: Vec<String>,
    clock: SharedClock,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    topic: Option<String>,
    partition: Option<i32>,
}

pub(super) fn router(pauses: Pauses, topics: Vec<String>, clock: SharedClock) -> Router {
    let control = Arc::new(Control { pauses, topics, clock });
    Router::new()
        .route("/control/pause", path(&control, Control::pause))
        .route("/control/resume", path(&control, Control::resume))
}

fn path(control: &Arc<Control>, act: fn(&Control, Scope)) -> MethodRouter {
    let (shown, moved) = (control.clone(), control.clone());
    get(async move || shown.show()).on(MethodFilter::POST.or(MethodFilter::PUT), async move |body: Bytes| {
        match scope(&moved.topics, &body) {
            Ok(scope) => {
                act(&moved, scope);
                moved.show()
            }
            Err(error) => refused(&error),
        }
    })
}

impl Control {
    fn pause(&self, scope: Scope) {
        tracing::warn!(%scope, "paused by hand: nothing more of it is read until somebody resumes it or this process ends");
        self.pauses.pause(scope, self.clock.wall_ms());
    }

    fn resume(&self, scope: Scope) {
        tracing::info!(%scope, "resumed by hand");
        self.pauses.resume(scope, self.clock.wall_ms());
    }

    fn show(&self) -> Response {
        answer(StatusCode::OK, &self.pauses.json())
    }
}

/// What an order is about; an empty body is everything.
fn scope(topics: &[String], body: &[u8]) -> Result<Scope, String> {
    let body = if body.is_empty() { b"{}".as_slice() } else { body };
    let Wanted { topic, partition } = domain::object::read(body)
        .map_err(|error| format!("allowed are \"topic\" and with it \"partition\", or neither for all: {error}"))?;
    match (topic, partition) {
        (Some(topic), _) if !topics.contains(&topic) => {
            Err(format!("topic {topic} is not consumed here: allowed is one of {}", topics.join(", ")))
        }
        (_, Some(partition)) if partition < 0 => Err(format!("partition {partition}: allowed is 0 or more")),
        (None, Some(_)) => Err("a partition needs its topic: allowed are both, the topic alone, or neither".to_owned()),
        (None, None) => Ok(Scope::ALL),
        (Some(topic), None) => Ok(Scope::topic(topic)),
        (Some(topic), Some(partition)) => Ok(Scope::partition(topic, partition)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Scope, scope};

    fn read(body: &str) -> Result<Scope, String> {
        scope(&["a".into(), "b".into()], body.as_bytes())
    }

    #[test]
    fn what_is_left_out_means_all() {
        for body in ["", "{}", r#"{"topic":null}"#] {
            assert_eq!(read(body), Ok(Scope::ALL), "{body}");
        }
        assert_eq!(read(r#"{"topic":"b"}"#), Ok(Scope::topic("b")));
        assert_eq!(read(r#"{"topic":"b","partition":3}"#), Ok(Scope::partition("b", 3)));
    }

    #[test]
    fn nonsense_is_refused_in_one_sentence_that_says_what_is_allowed() {
        for body in [
            r#"{"topic":"c"}"#,
            r#"{"partition":3}"#,
            r#"{"topic":"a","partition":-1}"#,
            r#"{"topic":"a","partition":"all"}"#,
            r#"{"topics":["a"]}"#,
            "all",
            "[]x",
        ] {
            let refusal = read(body).expect_err(body);
            assert!(refusal.contains("allowed") && !refusal.contains('\n'), "{refusal}");
        }
    }
}
