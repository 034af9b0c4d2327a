//! Those who wait for events are told soon when the disk refuses and Kafka is silent: their events are not safe.
//!
//! The events themselves go on, for their order holds only so: what waits for the disk or is with the client stays there, and
//! is sent when that can be. A sender that was told to send again sends a repeat, which is known by its id.

use super::Detour;
use crate::client::{Client, Offered};
use crate::ticket::{Fate, Ticket};
use std::time::Duration;

/// So long a disk may refuse, and an event be without an answer, before its sender is told.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked for those who wait.
const LOOK_EVERY: Duration = Duration::from_millis(250);

const WHY: &str = "the spool's disk refuses, and Kafka does not take it";

impl<C: Client> Detour<C> {
    /// An event that finds no room waits for it, but not for a disk when somebody waits for the event: it is refused, and so is
    /// not in the way of those behind it.
    pub(super) fn or_told(&self, offered: Offered, ticket: Ticket) -> Offered {
        if !matches!(offered, Offered::Full | Offered::Later) || ticket == Ticket::NONE || !self.disk_refuses_for_long()
        {
            return offered;
        }
        self.answers.lost_sight(WHY, ticket);
        Offered::SetAside
    }

    /// Tells those whose events were taken and are neither on the disk nor in Kafka.
    pub(super) fn tell_who_waits(&mut self) {
        let now = self.clock.now();
        if now.saturating_sub(self.told) < LOOK_EVERY || !self.disk_refuses_for_long() {
            return;
        }
        self.told = now;
        let in_flight = self.answers.in_flight.clone();
        let mut tickets = in_flight.forget_tickets(now.saturating_sub(PATIENCE));
        for record in &mut self.again {
            record.flying.ticket = Ticket::NONE;
            tickets.push(in_flight.forget_ticket(record.slot));
        }
        tickets.extend(self.desk.iter_mut().flat_map(|desk| desk.forget_tickets()));
        tickets.into_iter().for_each(|ticket| self.answers.tickets.settle(ticket, Fate::Failed));
    }

    fn disk_refuses_for_long(&self) -> bool {
        self.desk.as_ref().is_some_and(|desk| desk.is_unwell_for(PATIENCE))
    }
}
