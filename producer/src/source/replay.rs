//! Replays events from NDJSON files: the value bytes go out exactly as they stand in the line.
//!
//! A line ends with `\n` or `\r\n`; empty lines are nothing. A line that holds no valid event is told with file and line
//! number, and the rest goes on. Series are named by the events' ids.
//!
//! Of several instances that read the same files each takes the trucks whose hash falls on it, at the times at which they
//! stand in the whole; bad lines, which have no truck, are told by the first instance.

mod lines;

pub use lines::files;

use super::series::SeriesTable;
use super::totals::Totals;
use super::{BadLine, Fill, SeriesName, Source};
use crate::chunk::{Chunk, Intent, Item, Room, Text};
use crate::instance::Instance;
use crate::shape::{Constant, Curve, Shape};
use crate::ticket::Ticket;
use lines::{Line, Lines};
use std::path::PathBuf;
use std::time::Duration;

/// After this many bad lines in a row the pipeline gets its turn.
const BAD_LINES_AT_ONCE: usize = 100;
/// After this many lines, whatever they held, it gets its turn too.
const LINES_AT_ONCE: usize = 20_000;
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
    curve: Option<Curve>,
    instance: Instance,
    /// Events read, of all instances, and how many of them were due before each second and are ours.
    read: u64,
    taken: Totals,
    ended: bool,
    series: SeriesTable,
    bad: Vec<BadLine>,
}

impl Replay {
    /// Reads `files` in their order, at `rate` events/s or as fast as the limits allow.
    pub fn new(files: Vec<PathBuf>, rate: Option<f64>) -> Self {
        Self::of_instance(files, rate, Instance::default())
    }

    /// The part of the files that is `instance`'s; `rate` is that of all instances together.
    pub fn of_instance(files: Vec<PathBuf>, rate: Option<f64>, instance: Instance) -> Self {
        Self {
            lines: Lines::new(files),
            curve: rate.map(|rate| Shape::Constant(Constant { rate }).curve()),
            instance,
            read: 0,
            taken: Totals::default(),
            ended: false,
            series: SeriesTable::default(),
            bad: Vec::new(),
        }
    }

    fn due(&self, now: Duration) -> Duration {
        self.curve.as_ref().map_or(now, |curve| curve.due(self.read))
    }

    /// Takes the current line as an event, or as a bad line.
    fn take(&mut self, due: Duration, chunk: &mut Chunk) {
        let line = self.lines.current();
        match domain::event::check(line) {
            Ok(event) => {
                self.read += 1;
                if !self.instance.owns_hash(domain::key::hash(event.truck_id.as_bytes())) {
                    return;
                }
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
                    intent: Intent::Delivered,
                    topic: 0,
                    key: Text::default(),
                };
                chunk.push(item);
                if self.curve.is_some() {
                    self.taken.note(due.as_nanos() as u64);
                }
            }
            Err(invalid) => self.tell(invalid.reason(), invalid.to_string()),
        }
    }

    fn tell(&mut self, reason: &'static str, detail: String) {
        if self.instance.number() == 1 {
            self.bad.push(self.lines.bad(reason, detail, KEPT));
        }
    }
}

impl Source for Replay {
    fn fill(&mut self, now: Duration, room: Room, chunk: &mut Chunk) -> Result<Fill, ReplayError> {
        let mut lines = 0;
        while !chunk.is_full(room) && self.bad.len() < BAD_LINES_AT_ONCE && lines < LINES_AT_ONCE {
            lines += 1;
            let due = self.due(now);
            if due > now {
                return Ok(if chunk.is_empty() { Fill::Wait(due) } else { Fill::Taken });
            }
            match self.lines.next()? {
                Line::Read => self.take(due, chunk),
                Line::TooLong => self.tell("too-long", lines::too_long()),
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

    /// Behind the plan it is not known how many of the events to come are ours: as many as of those that were read.
    fn planned(&self, until: Duration) -> Option<u64> {
        let due = self.curve.as_ref()?.count(until);
        if self.instance.is_alone() {
            return Some(if self.ended { due.min(self.read) } else { due });
        }
        let known = self.taken.before(until.as_secs()).filter(|_| until.subsec_nanos() == 0);
        let share = self.taken.all() as f64 / self.read.max(1) as f64;
        let to_come = |due: u64| (due.saturating_sub(self.read) as f64 * share).round() as u64;
        Some(known.unwrap_or_else(|| self.taken.all() + if self.ended { 0 } else { to_come(due) }))
    }
}

#[cfg(test)]
mod tests;
