//! Everything that the poll thread and the tokio side say to each other: one enum each way.

use crate::assignment::{Held, LaneId};
use crate::batch::Batch;
use crate::suspect::Suspicion;
use domain::offset::Offset;
use std::sync::Arc;

/// Names one drain, so that its answer is not taken for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ticket(pub u64);

/// What can happen to the coordinator, in the order in which it happened.
#[derive(Debug)]
pub enum Event {
    /// These partitions are ours from now on; what is under way of an older generation that was not revoked goes on.
    Assigned(Vec<Held>),
    /// A batch is ready to be delivered.
    Closed(Box<Batch>),
    /// These partitions are about to go: finish what is in flight, start nothing, and answer `Command::Drained`.
    Revoked { ticket: Ticket, held: Vec<Held> },
    /// These partitions are gone already: nothing of them may be committed, and nobody waits.
    Lost(Vec<Held>),
    /// The delivery of a lane's batch came to its end, or was stopped.
    LaneDone(LaneId),
    /// This process cannot go on; the sentence says why and what to do.
    Fatal(String),
}

/// What the poll thread is asked to do. Commands are served in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// These records met their fate.
    Finished { held: Held, offsets: Vec<Offset> },
    /// What is suspected of a batch under way.
    Suspected(Suspicion),
    /// A batch takes no more room, whatever became of it.
    Settled { lane: LaneId, bytes: usize },
    /// How many records a batch of this function may have from now on.
    BatchLimit { function: Arc<str>, records: usize },
    /// Everything in flight of this drain came to its end; all its `Finished` were sent before.
    Drained(Ticket),
    /// Stop for good: drain, commit, leave.
    Stop,
    /// Do not wait for what is in flight any longer.
    Hurry,
}
