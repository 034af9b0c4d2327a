//! The end of a run: what has no answer goes to the spool, or counts as failed without one.

use super::Detour;
use super::renewal::Then;
use crate::client::Client;
use crate::spool::desk::{Desk, Waiting};
use std::time::Duration;

/// How long the client may take to give back what it has: twice a resolver's usual patience.
const GIVE_BACK: Duration = Duration::from_secs(10);
/// How long the last answers may take after everything was given up.
const LAST_ANSWERS: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

const WHY: &str = "not acknowledged before the shutdown deadline";

impl<C: Client> Detour<C> {
    /// Everything that the client has goes to the disk, as far as it can be had.
    pub(super) fn all_to_spool(&mut self, alive: &dyn Fn()) {
        // One that is being replaced already comes first.
        self.wait_for_returned(alive);
        if self.replace(Then::Again) {
            self.wait_for_returned(alive);
        }
        let letters = self.letters();
        self.again_to_spool(&letters);
    }

    fn wait_for_returned(&mut self, alive: &dyn Fn()) {
        let until = self.clock.now() + GIVE_BACK;
        while self.renewal.retires() && self.clock.now() < until {
            self.client.wait_for_room(LOOK_AGAIN);
            alive();
            self.take_back();
        }
        self.take_what_came_back();
    }

    /// Waits for a client that is being replaced no more.
    pub(super) fn take_what_came_back(&mut self) {
        if self.renewal.stop_waiting() {
            let returned = self.client.returned_so_far();
            tracing::error!(records = returned.len(), "the client keeps records beside these: they count as failed");
            self.keep(returned);
        }
    }

    /// What has no place counts as failed.
    pub(super) fn fail_the_rest(&mut self) {
        let waiting = self.desk.as_mut().map(Desk::abandon).unwrap_or_default();
        for event in waiting {
            match event {
                Waiting::New(_, ticket) => self.answers.lost_sight(WHY, ticket),
                Waiting::Back(record, _) => self.again.push_back(*record),
            }
        }
        for record in std::mem::take(&mut self.again) {
            if record.flying.spooled == 0 {
                self.answers.lost_sight(WHY, record.flying.ticket);
            }
            self.client.release(record.slot);
        }
    }

    pub(super) fn wait_for_last_answers(&mut self, alive: &dyn Fn()) {
        let until = self.clock.now() + LAST_ANSWERS;
        while !self.client.all_answered() && self.clock.now() < until {
            self.client.wait_for_room(LOOK_AGAIN);
            alive();
        }
    }
}
