//! What can be wrong with a configuration; every variant is one sentence for the person who wrote it.

use std::fmt;

use super::origin::Origin;

/// A configuration that must not start; exit code 64, but for [`ConfigError::Surroundings`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The configuration file is missing or cannot be read.
    #[error("configuration file {path} cannot be read: {reason}")]
    Unreadable { path: String, reason: String },
    /// The text is not TOML.
    #[error("{file}, line {line}, column {column}: not valid TOML: {reason}")]
    Syntax { file: String, line: usize, column: usize, reason: String },
    /// A key that is no setting.
    #[error("{key} is not a setting ({origin}): {hint}")]
    UnknownKey { key: String, origin: Origin, hint: String },
    /// An environment variable with our prefix that is no setting.
    #[error("environment variable {name} is not a setting: {hint}")]
    UnknownVariable { name: String, hint: String },
    /// A value that is not allowed.
    #[error("{key} is {value} ({origin}): {sentence}")]
    Refused { key: String, value: Shown, origin: Origin, sentence: String },
    /// A key that must be written is not there.
    #[error("{key} is missing ({origin}): {sentence}")]
    Missing { key: String, origin: Origin, sentence: String },
    /// A part of the configuration lies elsewhere and did not come: not bad in itself, so exit code 1.
    #[error("{0}")]
    Surroundings(String),
    /// Everything else that can be seen wrong without the network; the sentence stands for itself.
    #[error("{0}")]
    Other(String),
}

impl ConfigError {
    /// A sentence that stands for itself: what, where, allowed values or next step.
    pub fn other(sentence: impl Into<String>) -> Self {
        Self::Other(sentence.into())
    }

    /// Whether the configuration is bad (exit code 64), and not what it points to out of reach (1).
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Surroundings(_))
    }
}

/// How a value is shown in a sentence: in backquotes, or `not set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown(pub Option<String>);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_deref() {
            None | Some("") => f.write_str("not set"),
            Some(value) => write!(f, "`{value}`"),
        }
    }
}
