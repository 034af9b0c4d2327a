//! Partitions that begin where we say, and not where Kafka's client stands: nothing of them is read until it was told.
//!
//! First a look at the log, asked late enough, says where that is; then the poll thread takes the client there. That goes for partitions of another topic
//! than before, and, with `consumer.start = "latest"`, for those without a committed offset.

use super::Desk;
use super::seat::Seat;
use crate::assignment::Held;
use crate::lag::Look;
use domain::offset::NextOffset;

/// See the head of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outset {
    /// At the beginning of the log, as a look shows it that is asked from then on: wall clock, in milliseconds.
    Beginning { from_ms: i64 },
    /// At its end, likewise.
    End { from_ms: i64 },
    /// There.
    At(i64),
}

impl Outset {
    fn looked(self, look: Look) -> Self {
        match self {
            Self::Beginning { from_ms } if look.at_ms >= from_ms => Self::At(look.low),
            Self::End { from_ms } if look.at_ms >= from_ms => Self::At(look.end),
            _ => self,
        }
    }
}

impl Desk {
    /// Where Kafka's client is to begin, whatever it stands at, in these partitions; [`Self::begun`] when it was told.
    pub fn outsets(&self) -> Vec<(Held, i64)> {
        let at = |seat: &Seat| match seat.outset? {
            Outset::At(offset) => Some((seat.held().clone(), offset)),
            Outset::Beginning { .. } | Outset::End { .. } => None,
        };
        self.seats.iter().filter(|seat| seat.is_open()).filter_map(at).collect()
    }

    /// It was told: what comes from now on is read. [`Self::take_brake`] says that the partition goes on.
    pub fn begun(&mut self, held: &Held, offset: i64) {
        if let Some(seat) = self.seats.held(held).filter(|seat| seat.outset == Some(Outset::At(offset))) {
            seat.outset = None;
        }
    }

    /// A look at the log may say where a partition begins.
    pub(super) fn find_outset(&mut self, held: &Held, look: Look) {
        let Some(seat) = self.seats.held(held).filter(|seat| seat.is_open()) else { return };
        let Some(before) = seat.outset else { return };
        let now = before.looked(look);
        seat.outset = Some(now);
        if let Outset::At(offset) = now
            && before != now
            && seat.trail.settle(offset)
        {
            self.ledger.go_back(held, NextOffset(offset));
        }
    }

    /// Without a committed offset reading begins at the end of a log that was there before this process, and at the beginning of a younger one. Where
    /// that is is said and committed before anything is read, so that a restart skips nothing that came meanwhile.
    pub(super) fn begin_unknown(&mut self, held: &Held, now_ms: i64) {
        let young = self.seats.seen(&held.at.topic).is_some_and(|seen| seen.is_young(held.at.partition));
        if let Some(seat) = self.seats.held(held) {
            let from_ms = now_ms;
            seat.outset = Some(if young { Outset::Beginning { from_ms } } else { Outset::End { from_ms } });
        }
    }
}
