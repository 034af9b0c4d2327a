//! Replays events from NDJSON files: the value bytes go out exactly as they stand in the line.
//!
//! A line ends with `\n` or `\r\n`; empty lines are nothing. A line that holds no valid event is told with file and line
//! number, and the rest goes on. Series are named by the events' ids.

mod lines;

pub use lines::files;

use super::series::SeriesTable;
use super::{BadLine, Fill, SeriesName, Source};
use crate::chunk::{Chunk, Item, Room, Text};
use crate::shape::{Constant, Shape};
use crate::ticket::Ticket;
use lines::{Line, Lines};
use std::path::PathBuf;
use std::time::Duration;

/// After this many bad lines in a row the pipeline gets its turn.
const BAD_LINES_AT_ONCE: usize = 100;
/// How much of a bad line is kept.
const KEPT: usize = 64 * 1024;

/// A file that became unreadable while it was read, or that cannot be found.
#[derive(Debug, thiserror::Error)]
#[error("replay {}: {reason}", path.display())]
pub struct ReplayError {
    pub path: PathBuf,
    pub reason: String,
}

/// A source that reads files.
pub struct Replay {
    lines: Lines,
    /// When event i is due; without a rate every event is due when it is read.
    shape: Option<Shape>,
    taken: u64,
    ended: bool,
    series: SeriesTable,
    bad: Vec<BadLine>,
}

impl Replay {
    /// Reads `files` in their order, at `rate` events/s or as fast as the limits allow.
    pub fn new(files: Vec<PathBuf>, rate: Option<f64>) -> Self {
        Self {
            lines: Lines::new(files),
            shape: rate.map(|rate| Shape::Constant(Constant { rate })),
            taken: 0,
            ended: false,
            series: SeriesTable::default(),
            bad: Vec::new(),
        }
    }

    fn due(&self, now: Duration) -> Duration {
        self.shape.as_ref().map_or(now, |shape| shape.due(self.taken))
    }

    /// Takes the current line as an event, or as a bad line.
    fn take(&mut self, due: Duration, chunk: &mut Chunk) {
        let line = self.lines.current();
        match domain::event::check(line) {
            Ok(event) => {
                let (series, seq) = self.series.place(&event.id);
                let item = Item {
                    due,
                    ts: event.ts,
                    codigo: event.codigo,
                    truck: chunk.write(|buffer| buffer.extend_from_slice(event.truck_id.as_bytes())),
                    value: chunk.write(|buffer| buffer.extend_from_slice(line)),
                    series,
                    seq,
                    invalid_id: None,
                    ticket: Ticket::NONE,
                    topic: 0,
                    key: Text::default(),
                };
                chunk.push(item);
                self.taken += 1;
            }
            Err(invalid) => self.bad.push(self.lines.bad(invalid.reason(), invalid.to_string(), KEPT)),
        }
    }
}

impl Source for Replay {
    fn fill(&mut self, now: Duration, room: Room, chunk: &mut Chunk) -> Result<Fill, ReplayError> {
        while !chunk.is_full(room) && self.bad.len() < BAD_LINES_AT_ONCE {
            let due = self.due(now);
            if due > now {
                return Ok(if chunk.is_empty() { Fill::Wait(due) } else { Fill::Taken });
            }
            match self.lines.next()? {
                Line::Read => self.take(due, chunk),
                Line::TooLong => self.bad.push(self.lines.bad("too-long", lines::too_long(), KEPT)),
                Line::End => {
                    self.ended = true;
                    break;
                }
            }
        }
        Ok(match (chunk.is_empty(), self.ended) {
            (false, _) => Fill::Taken,
            (true, true) => Fill::End,
            (true, false) => Fill::Wait(now),
        })
    }

    fn bad_lines(&mut self) -> Vec<BadLine> {
        std::mem::take(&mut self.bad)
    }

    fn series(&self, number: u32) -> Option<SeriesName> {
        self.series.name(number)
    }

    fn planned(&self, until: Duration) -> Option<u64> {
        let planned = self.shape.as_ref()?.count(until);
        Some(if self.ended { planned.min(self.taken) } else { planned })
    }
}

#[cfg(test)]
mod tests;
