//! What went wrong while a value was read: structured, so that the sentence can name key, value, origin and what is
//! allowed.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

use super::node::{Node, join};
use super::origin::Origin;

/// A value that does not fit; becomes a `ConfigError` once the whole key is known.
#[derive(Debug)]
pub(super) struct ReadError {
    /// The dotted key, built from the inside out.
    pub(super) key: String,
    pub(super) problem: Problem,
    /// The innermost value that was being read, and where it was written.
    pub(super) place: Option<(String, Origin)>,
}

#[derive(Debug)]
pub(super) enum Problem {
    Unknown { allowed: &'static [&'static str] },
    Missing,
    Refused(String),
}

impl ReadError {
    fn new(key: &str, problem: Problem) -> Self {
        Self { key: key.to_owned(), problem, place: None }
    }

    pub(super) fn refused(sentence: String) -> Self {
        Self::new("", Problem::Refused(sentence))
    }

    /// Adds the part of the key that holds this one; the innermost node is the one that is quoted.
    pub(super) fn within(mut self, part: &str, node: &Node) -> Self {
        self.key = join(part, &self.key);
        self.place.get_or_insert_with(|| (node.shown(), node.origin.clone()));
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.key, self.problem)
    }
}

impl std::error::Error for ReadError {}

impl Error for ReadError {
    fn custom<T: fmt::Display>(sentence: T) -> Self {
        Self::refused(sentence.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::refused(format!("allowed is {}", plain(&expected.to_string())))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::refused(format!("allowed is {}", plain(&expected.to_string())))
    }

    fn unknown_variant(_: &str, allowed: &'static [&'static str]) -> Self {
        Self::refused(format!("allowed is {}", allowed.join(", ")))
    }

    fn unknown_field(field: &str, allowed: &'static [&'static str]) -> Self {
        Self::new(field, Problem::Unknown { allowed })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(field, Problem::Missing)
    }
}

/// serde's words for types, in words for people.
fn plain(expected: &str) -> String {
    match expected {
        "u8" => "a whole number from 0 to 255".to_owned(),
        "u16" => "a whole number from 0 to 65535".to_owned(),
        "u32" => "a whole number from 0 to 4294967295".to_owned(),
        "u64" | "usize" => "a whole number, 0 or more".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other => other
            .strip_prefix("a nonzero ")
            .map_or_else(|| other.to_owned(), |_| "a whole number, 1 or more".to_owned()),
    }
}
