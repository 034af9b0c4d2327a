//! Why a destination did not take something: the class that decides what follows, and the words for people.

use domain::failure::FailureClass;
use std::time::Duration;

/// Why a destination did not take something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{class}: {detail}")]
pub struct Failure {
    pub class: FailureClass,
    /// For people: what the destination said.
    pub detail: String,
    /// The shortest wait that the destination asks for.
    pub retry_after: Option<Duration>,
}

impl Failure {
    pub fn new(class: FailureClass, detail: impl Into<String>) -> Self {
        Self { class, detail: detail.into(), retry_after: None }
    }

    /// Whether the same entry would fail again, whoever waits.
    pub fn is_for_good(&self) -> bool {
        matches!(self.class, FailureClass::Rejected | FailureClass::TooLarge)
    }
}
