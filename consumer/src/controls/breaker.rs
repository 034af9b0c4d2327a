//! `/control/breaker`: how the breakers stand, and forcing one or all of them.

use super::{answer, refused};
use crate::guard::{Force, FunctionView, Guard, GuardView};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Forcing {
    force: Force,
    /// Without it the breakers of all functions.
    function: Option<String>,
}

/// The breaker; with several functions a list of them.
pub(super) fn show(guard: &Guard) -> Response {
    answer(StatusCode::OK, &shown(&guard.view()))
}

pub(super) fn set(guard: &Guard, body: &[u8]) -> Response {
    let forced = forcing(body).and_then(|Forcing { force, function }| {
        let known = || format!("allowed is one of {}, or none for all", guard.functions().join(", "));
        guard.force(function.as_deref(), force).map_err(|unknown| format!("{unknown}: {}", known()))
    });
    forced.map_or_else(|error| refused(&error), |()| show(guard))
}

fn forcing(body: &[u8]) -> Result<Forcing, String> {
    domain::object::read(body).map_err(|error| {
        format!("allowed is {{\"force\":\"open\"}}, \"closed\" or \"auto\", and \"function\" for a single one: {error}")
    })
}

fn shown(view: &GuardView) -> Value {
    if view.functions.is_empty() {
        return json!(view.breaker);
    }
    let one = |function: &FunctionView| json!({ "function": function.function, "breaker": function.breaker });
    json!({ "functions": view.functions.iter().map(one).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::{Force, Forcing, forcing};

    #[test]
    fn the_three_words_are_taken_with_and_without_a_function() {
        for force in [Force::Auto, Force::Open, Force::Closed] {
            let body = format!(r#"{{"force":"{}"}}"#, force.as_str());
            assert_eq!(forcing(body.as_bytes()), Ok(Forcing { force, function: None }));
            let body = format!(r#"{{"force":"{}","function":"f"}}"#, force.as_str());
            assert_eq!(forcing(body.as_bytes()), Ok(Forcing { force, function: Some("f".into()) }));
        }
    }

    #[test]
    fn nonsense_is_refused_in_one_sentence_that_says_what_is_allowed() {
        let forces: [&[u8]; 5] =
            [br#"{"force":"ajar"}"#, br#"{"forced":"open"}"#, b"open", b"{}", br#"{"force":"open","topic":"t"}"#];
        for refusal in forces.map(|body| forcing(body).unwrap_err()) {
            assert!(refusal.contains("allowed") && !refusal.contains('\n'), "{refusal}");
        }
    }
}
