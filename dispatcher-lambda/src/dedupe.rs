//! Step 3, dedupe: which events were delivered before?
//!
//! In: the valid records. Out: the fresh ones; the others have their verdict on the board. After delivery `settle` remembers what was
//! delivered.
//! Never: remembers an event as delivered before its verdict says so; lets a record pass an earlier one of its key.

/// What a store can do.
mod store;
/// Strategy `event-id`.
mod event_ids;
/// Strategy `offsets`.
mod offsets;
mod dynamodb;
mod memory;
mod redis;
/// `[dedupe]` as written, and what is built from it.
mod settings;

pub use dynamodb::{DynamoDbStore, DynamoDbStoreRaw};
pub use memory::MemoryStore;
pub use redis::{RedisStore, RedisStoreRaw};
pub use settings::DedupeRaw;
pub use store::{Claim, Claimant, FenceStore, SeenStore, StoreFailure};

use crate::board::{Board, reason};
use crate::record::{Head, Record, Valid};
use std::time::Duration;

/// A claim outlives its invocation by so much, because clocks differ.
const SLACK: Duration = Duration::from_secs(2);

/// The strategy and its store.
pub enum Dedupe {
    /// Everything is fresh.
    None,
    EventId {
        store: Box<dyn SeenStore>,
        /// The longest that a claim may hold.
        claim: Duration,
    },
    Offsets {
        store: Box<dyn FenceStore>,
    },
}

/// What one invocation goes on with, and what it has to settle.
pub struct Claimed<'a> {
    pub fresh: Vec<Valid<'a>>,
    held: Held,
}

enum Held {
    Nothing,
    Claims(event_ids::Claims),
    Fence(offsets::Known),
}

impl Dedupe {
    /// Settles on the board what is delivered already, or must wait. What is claimed is ours for as long as the invocation can last, which is
    /// `left`.
    pub async fn claim<'a>(
        &self,
        valid: Vec<Valid<'a>>,
        head: &Head<'_>,
        left: Duration,
        board: &mut Board,
    ) -> Claimed<'a> {
        match self {
            Self::None => Claimed { fresh: valid, held: Held::Nothing },
            Self::EventId { store, claim } => {
                let span = (left + SLACK).min(*claim);
                let (fresh, claims) = event_ids::claim(store.as_ref(), valid, span, board).await;
                Claimed { fresh, held: Held::Claims(claims) }
            }
            Self::Offsets { store } => {
                let (fresh, known) = offsets::claim(store.as_ref(), valid, head, board).await;
                Claimed { fresh, held: known.map_or(Held::Nothing, Held::Fence) }
            }
        }
    }

    /// To be called once the board is final: what is delivered is remembered. Whatever goes wrong here costs a repeat, never a record.
    pub async fn settle(&self, claimed: &Claimed<'_>, head: &Head<'_>, records: &[Record<'_>], board: &Board) {
        match (self, &claimed.held) {
            (Self::EventId { store, .. }, Held::Claims(claims)) => {
                event_ids::settle(store.as_ref(), claims, board).await
            }
            (Self::Offsets { store }, Held::Fence(known)) => {
                offsets::settle(store.as_ref(), known, head, records, board).await;
            }
            _ => {}
        }
    }
}

/// Without the store nobody knows what is fresh: everything comes again.
fn hold_all(records: &[Valid<'_>], why: &str, board: &mut Board) {
    tracing::warn!(error = why, events = records.len(), "nobody knows which events are fresh");
    for record in records {
        board.retry(record.place, reason::DEDUPE_STORE, why);
    }
}

#[cfg(test)]
mod tests;
