//! What became of events of the spool, until the flow asks for it.

use crate::why::Why;

/// Events of the spool, by their numbers there.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Kafka holds them.
    pub acknowledged: Vec<u64>,
    /// They are set aside.
    pub dead_lettered: Vec<u64>,
    /// They were to be set aside, and no place took them: they stay in the spool.
    pub unplaced: Vec<Unplaced>,
}

/// An event of the spool whose dead letter found no place.
#[derive(Debug, PartialEq, Eq)]
pub struct Unplaced {
    pub number: u64,
    pub why: Why,
    pub attempts: u64,
}

impl Ended {
    /// How many have met their end.
    pub(super) fn count(&self) -> u64 {
        (self.acknowledged.len() + self.dead_lettered.len()) as u64
    }

    /// How many the client, or a letter's way, has no more.
    pub fn back(&self) -> u64 {
        self.count() + self.unplaced.len() as u64
    }
}
