//! How a call ended, and what that says about the other side.

use domain::failure::FailureClass;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With a verdict on every record.
    Answered,
    Failed(FailureClass),
}

/// What an outcome says about the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It is there: it answered, even if the function failed or found something too large.
    Up,
    /// It asks for less, which says neither that it works nor that it does not.
    Busy,
    /// It does not work, or not for long enough to answer.
    Down,
    /// It refuses us until people mend something.
    Refuses,
}

impl Outcome {
    pub fn sign(self) -> Sign {
        match self {
            Self::Answered | Self::Failed(FailureClass::FunctionError | FailureClass::TooLarge) => Sign::Up,
            Self::Failed(FailureClass::Throttled) => Sign::Busy,
            Self::Failed(FailureClass::Transient) => Sign::Down,
            // Nobody rejects a whole call; if somebody did, that would be a mistake of ours.
            Self::Failed(FailureClass::Ours | FailureClass::Rejected) => Sign::Refuses,
        }
    }
}
