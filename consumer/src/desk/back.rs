//! Partitions whose reading goes back: their log was cut, or the topic made anew.
//!
//! What was read so far may be nowhere else any more, so it is still delivered, but nothing of it is committed: offsets are those of other
//! records now. So it stays with its generation, a new one begins where reading goes on, and the group's offset goes back there.

use super::seat::Seat;
use super::{Desk, suspects};
use crate::assignment::{Held, TopicPartition};
use crate::event::Event;
use domain::offset::NextOffset;

/// A partition went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    pub at: TopicPartition,
    /// Up to where it was read, or committed.
    pub from: i64,
    /// Where reading goes on.
    pub to: i64,
}

impl Desk {
    /// A record at `to` came that is not the one which was read there.
    pub(super) fn go_back(&mut self, topic: &str, partition: i32, to: i64) {
        let Some(seat) = self.seats.find(topic, partition).filter(|seat| seat.is_open()) else { return };
        let held = seat.held().clone();
        self.begin_anew(&held, to);
    }

    /// A look at the log of a partition may have shown that it ends before what was read.
    pub(super) fn check_log(&mut self, held: &Held) {
        let Some(seat) = self.seats.held(held).filter(|seat| seat.is_open()) else { return };
        if let Some(to) = seat.trail.anew() {
            self.begin_anew(held, to);
        }
    }

    /// What there is to tell of partitions that went back, in order.
    pub fn take_returns(&mut self) -> Vec<Return> {
        std::mem::take(&mut self.returns)
    }

    fn begin_anew(&mut self, held: &Held, to: i64) {
        let plan = self.seats.plan(&held.at.topic);
        let (Some(plan), Some(mut old)) = (plan, self.seats.remove(held)) else { return };
        // Whatever room there is: it is no more than one partition may hold.
        for mut batch in old.finish(self.now) {
            self.memory.take(plan, batch.bytes);
            batch.suspects = suspects(&self.ledger, &batch);
            self.outbox.push(Event::Closed(Box::new(batch)));
        }
        self.generation.0 += 1;
        let new = Held { at: held.at.clone(), generation: self.generation };
        self.ledger.go_back(&new, NextOffset(to));
        let mut seat = Seat::new(&new, &self.settings).in_place_of(&old);
        seat.trail = old.trail.back(to, self.wall_ms);
        self.seats.insert(seat);
        self.outbox.push(Event::Assigned(vec![new]));
        let from = old.trail.place().unwrap_or(to);
        self.returns.push(Return { at: held.at.clone(), from, to });
    }
}
