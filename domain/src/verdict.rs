//! The per-record answer of the dispatcher.

/// What became of one record. `Rejected` and `Retry` carry a stable reason word and a detail for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every required destination holds it.
    Delivered,
    /// It was delivered before; nothing was done.
    Duplicate,
    /// It can never be delivered: it becomes a dead letter.
    Rejected { reason: String, detail: String },
    /// It could not be delivered now: it must come again.
    Retry { reason: String, detail: String },
}
