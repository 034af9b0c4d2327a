//! One partition in one generation: which received records are not finished, and what Kafka was told.

use super::ranges::Ranges;
use domain::offset::{NextOffset, Offset};

/// Holds only what is unfinished, so its size follows what is in flight, not what went through.
///
/// Offsets that never arrive (compaction, transactions) are in no range and hold nothing up.
#[derive(Debug, Default)]
pub(super) struct Tally {
    unfinished: Ranges,
    /// Where this generation began to read.
    start: Option<Offset>,
    end: Option<NextOffset>,
    committed: Option<NextOffset>,
    asked: Option<NextOffset>,
}

impl Tally {
    pub(super) fn received(&mut self, offset: Offset) {
        self.unfinished.insert(offset.0);
        self.start.get_or_insert(offset);
        self.end = self.end.max(Some(offset.next()));
    }

    pub(super) fn finished(&mut self, offset: Offset) {
        self.unfinished.remove(offset.0);
    }

    pub(super) fn next(&self) -> Option<NextOffset> {
        // The first unfinished record is itself the next one to read.
        self.unfinished.first().map(NextOffset).or(self.end)
    }

    pub(super) fn committed(&self) -> Option<NextOffset> {
        self.committed
    }

    pub(super) fn end(&self) -> Option<NextOffset> {
        self.end
    }

    /// The next offset, when it is beyond everything confirmed, asked for, or known before anything was finished.
    pub(super) fn due(&self) -> Option<NextOffset> {
        let known = self.committed.max(self.asked).max(self.start.map(|start| NextOffset(start.0)));
        self.next().filter(|next| Some(*next) > known)
    }

    /// As `due`, but what is under way counts for nothing: for the last commit before a partition goes.
    pub(super) fn last_word(&self) -> Option<NextOffset> {
        let known = self.committed.max(self.start.map(|start| NextOffset(start.0)));
        self.next().filter(|next| Some(*next) > known)
    }

    pub(super) fn asked(&mut self, next: NextOffset) {
        self.asked = self.asked.max(Some(next));
    }

    pub(super) fn confirmed(&mut self, next: NextOffset) {
        self.committed = self.committed.max(Some(next));
    }

    pub(super) fn refused(&mut self) {
        self.asked = None;
    }

    pub(super) fn ranges(&self) -> usize {
        self.unfinished.len()
    }
}
