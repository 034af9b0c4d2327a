//! A closed batch: what is sent in one invocation, and what is kept beside it.

use crate::assignment::LaneId;
use crate::record::{Kept, OwnedRecord};
use crate::suspect::Suspect;
use crate::times::Times;
use domain::contract::OpenBatch;
use domain::offset::Offset;
use std::sync::Arc;

/// Why a batch was closed; the word is a metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// It has as many records as a batch may have.
    Count,
    /// Its first record has waited long enough.
    Age,
    /// The next record would not have fitted.
    Bytes,
    /// The next record has a lower offset: the position was reset.
    Order,
}

impl CloseReason {
    pub const ALL: [Self; 4] = [Self::Count, Self::Age, Self::Bytes, Self::Order];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Age => "age",
            Self::Bytes => "bytes",
            Self::Order => "order",
        }
    }
}

/// A record that may not enter a request: it becomes a dead letter with its original bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    pub record: OwnedRecord,
    /// A stable word.
    pub reason: &'static str,
    /// For people.
    pub detail: String,
}

/// Records of one lane, in offset order. Either part may be empty, not both.
#[derive(Debug, Clone)]
pub struct Batch {
    pub lane: LaneId,
    pub records: OpenBatch,
    pub kept: Arc<Kept>,
    pub unfit: Vec<Unfit>,
    pub reason: CloseReason,
    /// What is known of its records from calls before, in the order of their offsets.
    pub suspects: Vec<Suspect>,
    pub times: Times,
    /// Memory that the batch holds, about.
    pub bytes: usize,
}

impl Batch {
    /// Every offset that the batch answers for, in no particular order.
    pub fn offsets(&self) -> impl Iterator<Item = Offset> + '_ {
        self.records.offsets().chain(self.unfit.iter().map(|unfit| unfit.record.offset))
    }

    pub fn len(&self) -> usize {
        self.records.len() + self.unfit.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
