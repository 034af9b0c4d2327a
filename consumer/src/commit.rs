//! Commit: what may be committed, and nothing else decides it.
//!
//! In: which offsets were received and which are finished, and which are suspected. Out: next offsets per partition, with what the
//! next owner must know of suspects.
//! Never: passes an unfinished received record, speaks for a revoked generation, or goes back within a generation.

/// A set of offsets as blocks of bits.
mod offsets;
/// One partition in one generation: received, finished, committed.
mod tally;

use crate::assignment::Held;
use crate::suspect::{Suspect, Suspects, Suspicion};
use domain::offset::{NextOffset, Offset};
use tally::Tally;

/// The commit ledger of this process. Everything it is told names the generation it is about.
#[derive(Debug)]
pub struct CommitLedger {
    /// Of every partition.
    lanes: u32,
    held: Vec<(Held, Tally)>,
    /// Where in `held` was last looked: records come in runs of one partition.
    last: usize,
}

/// One next offset to commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub held: Held,
    pub next: NextOffset,
    /// The suspects from there on, for the next owner.
    pub metadata: String,
}

impl CommitLedger {
    pub fn new(lanes: u32) -> Self {
        Self { lanes, held: Vec::new(), last: 0 }
    }

    /// What Kafka holds of a partition that was just assigned: the metadata of its last commit.
    pub fn remember(&mut self, held: &Held, metadata: &str) {
        let lanes = self.lanes;
        if let Some(tally) = self.tally_mut(held) {
            tally.remember(Suspects::read(metadata, lanes), metadata);
        }
    }

    /// A delivery says which of its records are suspected; nothing when its generation is not owned.
    pub fn suspect(&mut self, suspicion: &Suspicion) {
        if let Some(tally) = self.tally_mut(&suspicion.lane.held) {
            tally.suspect(suspicion);
        }
    }

    /// The suspects of `lane` that touch the records from `first` to `last`.
    pub fn suspects(&self, held: &Held, lane: u32, (first, last): (Offset, Offset)) -> Vec<Suspect> {
        self.tally(held).map(|tally| tally.suspects().between(lane, first, last)).unwrap_or_default()
    }

    /// Starts a partition with an empty tally; an older generation of it is forgotten.
    pub fn assign(&mut self, held: &Held) {
        self.held.retain(|(owned, _)| owned.at != held.at);
        self.held.push((held.clone(), Tally::default()));
    }

    /// The same for one that goes on at `next`, which is below what Kafka was told: its first commit says so.
    pub fn go_back(&mut self, held: &Held, next: NextOffset) {
        self.held.retain(|(owned, _)| owned.at != held.at);
        self.held.push((held.clone(), Tally::back(next)));
    }

    /// Nothing below `next` comes any more, and what came is followed by that: all of it finished, `next` is committed.
    pub fn reach(&mut self, held: &Held, next: NextOffset) {
        if let Some(tally) = self.tally_mut(held) {
            tally.reach(next);
        }
    }

    /// Forgets a partition, unless a newer generation owns it already.
    pub fn revoke(&mut self, held: &Held) {
        self.held.retain(|(owned, _)| owned != held);
    }

    /// A record arrived; false when its generation is not owned.
    pub fn received(&mut self, held: &Held, offset: Offset) -> bool {
        self.tally_mut(held).is_some_and(|tally| {
            tally.received(offset);
            true
        })
    }

    /// Records met their fate; false when their generation is not owned, and then they count for nothing.
    pub fn finished(&mut self, held: &Held, offsets: &[Offset]) -> bool {
        self.tally_mut(held).is_some_and(|tally| {
            tally.finished(offsets);
            true
        })
    }

    /// What may be committed now: one past the last record below which everything received is finished.
    pub fn next(&self, held: &Held) -> Option<NextOffset> {
        self.tally(held)?.next()
    }

    /// What Kafka has confirmed in this generation.
    pub fn committed(&self, held: &Held) -> Option<NextOffset> {
        self.tally(held)?.committed()
    }

    /// One past the highest record that arrived in this generation.
    pub fn end(&self, held: &Held) -> Option<NextOffset> {
        self.tally(held)?.end()
    }

    /// Commits that would move a partition forward, or say more of its suspects, over what was confirmed and what is under way.
    pub fn due(&self) -> Vec<Commit> {
        let due = |(held, tally): &(Held, Tally)| {
            let (next, metadata) = tally.due(self.lanes)?;
            Some(Commit { held: held.clone(), next, metadata })
        };
        self.held.iter().filter_map(due).collect()
    }

    /// The commit that says more than what Kafka confirmed; what is under way counts for nothing.
    pub fn last_word(&self, held: &Held) -> Option<Commit> {
        let (next, metadata) = self.tally(held)?.last_word(self.lanes)?;
        Some(Commit { held: held.clone(), next, metadata })
    }

    /// These commits are under way.
    pub fn asked(&mut self, commits: &[Commit]) {
        for Commit { held, next, metadata } in commits {
            if let Some(tally) = self.tally_mut(held) {
                tally.asked(*next, metadata);
            }
        }
    }

    /// Kafka confirmed a commit.
    pub fn confirmed(&mut self, commit: &Commit) {
        if let Some(tally) = self.tally_mut(&commit.held) {
            tally.confirmed(commit.next, &commit.metadata);
        }
    }

    /// Kafka refused a commit: it is due again.
    pub fn refused(&mut self, commit: &Commit) {
        if let Some(tally) = self.tally_mut(&commit.held) {
            tally.refused();
        }
    }

    /// How many blocks of 512 offsets with unfinished ones among them the ledger holds, over all partitions: its memory.
    pub fn blocks(&self) -> usize {
        self.held.iter().map(|(_, tally)| tally.blocks()).sum()
    }

    fn tally(&self, held: &Held) -> Option<&Tally> {
        self.held.iter().find(|(owned, _)| owned == held).map(|(_, tally)| tally)
    }

    fn tally_mut(&mut self, held: &Held) -> Option<&mut Tally> {
        if self.held.get(self.last).is_none_or(|(owned, _)| owned != held) {
            self.last = self.held.iter().position(|(owned, _)| owned == held)?;
        }
        self.held.get_mut(self.last).map(|(_, tally)| tally)
    }
}
