//! Step 3, dedupe: which events were delivered before?
//!
//! In: the valid records. Out: the fresh ones, claimed; the others have their verdict on the board. After delivery `settle`
//! remembers what was delivered and forgets every other claim.
//! Never: remembers an event as delivered before its verdict says so; lets a record pass an earlier one of its key.

mod memory;

pub use memory::MemoryStore;

use crate::board::{Board, reason};
use crate::record::Valid;
use crate::together::BoxFuture;
use domain::verdict::Verdict;
use runtime::config::Span;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

/// `[dedupe]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DedupeRaw {
    /// `event-id` or `none`.
    pub strategy: String,
    /// How many delivered event ids the memory store keeps at most, 2 to 10,000,000; one takes about 100 bytes.
    pub capacity: u64,
    /// How long a claim holds when its invocation never came back.
    pub claim: Span,
}

impl Default for DedupeRaw {
    fn default() -> Self {
        Self { strategy: "event-id".to_owned(), capacity: 100_000, claim: Span::from_secs(900) }
    }
}

/// Which invocation holds a claim; another one can neither settle nor release it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimant(pub u64);

/// The store's answer for one event id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It is ours now.
    Fresh,
    /// It was delivered before.
    Delivered,
    /// Another invocation holds it and has not finished.
    Taken,
}

/// The store did not answer; says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the dedupe store did not answer: {0}")]
pub struct StoreFailure(pub String);

/// Remembers event ids across invocations: claimed (for a while), then delivered. One implementation per store.
pub trait SeenStore: Send + Sync {
    /// Claims every id; one answer each, in order. No id stands twice in `ids`.
    fn claim<'a>(&'a self, ids: &'a [&'a str], by: Claimant) -> BoxFuture<'a, Result<Vec<Claim>, StoreFailure>>;

    /// Remembers `delivered`, and forgets the claims on `released`, as far as they are `by`'s.
    fn settle<'a>(
        &'a self,
        delivered: &'a [&'a str],
        released: &'a [&'a str],
        by: Claimant,
    ) -> BoxFuture<'a, Result<(), StoreFailure>>;
}

/// The strategy: by event id in a store, or none.
pub struct Dedupe {
    store: Option<Box<dyn SeenStore>>,
    invocations: AtomicU64,
}

/// What one invocation goes on with, and what it has to settle.
pub struct Claimed<'a> {
    pub fresh: Vec<Valid<'a>>,
    by: Claimant,
    /// Place and id of every claim that is ours.
    claims: Vec<(usize, String)>,
}

impl Dedupe {
    /// Strategy `event-id`.
    pub fn by_event_id(store: Box<dyn SeenStore>) -> Self {
        Self { store: Some(store), invocations: AtomicU64::new(0) }
    }

    /// Strategy `none`: everything is fresh.
    pub fn none() -> Self {
        Self { store: None, invocations: AtomicU64::new(0) }
    }

    /// Settles duplicates, twins and what must wait on the board, and claims the rest.
    pub async fn claim<'a>(&self, valid: Vec<Valid<'a>>, board: &mut Board) -> Claimed<'a> {
        let by = Claimant(self.invocations.fetch_add(1, Ordering::Relaxed));
        let Some(store) = &self.store else {
            return Claimed { fresh: valid, by, claims: Vec::new() };
        };
        let originals = set_twins_aside(valid, board);
        let ids: Vec<&str> = originals.iter().map(|record| record.id.as_ref()).collect();
        match store.claim(&ids, by).await {
            Ok(answers) if answers.len() == originals.len() => sort_out(originals, &answers, by, board),
            Ok(answers) => hold_all(&originals, by, &short(answers.len(), originals.len()), board),
            Err(failure) => hold_all(&originals, by, &failure.to_string(), board),
        }
    }

    /// To be called once the board is final: delivered events are remembered, all other claims are forgotten.
    pub async fn settle(&self, claimed: &Claimed<'_>, board: &Board) {
        let Some(store) = &self.store else { return };
        let (mut delivered, mut released) = (Vec::new(), Vec::new());
        for (place, id) in &claimed.claims {
            let side = if board.is_delivered(*place) { &mut delivered } else { &mut released };
            side.push(id.as_str());
        }
        if let Err(failure) = store.settle(&delivered, &released, claimed.by).await {
            // Only a repeat is at stake: the records are delivered, and a later repeat of them would be delivered again.
            tracing::warn!(error = %failure, events = delivered.len(), "delivered events could not be remembered");
        }
    }
}

fn short(answers: usize, asked: usize) -> String {
    format!("the dedupe store gave {answers} answers to {asked} questions")
}

/// The same event twice in one request: the later one shares the fate of the earlier.
fn set_twins_aside<'a>(valid: Vec<Valid<'a>>, board: &mut Board) -> Vec<Valid<'a>> {
    let mut first: HashMap<String, usize> = HashMap::with_capacity(valid.len());
    let mut originals = Vec::with_capacity(valid.len());
    for record in valid {
        match first.get(record.id.as_ref()) {
            Some(earlier) => board.twin(record.place, *earlier),
            None => {
                first.insert(record.id.to_string(), record.place);
                originals.push(record);
            }
        }
    }
    originals
}

fn sort_out<'a>(originals: Vec<Valid<'a>>, answers: &[Claim], by: Claimant, board: &mut Board) -> Claimed<'a> {
    let mut waiting: HashSet<Vec<u8>> = HashSet::new();
    let mut claimed = Claimed { fresh: Vec::with_capacity(originals.len()), by, claims: Vec::new() };
    for (record, answer) in originals.into_iter().zip(answers) {
        match answer {
            Claim::Delivered => board.settle(record.place, Verdict::Duplicate),
            Claim::Taken => {
                board.retry(record.place, reason::CLAIMED, "another invocation has claimed this event");
                waiting.insert(record.key);
            }
            Claim::Fresh => {
                claimed.claims.push((record.place, record.id.to_string()));
                if waiting.contains(&record.key) {
                    board.retry(
                        record.place,
                        reason::BEHIND_EARLIER,
                        "an earlier event of this key is claimed elsewhere",
                    );
                } else {
                    claimed.fresh.push(record);
                }
            }
        }
    }
    claimed
}

/// Without the store nobody knows what is fresh: everything comes again.
fn hold_all<'a>(originals: &[Valid<'a>], by: Claimant, why: &str, board: &mut Board) -> Claimed<'a> {
    tracing::warn!(error = why, events = originals.len(), "no event could be claimed");
    for record in originals {
        board.retry(record.place, reason::DEDUPE_STORE, why);
    }
    Claimed { fresh: Vec::new(), by, claims: Vec::new() }
}

#[cfg(test)]
mod tests;
