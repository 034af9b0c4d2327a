//! Which partitions are not read now: those that are full, of which what was read ahead waits, and those that somebody has paused by hand,
//! of which nothing is fetched. Neither reason undoes the other: a partition goes on when both are over.

use super::Desk;
use crate::assignment::TopicPartition;
use crate::pause::Pauses;

/// What changes for partitions that we own.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Brake {
    /// To be read no further for a while.
    pub stop: Vec<TopicPartition>,
    pub go_on: Vec<TopicPartition>,
    /// Paused by hand.
    pub pause: Vec<TopicPartition>,
    pub resume: Vec<TopicPartition>,
}

impl Desk {
    /// With orders to pause that outlive every assignment.
    pub fn obeying(mut self, pauses: Pauses) -> Self {
        self.pauses = pauses;
        self
    }

    /// Which partitions must stop, and which may go on. Not to be asked inside a rebalance callback.
    pub fn take_brake(&mut self) -> Brake {
        self.full = false;
        let (room, memory) = (self.settings.room, &self.memory);
        let mut brake = Brake::default();
        for (plan, seat) in self.seats.iter_mut().filter(|(_, seat)| seat.is_open()) {
            let easy = memory.is_easy(plan);
            self.filled += u64::from(seat.fill(|outstanding| room.is_easy(outstanding, easy)));
            seat.hold(self.pauses.holds(&seat.held().at));
            match seat.tell_stop() {
                Some(true) => brake.stop.push(seat.held().at.clone()),
                Some(false) => brake.go_on.push(seat.held().at.clone()),
                None => {}
            }
            match seat.tell_pause() {
                Some(true) => brake.pause.push(seat.held().at.clone()),
                Some(false) => brake.resume.push(seat.held().at.clone()),
                None => {}
            }
        }
        brake
    }

    /// How often a partition stopped because it was full, since this was asked last.
    pub fn take_filled(&mut self) -> u64 {
        std::mem::take(&mut self.filled)
    }
}
