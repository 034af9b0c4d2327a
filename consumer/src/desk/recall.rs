//! Partitions that were just assigned: nothing of them is read until Kafka has said where the group stands, and what is suspected.

use super::Desk;
use super::seat::Seat;
use crate::assignment::Held;
use crate::lag::Committed;

impl Desk {
    /// Nothing is read of partitions that were just assigned until Kafka has said where the group stands in them.
    pub fn await_recall(&mut self, held: &[Held], now_ms: i64) {
        for held in held {
            self.begin_trail(held, Committed::Unknown, now_ms);
            self.set_recalled(held, false);
        }
    }

    /// It has, for this one.
    pub fn recalled(&mut self, held: &Held) {
        self.set_recalled(held, true);
    }

    /// Those of which it has not. The caller stops reading them; [`Self::take_brake`] says when they go on.
    pub fn stop_unrecalled(&mut self) -> Vec<Held> {
        let all = self.seats.iter_mut().filter(|(_, seat)| seat.is_open() && !seat.is_recalled());
        let stop = |(_, seat): (_, &mut Seat)| {
            seat.tell_stop();
            seat.held().clone()
        };
        all.map(stop).collect()
    }

    fn set_recalled(&mut self, held: &Held, recalled: bool) {
        if let Some(seat) = self.seats.held(held) {
            seat.set_recalled(recalled);
        }
    }

    /// What Kafka holds with the committed offset of a partition that was just assigned.
    pub fn remember(&mut self, held: &Held, metadata: &str) {
        self.ledger.remember(held, metadata);
    }
}
