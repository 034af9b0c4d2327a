//! The bearer token of a port: read from a file, looked for in the headers of every request.

use std::fs;
use std::hint::black_box;
use std::io::ErrorKind;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use crate::config::{ConfigError, Secret, Settings};

const MIN_CHARACTERS: usize = 16;

const ALLOWED: &str = "allowed is one line of 16 characters or more: letters, digits and ASCII signs, without spaces";

/// A token that requests must carry as `authorization: Bearer <token>`.
#[derive(Clone, Debug)]
pub struct BearerToken {
    secret: Secret,
    setting: &'static str,
}

impl BearerToken {
    /// Reads the token from the file that the setting `key` names; `None` when it names none.
    ///
    /// # Errors
    /// The file cannot be read, or holds no token of 16 visible ASCII characters or more.
    pub fn read(settings: &Settings, key: &'static str, path: &str) -> Result<Option<Self>, ConfigError> {
        if path.is_empty() {
            return Ok(None);
        }
        let text = fs::read_to_string(path).map_err(|error| {
            let missing = error.kind() == ErrorKind::NotFound;
            let reason = if missing { "no such file".to_owned() } else { error.to_string() };
            settings.refuse(key, format!("it cannot be read: {reason}"))
        })?;
        let token = text.trim();
        let wrong = match token.chars().all(|c| c.is_ascii_graphic()) {
            true if token.len() >= MIN_CHARACTERS => None,
            true => Some("is too short"),
            false => Some("holds a space, a line end or a character that is not ASCII"),
        };
        if let Some(wrong) = wrong {
            return Err(settings.refuse(key, format!("the token in it {wrong}: {ALLOWED}")));
        }
        Ok(Some(Self { secret: Secret::new(token), setting: key }))
    }

    /// The setting that names the file, for sentences.
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// Whether a request with these headers carries the token.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
        let (scheme, given) = given.split_at_checked("Bearer ".len()).unwrap_or((b"", b""));
        scheme.eq_ignore_ascii_case(b"Bearer ") && same(given, self.secret.expose().as_bytes())
    }
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
        let token = BearerToken { secret: Secret::new("0123456789abcdef"), setting: "admin.token_file" };
        let carried = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            token.is_in(&headers)
        };
        assert!(carried("Bearer 0123456789abcdef"));
        assert!(carried("bearer 0123456789abcdef"));
        for wrong in
            ["", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdeF", "Bearer 0123456789abcdef0"]
        {
            assert!(!carried(wrong), "{wrong}");
        }
        assert!(!carried("Basic 0123456789abcdef"));
        assert!(!token.is_in(&HeaderMap::new()));
        assert!(!format!("{token:?}").contains("0123456789"));
    }
}
