//! What the calls of all functions share, and each function's own breaker and concurrency: whether a call of it may begin. Pure: time
//! is an argument.

use super::GuardSettings;
use super::breaker::{Breaker, Look, Passed};
use super::concurrency::{Concurrency, Load, Round};
use super::limits::Limits;
use super::outcome::{Outcome, Sign};
use super::rate::InvocationRate;
use std::time::Duration;

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Rules {
    /// In the order of the guard's functions.
    pub(super) functions: Vec<FunctionRules>,
    pub(super) rate: InvocationRate,
    /// Calls that may be under way at once, and are, over all functions.
    max: usize,
    under_way: usize,
}

/// One function's own.
#[derive(Debug)]
pub(super) struct FunctionRules {
    pub(super) breaker: Breaker,
    pub(super) concurrency: Concurrency,
}

/// A call that began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ticket {
    pub(super) function: usize,
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

impl Wait {
    /// Whichever is over first.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::For(one), Self::For(another)) => Self::For(one.min(another)),
            (Self::For(span), Self::Change) | (Self::Change, Self::For(span)) => Self::For(span),
            (Self::Change, Self::Change) => Self::Change,
        }
    }
}

impl Rules {
    pub(super) fn new(settings: &GuardSettings, functions: usize, now: Duration) -> Self {
        let Limits { max_in_flight, invocations_per_second } = settings.limits;
        let function = || FunctionRules {
            breaker: Breaker::new(settings.breaker),
            concurrency: Concurrency::new(settings.concurrency, max_in_flight),
        };
        Self {
            functions: std::iter::repeat_with(function).take(functions).collect(),
            rate: InvocationRate::new(invocations_per_second, now),
            max: max_in_flight.max(1),
            under_way: 0,
        }
    }

    /// Whether there is room for one more call, whichever function it is for.
    pub(super) fn has_room(&self) -> bool {
        self.under_way < self.max
    }

    /// Calls under way, of all functions.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Whether a call of this function may begin, as far as it is the function's own matter.
    ///
    /// # Errors
    /// What to wait for.
    pub(super) fn look(&self, function: usize, now: Duration) -> Result<(), Wait> {
        let FunctionRules { breaker, concurrency } = &self.functions[function];
        if !concurrency.has_room() {
            return Err(Wait::Change);
        }
        match breaker.look(now) {
            Look::Pass | Look::Probe => Ok(()),
            Look::Later(span) => Err(Wait::For(span)),
            Look::Changed => Err(Wait::Change),
        }
    }

    /// A call begins; the caller has seen that there is room and a look that let it pass. `None`: it had not.
    pub(super) fn begin(&mut self, function: usize, now: Duration) -> Option<Ticket> {
        let FunctionRules { breaker, concurrency } = &mut self.functions[function];
        let passed = breaker.pass(now)?;
        self.under_way += 1;
        Some(Ticket { function, passed, round: concurrency.begin() })
    }

    pub(super) fn end(&mut self, ticket: Ticket, outcome: Outcome, latency: Duration, now: Duration) {
        let FunctionRules { breaker, concurrency } = &mut self.functions[ticket.function];
        let sign = outcome.sign();
        breaker.ended(ticket.passed, sign, now);
        let load = match sign {
            Sign::Busy => Load::Throttled,
            Sign::Up => Load::Served(latency),
            Sign::Down | Sign::Refuses => Load::Unknown,
        };
        concurrency.end(ticket.round, load);
        self.under_way = self.under_way.saturating_sub(1);
    }

    pub(super) fn abandon(&mut self, ticket: Ticket) {
        let FunctionRules { breaker, concurrency } = &mut self.functions[ticket.function];
        breaker.abandoned(ticket.passed);
        concurrency.end(ticket.round, Load::Unknown);
        self.under_way = self.under_way.saturating_sub(1);
    }

    /// Says what is wanted beside what is learnt.
    pub(super) fn limits(&self) -> Limits {
        Limits { max_in_flight: self.max, invocations_per_second: self.rate.per_second() }
    }

    pub(super) fn set_limits(&mut self, limits: Limits, now: Duration) {
        self.max = limits.max_in_flight.max(1);
        self.functions.iter_mut().for_each(|function| function.concurrency.set_max(limits.max_in_flight));
        if limits.invocations_per_second != self.rate.per_second() {
            self.rate = InvocationRate::new(limits.invocations_per_second, now);
        }
    }

    /// The most records that the call may send.
    pub(super) fn most_records(&self, ticket: Ticket) -> usize {
        let breaker = &self.functions[ticket.function].breaker;
        if ticket.is_probe() { breaker.settings().probe_records } else { usize::MAX }
    }
}
