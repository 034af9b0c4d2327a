//! Why a record is set aside.

use domain::failure::FailureClass;

/// Why a record became a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    pub class: FailureClass,
    /// Stable word.
    pub reason: String,
    pub detail: String,
}
