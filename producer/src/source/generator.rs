//! Generates the events of a fleet from a profile: open loop, deterministic, cheap.
//!
//! Event `i` is due when the shape says so, whatever happened to the events before it. The same profile, run and start
//! make the same bytes, and so do several instances together.

use super::again::{Again, Kept};
use super::codes::CodeMix;
use super::fate::{Fate, Fates};
use super::fleet::{Driven, Fleet};
use super::invalid::spoil;
use super::offline::nanos;
use super::oversize::pad;
use super::walk::{Next, Turn, Walk};
use super::{BadLine, Fill, ReplayError, SeriesName, Source};
use crate::chunk::{Chunk, Intent, Item, Room, Text};
use crate::instance::Instance;
use crate::profile::Profile;
use crate::ticket::Ticket;
use domain::event::{Event, encode};
use std::collections::VecDeque;
use std::hint::black_box;
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
    instance: Instance,
    walk: Walk,
    fleet: Fleet,
    codes: Vec<u32>,
    mix: CodeMix,
    /// The place of the hot key's codigo.
    hot_rank: usize,
    fates: Fates,
    oversize_bytes: usize,
    again: Again,
    /// The last seq of each series; the series of a truck stand side by side.
    seqs: Vec<u64>,
    /// Turns that are due and not taken yet.
    ahead: VecDeque<Turn>,
}

/// So many turns are looked up before the first is taken, so that the waits for their trucks overlap.
const LOOK_AHEAD: usize = 32;

impl Generator {
    /// The whole load.
    ///
    /// # Errors
    /// Codes or trucks that make no distribution; a checked profile has none.
    pub fn new(profile: &Profile, run: Run) -> Result<Self, String> {
        Self::of_instance(profile, run, Instance::default())
    }

    /// The part of the load that is `instance`'s: with the same run and start, all instances together make the whole load.
    ///
    /// # Errors
    /// As [`Generator::new`].
    pub fn of_instance(profile: &Profile, run: Run, instance: Instance) -> Result<Self, String> {
        let fleet = Fleet::new(profile.trucks, instance, profile.seed);
        let codes = profile.codes.codes.clone();
        let hot = profile.mix.hot_key.and_then(|hot| codes.iter().position(|codigo| *codigo == hot.codigo));
        Ok(Self {
            run,
            instance,
            walk: Walk::new(profile, instance)?,
            mix: CodeMix::new(&profile.codes)?,
            hot_rank: hot.unwrap_or_default(),
            fates: Fates::new(&profile.mix),
            oversize_bytes: profile.mix.oversize_bytes.as_usize(),
            again: Again::new(fleet.len(), profile.mix.duplicate_share),
            seqs: vec![0; fleet.len() * codes.len()],
            ahead: VecDeque::with_capacity(LOOK_AHEAD),
            codes,
            fleet,
        })
    }

    /// Looks up the next turns that are due, when none is left; tells what comes after them.
    #[inline]
    fn look_ahead(&mut self, until: u64) -> Next {
        let mut after = Next::Passed;
        while self.ahead.len() < LOOK_AHEAD {
            after = self.walk.next(until);
            let Next::Turn(turn) = after else { break };
            self.ahead.push_back(turn);
        }
        self.warm();
        after
    }

    /// Fetches the trucks and the seqs of the next turns into this processor's cache, side by side: one after the other, each
    /// costs a wait of its own. A truck's second turn may be another code's than looks so here; that costs the wait.
    fn warm(&self) {
        let places = || self.ahead.iter().map(|turn| self.instance.place(turn.truck) as usize);
        black_box(places().fold(0, |all, place| all ^ self.fleet.look_at(place).touched()));
        let seq = |place: usize| {
            let rank = self.mix.draw(&mut self.fleet.look_at(place).stream.clone());
            self.seqs[place * self.codes.len() + rank]
        };
        black_box(places().fold(0, |all, place| all ^ seq(place)));
    }

