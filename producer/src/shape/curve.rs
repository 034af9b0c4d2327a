//! A curve: the rate over time in straight pieces, and from it when event `i` is due.
//!
//! The number of events due up to a time is the integral of the rate, and event `i` (counted from 0) is due when the
//! integral reaches `i`. Every shape is made of straight pieces, so the integral is a quadratic in each of them and is
//! solved exactly. After the pieces the curve goes on at one rate, or starts again; whole rounds are counted as such, so
//! that a due time is as exact in the hundredth round as in the first.

use std::time::Duration;

/// A part of a shape in which the rate goes from one to another in a straight line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub seconds: f64,
    /// Events/s.
    pub from: f64,
    pub to: f64,
}

impl Line {
    /// The same rate for a time.
    pub(super) fn flat(seconds: f64, rate: f64) -> Self {
        Self { seconds, from: rate, to: rate }
    }
}

/// The rate over time.
#[derive(Debug, Clone)]
pub struct Curve {
    pieces: Vec<Piece>,
    /// Seconds and events of all pieces together.
    length: f64,
    events: f64,
    then: Then,
    peak: f64,
}

#[derive(Debug, Clone, Copy)]
struct Piece {
    /// Seconds and events before it.
    start: f64,
    before: f64,
    /// At its start.
    rate: f64,
    /// Half the change of rate per second: the quadratic term of the integral.
    bend: f64,
}

/// What comes after the pieces.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// This rate.
    Hold(f64),
    /// The pieces again.
    Repeat,
}

/// The sum over many pieces is off by less than this part of it: an event so near to the end of a round is the first of the
/// next. Events stand further apart than that up to 10^13 of them.
const ROUNDED_UP: f64 = 1.0 + 1e-13;

impl Piece {
    fn events(&self, seconds: f64) -> f64 {
        seconds * (self.rate + self.bend * seconds)
    }

    /// Seconds until `events` of the piece are due: the root of the quadratic in the form that stays exact for a flat or a
    /// falling piece.
    fn seconds(&self, events: f64) -> f64 {
        let root = (self.rate * self.rate + 4.0 * self.bend * events).max(0.0).sqrt();
        if self.rate + root > 0.0 { 2.0 * events / (self.rate + root) } else { 0.0 }
    }
}

impl Curve {
    /// `lines` one after the other, then `rate` events/s for ever.
    pub(super) fn holding(lines: &[Line], rate: f64) -> Self {
        let curve = Self::new(lines, Then::Hold(rate));
        Self { peak: curve.peak.max(rate), ..curve }
    }

    /// `lines` one after the other, over and over.
    pub(super) fn repeating(lines: &[Line]) -> Self {
        Self::new(lines, Then::Repeat)
    }

    fn new(lines: &[Line], then: Then) -> Self {
        let mut curve = Self { pieces: Vec::with_capacity(lines.len()), length: 0.0, events: 0.0, then, peak: 0.0 };
        for line in lines {
            let bend = (line.to - line.from) / (2.0 * line.seconds);
            curve.pieces.push(Piece { start: curve.length, before: curve.events, rate: line.from, bend });
            curve.length += line.seconds;
            curve.events += line.seconds * (line.from + line.to) / 2.0;
            curve.peak = curve.peak.max(line.from).max(line.to);
        }
        curve
    }

    /// The highest rate that is ever reached, events/s.
    pub fn peak(&self) -> f64 {
        self.peak
    }

    /// When event `index` is due, counted from the start of the run. Never decreases with `index`.
    pub fn due(&self, index: u64) -> Duration {
        Duration::from_nanos(self.due_nanos(index))
    }

    /// As [`Curve::due`], in nanoseconds, for those who ask a million times a second.
    #[inline]
    pub fn due_nanos(&self, index: u64) -> u64 {
        (self.seconds(index as f64) * 1e9 + 0.5) as u64
    }

    /// How many events are due before `until`: exactly the indexes whose `due` is smaller.
    pub fn count(&self, until: Duration) -> u64 {
        let mut count = self.events(until.as_secs_f64()).ceil().max(0.0) as u64;
        while count > 0 && self.due(count - 1) >= until {
            count -= 1;
        }
        while self.due(count) < until {
            count += 1;
        }
        count
    }

    #[inline]
    fn seconds(&self, events: f64) -> f64 {
        match self.then {
            Then::Hold(rate) if events >= self.events => self.length + (events - self.events) / rate,
            Then::Hold(_) => self.seconds_within(events),
            Then::Repeat => {
                let rounds = (events / self.events * ROUNDED_UP).floor();
                // Rounding may put the rest a hair outside of its round.
                let rest = (events - rounds * self.events).clamp(0.0, self.events);
                rounds * self.length + self.seconds_within(rest)
            }
        }
    }

    /// An event that falls on a border belongs to the next piece that has a rate.
    fn seconds_within(&self, events: f64) -> f64 {
        let after = self.pieces.partition_point(|piece| piece.before <= events);
        let piece = after.checked_sub(1).and_then(|place| self.pieces.get(place));
        piece.map_or(0.0, |piece| piece.start + piece.seconds(events - piece.before))
    }

    fn events(&self, seconds: f64) -> f64 {
        match self.then {
            Then::Hold(rate) if seconds >= self.length => self.events + rate * (seconds - self.length),
            Then::Hold(_) => self.events_within(seconds),
            Then::Repeat => {
                let rounds = (seconds / self.length).floor();
                rounds * self.events + self.events_within((seconds - rounds * self.length).max(0.0))
            }
        }
    }

    fn events_within(&self, seconds: f64) -> f64 {
        let after = self.pieces.partition_point(|piece| piece.start <= seconds);
        let piece = after.checked_sub(1).and_then(|place| self.pieces.get(place));
        piece.map_or(0.0, |piece| piece.before + piece.events(seconds - piece.start))
    }
}
