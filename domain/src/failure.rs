//! What went wrong, as one of six classes. Each foreign error is classified once, where it enters.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The class decides the policy; see the failure table of ARCHITECTURE.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The other side asks for less: back off, same batch, same order.
    Throttled,
    /// It may work the next time (and may have run): back off, same batch.
    Transient,
    /// Request or response over a limit: split in two.
    TooLarge,
    /// The function ran and failed: HTTP 200 with FunctionError.
    FunctionError,
    /// The record can never be delivered: dead letter at once.
    Rejected,
    /// Our configuration or rights are wrong: commit nothing, dead-letter nothing, alarm.
    Ours,
}

impl FailureClass {
    pub const ALL: [Self; 6] =
        [Self::Throttled, Self::Transient, Self::TooLarge, Self::FunctionError, Self::Rejected, Self::Ours];

    /// The word in logs, metrics and record headers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Transient => "transient",
            Self::TooLarge => "too-large",
            Self::FunctionError => "function-error",
            Self::Rejected => "rejected",
            Self::Ours => "ours",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
