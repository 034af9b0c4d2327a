//! What proves delivery: per run and key, which seq numbers reached which fate.
//!
//! Everything is kept as ranges of seq numbers, so a run of 10^9 events needs memory for its keys and gaps, not for its events.

mod deliveries;
mod produced;
mod proof;
mod seq_set;

pub use deliveries::{Deliveries, Seen};
pub use produced::{Produced, ProducedKey};
pub use proof::{Proof, verify};
pub use seq_set::SeqSet;

use crate::event::EventId;

/// What a seq number counts within: one run, truck and codigo.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LedgerKey {
    pub run: String,
    pub truck_id: String,
    pub codigo: u32,
}

impl From<&EventId> for LedgerKey {
    fn from(id: &EventId) -> Self {
        Self { run: id.run.clone(), truck_id: id.truck_id.clone(), codigo: id.codigo }
    }
}

/// Records set aside as dead letters, per key; the seqs come from the records' headers or values.
pub type DeadLetters = Deliveries;
