//! Where events come from: the border behind which generator, replay and ingest look the same.
//!
//! *In*: a profile, files, or what others hand over. *Out*: events in a chunk, each with the time at which it is due.
//! *Never*: waits, reads a clock or knows Kafka; the pipeline says what time it is and waits.

mod again;
mod codes;
mod fate;
mod fleet;
mod generator;
mod ingest;
mod invalid;
mod load;
mod offline;
mod oversize;
mod replay;
mod series;
mod stream;
mod totals;
mod truck;
mod trucks;
mod walk;

pub use codes::CodeMix;
pub use fleet::truck_id;
pub use generator::{Generator, Run};
pub use ingest::Ingest;
pub use load::Load;
pub use replay::{Replay, ReplayError, files};

use crate::chunk::{Chunk, Room};
use std::time::Duration;

/// What one call of [`Source::fill`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// The chunk holds at least one event, all of them due.
    Taken,
    /// Nothing is due before this time since the start of the run.
    Wait(Duration),
    /// There is nothing more.
    End,
}

/// A line that holds no valid event; the rest of its file goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    pub file: String,
    /// Counted from 1.
    pub line: u64,
    /// Stable word: `not-json`, `version`, `schema` or `too-long`.
    pub reason: &'static str,
    pub detail: String,
    /// What stood there (cut at 64 KiB).
    pub value: Vec<u8>,
}

/// The name of a series: events that share a run, a truck and a codigo, numbered by seq.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SeriesName {
    pub run: String,
    pub truck_id: String,
    pub codigo: u32,
}

/// A source of events.
pub trait Source: Send {
    /// Appends events that are due at `now` (since the start of the run) to `chunk`, as many as `room` allows.
    ///
    /// # Errors
    /// The surroundings failed (a file became unreadable); the run ends.
    fn fill(&mut self, now: Duration, room: Room, chunk: &mut Chunk) -> Result<Fill, ReplayError>;

    /// Bad lines met since the last call.
    fn bad_lines(&mut self) -> Vec<BadLine>;

    /// The name of a series that this source used in an [`crate::chunk::Item`]; `None` when its ids cannot name one.
    fn series(&self, number: u32) -> Option<SeriesName>;

    /// How many events the plan wants out before `until`; `None` for a source without a plan.
    fn planned(&self, until: Duration) -> Option<u64>;

    /// A drain was asked for. True when what has come in must still go out, until [`Fill::End`]: others wait for its fate.
    fn drain(&mut self) -> bool {
        false
    }
}
