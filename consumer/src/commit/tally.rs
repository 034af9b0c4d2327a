//! One partition in one generation: which received records are not finished, and what Kafka was told.

use super::offsets::Offsets;
use crate::suspect::{Suspects, Suspicion};
use domain::offset::{NextOffset, Offset};

/// Holds only what is unfinished, so its size follows what is in flight, not what went through.
///
/// Offsets that never arrive (compaction, transactions) are in no range and hold nothing up.
#[derive(Debug, Default)]
pub(super) struct Tally {
    unfinished: Offsets,
    /// Where this generation began to read, which Kafka need not be told; `None` for one that went back.
    start: Option<Offset>,
    went_back: bool,
    end: Option<NextOffset>,
    committed: Option<NextOffset>,
    asked: Option<NextOffset>,
    suspects: Suspects,
    /// The metadata that Kafka holds, and what it was asked to hold.
    noted: String,
    noting: Option<String>,
}

impl Tally {
    /// Of a partition that goes on at `next`, below what Kafka was told before: the first commit says so.
    pub(super) fn back(next: NextOffset) -> Self {
        Self { end: Some(next), went_back: true, ..Self::default() }
    }

    pub(super) fn received(&mut self, offset: Offset) {
        self.unfinished.insert(offset);
        if !self.went_back {
            self.start.get_or_insert(offset);
        }
        self.end = self.end.max(Some(offset.next()));
    }

    pub(super) fn reach(&mut self, next: NextOffset) {
        self.end = self.end.max(Some(next));
    }

    pub(super) fn finished(&mut self, offsets: &[Offset]) {
        self.unfinished.remove(offsets);
    }

    pub(super) fn next(&self) -> Option<NextOffset> {
        // The first unfinished record is itself the next one to read.
        self.unfinished.first().map(|first| NextOffset(first.0)).or(self.end)
    }

    pub(super) fn committed(&self) -> Option<NextOffset> {
        self.committed
    }

    pub(super) fn end(&self) -> Option<NextOffset> {
        self.end
    }

    /// The next offset and the metadata, when they say more than everything confirmed, asked for, or known before anything was
    /// finished.
    pub(super) fn due(&self, lanes: u32) -> Option<(NextOffset, String)> {
        self.news(self.committed.max(self.asked), self.noting.as_ref().unwrap_or(&self.noted), lanes)
    }

    /// As `due`, but what is under way counts for nothing: for the last commit before a partition goes.
    pub(super) fn last_word(&self, lanes: u32) -> Option<(NextOffset, String)> {
        self.news(self.committed, &self.noted, lanes)
    }

    fn news(&self, told: Option<NextOffset>, noted: &str, lanes: u32) -> Option<(NextOffset, String)> {
        let (next, start) = (self.next()?, self.start.map(|start| NextOffset(start.0)));
        let metadata = self.metadata(next, lanes);
        let known = told.max(start);
        // The same offset with other metadata is news; a lower one never is.
        let fresh = Some(next) > known || (Some(next) == known && metadata != noted);
        fresh.then_some((next, metadata))
    }

    fn metadata(&self, next: NextOffset, lanes: u32) -> String {
        if self.suspects.is_empty() {
            return String::new();
        }
        let mut ahead = self.suspects.clone();
        ahead.forget_below(next);
        ahead.metadata(lanes)
    }

    pub(super) fn asked(&mut self, next: NextOffset, metadata: &str) {
        self.asked = self.asked.max(Some(next));
        self.noting = Some(metadata.to_owned());
    }

    pub(super) fn confirmed(&mut self, next: NextOffset, metadata: &str) {
        if self.went_back && Some(next) > self.end {
            return; // It was asked for before this one went back.
        }
        self.committed = self.committed.max(Some(next));
        metadata.clone_into(&mut self.noted);
        self.noting = None;
        self.suspects.forget_below(next);
    }

    pub(super) fn refused(&mut self) {
        self.asked = None;
        self.noting = None;
    }

    /// What the owner before us knew; Kafka holds it already.
    pub(super) fn remember(&mut self, suspects: Suspects, metadata: &str) {
        self.suspects = suspects;
        metadata.clone_into(&mut self.noted);
    }

    pub(super) fn suspect(&mut self, suspicion: &Suspicion) {
        self.suspects.replace(suspicion);
    }

    pub(super) fn suspects(&self) -> &Suspects {
        &self.suspects
    }

    pub(super) fn blocks(&self) -> usize {
        self.unfinished.blocks()
    }
}
