//! The three rules together: breaker, concurrency and rate say whether the next call may begin. Pure: time is an argument.

use super::breaker::{Breaker, Look, Passed};
use super::concurrency::{Concurrency, Load, Round};
use super::limits::Limits;
use super::outcome::{Outcome, Sign};
use super::rate::InvocationRate;
use std::time::Duration;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) breaker: Breaker,
    pub(super) concurrency: Concurrency,
    pub(super) rate: InvocationRate,
}

/// A call that began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    passed: Passed,
    round: Round,
}

impl Ticket {
    pub(super) fn is_probe(self) -> bool {
        self.passed.probe
    }
}

/// Why no call may begin now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// It may in so long, if nothing else changes.
    For(Duration),
    /// Not before a call ends or somebody changes something.
    Change,
}

impl Rules {
    /// Lets a call begin. The rate is asked last: it is spent by asking.
    ///
    /// # Errors
    /// What to wait for.
    pub(super) fn begin(&mut self, now: Duration) -> Result<Ticket, Wait> {
        if !self.concurrency.has_room() {
            return Err(Wait::Change);
        }
        match self.breaker.look(now) {
            Look::Pass | Look::Probe => self.rate.take(now).map_err(Wait::For)?,
            Look::Later(span) => return Err(Wait::For(span)),
            Look::Changed => return Err(Wait::Change),
        }
        let passed = self.breaker.pass(now).ok_or(Wait::Change)?;
        Ok(Ticket { passed, round: self.concurrency.begin() })
    }

    pub(super) fn end(&mut self, ticket: Ticket, outcome: Outcome, latency: Duration, now: Duration) {
        let sign = outcome.sign();
        self.breaker.ended(ticket.passed, sign, now);
        let load = match sign {
            Sign::Busy => Load::Throttled,
            Sign::Up => Load::Served(latency),
            Sign::Down | Sign::Refuses => Load::Unknown,
        };
        self.concurrency.end(ticket.round, load);
    }

    /// Says what is wanted beside what is learnt.
    pub(super) fn limits(&self) -> Limits {
        Limits { max_in_flight: self.concurrency.max(), invocations_per_second: self.rate.per_second() }
    }

    pub(super) fn set_limits(&mut self, limits: Limits, now: Duration) {
        self.concurrency.set_max(limits.max_in_flight);
        if limits.invocations_per_second != self.rate.per_second() {
            self.rate = InvocationRate::new(limits.invocations_per_second, now);
        }
    }

    pub(super) fn abandon(&mut self, ticket: Ticket) {
        self.breaker.abandoned(ticket.passed);
        self.concurrency.end(ticket.round, Load::Unknown);
    }

    /// The most records that the call may send.
    pub(super) fn most_records(&self, ticket: Ticket) -> usize {
        if ticket.is_probe() { self.breaker.settings().probe_records } else { usize::MAX }
    }
}