    /// Makes the event of a turn.
    #[inline]
    fn generate(&mut self, turn: Turn, chunk: &mut Chunk) {
        let (place, due) = (self.instance.place(turn.truck) as usize, Duration::from_nanos(turn.due));
        let (driven, id) = self.fleet.at(place);
        let first_series = place * self.codes.len();
        if let Some(kept) = self.again.take(place) {
            repeat(kept, (self.codes[kept.rank], first_series), (due, id), chunk);
            return;
        }
        let rank = if turn.is_hot { self.hot_rank } else { self.mix.draw(&mut driven.stream) };
        let fate = self.fates.draw(&mut driven.stream);
        let Driven { truck, stream } = driven;
        truck.advance(turn.at as f64 / 1e9, stream);
        let series = first_series + rank;
        self.seqs[series] += 1;
        let event = Event {
            run: &self.run.id,
            codigo: self.codes[rank],
            truck_id: id,
            seq: self.seqs[series],
            ts: self.run.start_ms.saturating_add((turn.at / 1_000_000) as i64),
            readings: truck.readings(),
        };
        let value = chunk.write(|buffer| write(&event, fate, self.oversize_bytes, buffer));
        if fate == Fate::Twice {
            self.again.keep(place, event.ts, (rank, event.seq), chunk.text(value));
        }
        push(&event, (due, series as u32), (fate, value), chunk);
    }
}

fn write(event: &Event<'_>, fate: Fate, oversize_bytes: usize, buffer: &mut Vec<u8>) {
    let start = buffer.len();
    encode(event, buffer);
    match fate {
        Fate::Good | Fate::Twice => {}
        Fate::Invalid(kind) => spoil(kind, buffer, start),
        Fate::Oversize => pad(buffer, start, oversize_bytes),
    }
}

fn push(event: &Event<'_>, (due, series): (Duration, u32), (fate, value): (Fate, Text), chunk: &mut Chunk) {
    let intent = fate.intent();
    let item = Item {
        due,
        ts: event.ts,
        codigo: event.codigo,
        truck: chunk.write(|buffer| buffer.extend_from_slice(event.truck_id.as_bytes())),
        value,
        series,
        seq: event.seq,
        invalid_id: (intent != Intent::Delivered).then(|| chunk.write(|buffer| event.write_id(buffer))),
        intent,
        ticket: Ticket::NONE,
        topic: 0,
        key: Text::default(),
    };
    chunk.push(item);
}

/// Sends an event again: same bytes, same event time, due now.
fn repeat(kept: &Kept, (codigo, first_series): (u32, usize), (due, truck_id): (Duration, &str), chunk: &mut Chunk) {
    let item = Item {
        due,
        ts: kept.ts,
        codigo,
        truck: chunk.write(|buffer| buffer.extend_from_slice(truck_id.as_bytes())),
        value: chunk.write(|buffer| buffer.extend_from_slice(&kept.value)),
        series: (first_series + kept.rank) as u32,
        seq: kept.seq,
        invalid_id: None,
        intent: Intent::Repeat,
        ticket: Ticket::NONE,
        topic: 0,
        key: Text::default(),
    };
    chunk.push(item);
}

impl Source for Generator {
    fn fill(&mut self, now: Duration, room: Room, chunk: &mut Chunk) -> Result<Fill, ReplayError> {
        let until = nanos(now);
        while !chunk.is_full(room) {
            let after = self.look_ahead(until);
            if self.ahead.is_empty() {
                let wait = match after {
                    Next::Turn(_) | Next::Passed => Fill::Wait(now),
                    Next::Wait(due) => Fill::Wait(Duration::from_nanos(due)),
                    Next::End => Fill::End,
                };
                return Ok(if chunk.is_empty() { wait } else { Fill::Taken });
            }
            while !chunk.is_full(room)
                && let Some(turn) = self.ahead.pop_front()
            {
                self.generate(turn, chunk);
            }
        }
        Ok(Fill::Taken)
    }

    fn bad_lines(&mut self) -> Vec<BadLine> {
        Vec::new()
    }

    fn series(&self, number: u32) -> Option<SeriesName> {
        let (place, rank) = (number as usize / self.codes.len(), number as usize % self.codes.len());
        let truck_id = self.fleet.id(place)?.to_owned();
        Some(SeriesName { run: self.run.id.clone(), truck_id, codigo: *self.codes.get(rank)? })
    }

    fn planned(&self, until: Duration) -> Option<u64> {
        Some(self.walk.planned(until))
    }
}
