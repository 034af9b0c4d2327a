//! Partitions that begin where we say, and not where Kafka's client stands: nothing of them is read until it was told.
//!
//! First a look at the log, asked late enough, says where that is; then the poll thread takes the client there.

use super::Desk;
use super::seat::Seat;
use crate::assignment::Held;
use crate::lag::Look;

/// See the head of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outset {
    /// At the beginning of the log, as a look shows it that is asked from then on: wall clock, in milliseconds.
    Beginning { from_ms: i64 },
    /// There.
    At(i64),
}

impl Outset {
    fn looked(self, look: Look) -> Self {
        match self {
            Self::Beginning { from_ms } if look.at_ms >= from_ms => Self::At(look.low),
            _ => self,
        }
    }
}

impl Desk {
    /// Where Kafka's client is to begin, whatever it stands at, in these partitions; [`Self::begun`] when it was told.
    pub fn outsets(&self) -> Vec<(Held, i64)> {
        let at = |seat: &Seat| match seat.outset? {
            Outset::At(offset) => Some((seat.held().clone(), offset)),
            Outset::Beginning { .. } => None,
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
        if let Some(seat) = self.seats.held(held) {
            seat.outset = seat.outset.map(|outset| outset.looked(look));
        }
    }
}
