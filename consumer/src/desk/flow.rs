//! How much may be outstanding: batches of a lane, and bytes of all lanes together.

/// The bounds. A lane has one batch in flight; the others of it wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// How many closed batches of a lane may wait behind the one in flight.
    pub waiting: usize,
    /// How many bytes may be outstanding over all partitions.
    pub bytes: usize,
}

impl Room {
    /// Whether a lane with so many batches outstanding may hand over one more, when there is memory for it or not. A lane with none
    /// always may, so that a full house starves nobody.
    pub(super) fn has_credit(self, outstanding: usize, memory: bool) -> bool {
        outstanding == 0 || (outstanding <= self.waiting && memory)
    }

    /// Whether a lane is far enough below its bounds for its paused partition to go on: half of what may wait is worked off,
    /// and a quarter of the memory is free. What still waits must last until the client has fetched again.
    pub(super) fn is_easy(self, outstanding: usize, memory: bool) -> bool {
        outstanding == 0 || (outstanding <= 1.min(self.waiting) + self.waiting / 2 && memory)
    }
}
