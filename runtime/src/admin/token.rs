//! The bearer token: read from a file, asked of every request.

use std::fs;
use std::hint::black_box;
use std::io::ErrorKind;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use crate::config::{ConfigError, Secret, Settings};

const KEY: &str = "admin.token_file";
const MIN_CHARACTERS: usize = 16;

/// Reads the token; `None` when no file is configured.
pub(super) fn read(settings: &Settings, path: &str) -> Result<Option<Secret>, ConfigError> {
    if path.is_empty() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(|error| {
        let reason = if error.kind() == ErrorKind::NotFound { "no such file".to_owned() } else { error.to_string() };
        settings.refuse(KEY, format!("it cannot be read: {reason}"))
    })?;
    let token = text.trim();
    if token.len() < MIN_CHARACTERS || token.contains(char::is_whitespace) {
        let sentence = "the token in it is too short: allowed is one line of 16 characters or more, without spaces";
        return Err(settings.refuse(KEY, sentence));
    }
    Ok(Some(Secret::new(token)))
}

/// Lets a request through only with the token; all of them when there is none.
pub(super) fn guard(router: Router, token: Option<Secret>) -> Router {
    match token {
        Some(token) => router.layer(from_fn_with_state(Arc::new(token), check)),
        None => router,
    }
}

async fn check(State(token): State<Arc<Secret>>, request: Request, next: Next) -> Response {
    if carries(request.headers(), &token) {
        return next.run(request).await;
    }
    let body = "{\"error\":\"a bearer token is needed: authorization: Bearer <token of admin.token_file>\"}\n";
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], body).into_response()
}

fn carries(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers.get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let (scheme, given) = given.split_at_checked("Bearer ".len()).unwrap_or((b"", b""));
    scheme.eq_ignore_ascii_case(b"Bearer ") && same(given, token.expose().as_bytes())
}

/// Takes the same time wherever two texts of one length differ, so that a token cannot be guessed byte by byte.
fn same(given: &[u8], wanted: &[u8]) -> bool {
    let difference = given.iter().zip(wanted).fold(0_u8, |difference, (a, b)| black_box(difference | (a ^ b)));
    given.len() == wanted.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token() {
        let token = Secret::new("0123456789abcdef");
        let carried = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            carries(&headers, &token)
        };
        assert!(carried("Bearer 0123456789abcdef"));
        assert!(carried("bearer 0123456789abcdef"));
        for wrong in
            ["", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdeF", "Bearer 0123456789abcdef0"]
        {
            assert!(!carried(wrong), "{wrong}");
        }
        assert!(!carried("Basic 0123456789abcdef"));
        assert!(!carries(&HeaderMap::new(), &token));
    }
}
