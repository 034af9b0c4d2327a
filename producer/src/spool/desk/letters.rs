//! Dead letters of events of the spool that found no place: the events stay, and each letter is tried again from time to time.
//!
//! An event that was set aside goes to Kafka no more, for later ones of its key may be there. So only its letter is made anew.

use super::Desk;
use crate::answers::Unplaced;
use crate::spool::Spooled;
use std::collections::VecDeque;
use std::time::Duration;

/// So long after a letter found no place others wait.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// The letters, in the order in which they found no place.
#[derive(Debug, Default)]
pub(super) struct Letters {
    waiting: VecDeque<Unplaced>,
    not_before: Duration,
}

impl Letters {
    pub(super) fn add(&mut self, unplaced: Vec<Unplaced>, now: Duration) {
        if !unplaced.is_empty() {
            self.not_before = now + TRY_AGAIN;
            self.waiting.extend(unplaced);
        }
    }

    /// The numbers of their events.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &u64> {
        self.waiting.iter().map(|letter| &letter.number)
    }
}

impl Desk {
    /// The next letter that may be tried again, with its event.
    pub fn next_letter(&mut self) -> Option<(Unplaced, Spooled)> {
        if self.disk.refuses() || self.clock.now() < self.letters.not_before {
            return None;
        }
        let letter = self.letters.waiting.pop_front()?;
        let event = self.pulse.during(|| self.spool.event(letter.number));
        match self.note(event) {
            Some(event) => event.map(|event| (letter, event)),
            None => {
                self.letter_waits(letter);
                None
            }
        }
    }

    /// The letter could not be handed on: it is the next again.
    pub fn letter_waits(&mut self, letter: Unplaced) {
        self.letters.waiting.push_front(letter);
    }
}
