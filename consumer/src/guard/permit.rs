//! The permit for one call.

use super::Shared;
use super::outcome::Outcome;
use super::rules::Ticket;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// One call of one function may be under way while this lives. Say how it ended; dropped without that, it only makes room again.
pub struct Permit {
    shared: Arc<Shared>,
    ticket: Option<Ticket>,
    function: Arc<str>,
    most_records: usize,
}

impl Permit {
    pub(super) fn new(shared: Arc<Shared>, next: (Ticket, Arc<str>, usize)) -> Self {
        let (ticket, function, most_records) = next;
        Self { shared, ticket: Some(ticket), function, most_records }
    }

    /// The function that may be called.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The most records that the call may send: few for the probe of a half-open breaker, else any number.
    pub fn most_records(&self) -> usize {
        self.most_records
    }

    /// Whether the call is the probe of a half-open breaker.
    pub fn is_probe(&self) -> bool {
        self.ticket.is_some_and(Ticket::is_probe)
    }

    /// The call ended so, `latency` after it was sent.
    pub fn ended(mut self, outcome: Outcome, latency: Duration) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.change(|book, now| book.rules.end(ticket, outcome, latency, now));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.shared.change(|book, _| book.rules.abandon(ticket));
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("probe", &self.is_probe()).finish_non_exhaustive()
    }
}
