//! How many events were due before each second of the run, noted as they are met.

use super::walk::SECOND;

/// Running totals; events must be noted in the order in which they are due.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    /// Events due before second 0, 1, 2, ...
    before: Vec<u64>,
    count: u64,
}

impl Totals {
    /// Takes down an event that is due at `due`, nanoseconds since the start of the run.
    #[inline]
    pub(super) fn note(&mut self, due: u64) {
        let seconds = (due / SECOND) as usize + 1;
        if self.before.len() < seconds {
            self.before.resize(seconds, self.count);
        }
        self.count += 1;
    }

    /// Events due before `second`; `None` when no event of that second or a later one was met yet.
    pub(super) fn before(&self, second: u64) -> Option<u64> {
        self.before.get(usize::try_from(second).ok()?).copied()
    }

    /// All events that were noted.
    pub(super) fn all(&self) -> u64 {
        self.count
    }
}
