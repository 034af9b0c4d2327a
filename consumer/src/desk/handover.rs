//! Hands closed batches over, as far as there is room: what is a topic's own first, and what is common by the topics' weights. Within
//! a topic, its retry topics included, the batch that was closed first goes first.

use super::{Desk, suspects};
use crate::event::Event;

impl Desk {
    pub(super) fn forward(&mut self) {
        for plan in 0..self.settings.topics.len() {
            while self.hand_over(plan, |desk, outstanding| desk.may_by_right(plan, outstanding)) {}
        }
        // While nothing is free nobody is asked who wants it: whoever waits for it keeps his turn.
        while self.memory.has_common_room() {
            let (room, seats) = (self.settings.room, &self.seats);
            let wants = |plan| seats.oldest(plan, |outstanding| room.has_credit(outstanding, true)).is_some();
            let Some(plan) = self.shares.next(wants) else { return };
            self.hand_over(plan, |desk, outstanding| desk.settings.room.has_credit(outstanding, true));
        }
    }

    /// Without taking anything that another topic might want.
    fn may_by_right(&self, plan: usize, outstanding: usize) -> bool {
        self.settings.room.has_credit(outstanding, self.memory.has_own_room(plan))
    }

    /// Hands over the topic's oldest batch of a lane that may, by the number of its outstanding batches; false when there is none.
    fn hand_over(&mut self, plan: usize, may: impl Fn(&Self, usize) -> bool) -> bool {
        let Some(place) = self.seats.oldest(plan, |outstanding| may(self, outstanding)) else { return false };
        let Some(mut batch) = self.seats.take(place) else { return false };
        self.memory.take(plan, batch.bytes);
        batch.suspects = suspects(&self.ledger, &batch);
        self.outbox.push(Event::Closed(Box::new(batch)));
        true
    }
}
