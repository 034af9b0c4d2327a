//! Hands closed batches over, as far as there is room: what is a topic's own first, and what is common by the topics' weights. Within
//! a topic the batch that was closed first goes first.

use super::{Desk, suspects};
use crate::event::Event;

impl Desk {
    pub(super) fn forward(&mut self) {
        for topic in 0..self.seats.topics() {
            while self.hand_over(topic, |desk, outstanding| desk.may_by_right(topic, outstanding)) {}
        }
        // While nothing is free nobody is asked who wants it: whoever waits for it keeps his turn.
        while self.memory.has_common_room() {
            let (room, seats) = (self.settings.room, &self.seats);
            let wants = |topic| seats.oldest(topic, |outstanding| room.has_credit(outstanding, true)).is_some();
            let Some(topic) = self.shares.next(wants) else { return };
            self.hand_over(topic, |desk, outstanding| desk.settings.room.has_credit(outstanding, true));
        }
    }

    /// Without taking anything that another topic might want.
    fn may_by_right(&self, topic: usize, outstanding: usize) -> bool {
        self.settings.room.has_credit(outstanding, self.memory.has_own_room(topic))
    }

    /// Hands over the topic's oldest batch of a lane that may, by the number of its outstanding batches; false when there is none.
    fn hand_over(&mut self, topic: usize, may: impl Fn(&Self, usize) -> bool) -> bool {
        let Some(place) = self.seats.oldest(topic, |outstanding| may(self, outstanding)) else { return false };
        let Some(mut batch) = self.seats.take(topic, place) else { return false };
        self.memory.take(topic, batch.bytes);
        batch.suspects = suspects(&self.ledger, &batch);
        self.outbox.push(Event::Closed(Box::new(batch)));
        true
    }
}
