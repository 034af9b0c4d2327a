//! Generates the events of a fleet from a profile: open loop, deterministic, cheap.
//!
//! Event `i` is due when the shape says so, whatever happened to the events before it. The same profile, run and start
//! make the same bytes.

use super::codes::CodeMix;
use super::fleet::Fleet;
use super::invalid::Fault;
use super::{BadLine, Fill, ReplayError, SeriesName, Source};
use crate::chunk::{Chunk, Item, Room, Text};
use crate::profile::Profile;
use crate::shape::Shape;
use crate::ticket::Ticket;
use domain::event::{Event, encode};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

/// What makes the events of this run differ from those of another run of the same profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// 1 to 16 characters of `[0-9a-z]`; part of every event's id.
    pub id: String,
    /// The time of the first event, ms since the epoch.
    pub start_ms: i64,
}

/// A source that makes its events.
pub struct Generator {
    run: Run,
    shape: Shape,
    total: u64,
    next: u64,
    rng: Xoshiro256PlusPlus,
    fleet: Fleet,
    codes: Vec<u32>,
    mix: CodeMix,
    invalid_share: f64,
    /// The last seq of each series; the series of a truck stand side by side.
    seqs: Vec<u64>,
}

impl Generator {
    /// # Errors
    /// Codes that make no distribution; a checked profile has none.
    pub fn new(profile: &Profile, run: Run) -> Result<Self, String> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(profile.seed);
        let fleet = Fleet::new(profile.trucks, &mut rng);
        Ok(Self {
            run,
            total: profile.events(),
            shape: profile.shape.clone(),
            next: 0,
            rng,
            codes: profile.codes.codes.clone(),
            mix: CodeMix::new(&profile.codes)?,
            invalid_share: profile.invalid_share,
            seqs: vec![0; profile.trucks as usize * profile.codes.codes.len()],
            fleet,
        })
    }

    /// Makes the next event, due at `due`.
    fn generate(&mut self, due: Duration, chunk: &mut Chunk) {
        let truck = self.rng.random_range(0..self.fleet.len());
        let rank = self.mix.draw(&mut self.rng);
        let fault = self.rng.random_bool(self.invalid_share).then(|| Fault::draw(&mut self.rng));
        let driven = self.fleet.truck(truck);
        driven.advance(due.as_secs_f64(), &mut self.rng);
        let readings = driven.readings();
        let series = truck as usize * self.codes.len() + rank;
        self.seqs[series] += 1;
        let event = Event {
            run: &self.run.id,
            codigo: self.codes[rank],
            truck_id: self.fleet.id(truck),
            seq: self.seqs[series],
            ts: self.run.start_ms.saturating_add(due.as_millis() as i64),
            readings,
        };
        push(&event, due, series as u32, fault, chunk);
    }
}

fn push(event: &Event<'_>, due: Duration, series: u32, fault: Option<Fault>, chunk: &mut Chunk) {
    let value = chunk.write(|buffer| {
        let start = buffer.len();
        encode(event, buffer);
        if let Some(fault) = fault {
            fault.apply(buffer, start);
        }
    });
    let item = Item {
        due,
        ts: event.ts,
        codigo: event.codigo,
        truck: chunk.write(|buffer| buffer.extend_from_slice(event.truck_id.as_bytes())),
        value,
        series,
        seq: event.seq,
        invalid_id: fault.map(|_| chunk.write(|buffer| event.write_id(buffer))),
        ticket: Ticket::NONE,
        topic: 0,
        key: Text::default(),
    };
    chunk.push(item);
}

impl Source for Generator {
    fn fill(&mut self, now: Duration, room: Room, chunk: &mut Chunk) -> Result<Fill, ReplayError> {
        while self.next < self.total && !chunk.is_full(room) {
            let due = self.shape.due(self.next);
            if due > now {
                return Ok(if chunk.is_empty() { Fill::Wait(due) } else { Fill::Taken });
            }
            self.generate(due, chunk);
            self.next += 1;
        }
        Ok(if chunk.is_empty() { Fill::End } else { Fill::Taken })
    }

    fn bad_lines(&mut self) -> Vec<BadLine> {
        Vec::new()
    }

    fn series(&self, number: u32) -> Option<SeriesName> {
        let (truck, rank) = (number as usize / self.codes.len(), number as usize % self.codes.len());
        let truck_id = self.fleet.id(truck as u32).to_owned();
        Some(SeriesName { run: self.run.id.clone(), truck_id, codigo: *self.codes.get(rank)? })
    }

    fn planned(&self, until: Duration) -> Option<u64> {
        Some(self.shape.count(until).min(self.total))
    }
}
