//! What goes to one destination next, decided without clock or network.
//!
//! Entries are cut into calls once, in order. A call that fails for now is tried again before anything behind it; when its
//! attempts are used up, everything that is left gives up with it, because it would overtake. A call that is refused for good
//! is cut in two until the entries at fault stand alone; only those are rejected. When a destination takes only a part, the
//! rest is tried again alone, and in the end holds back later entries of its keys; as long as each attempt brings it on, none of
//! them counts.

use crate::board::reason;
use crate::destinations::{Failure, Limits, Outcome};
use crate::record::{Entry, Need};
use domain::backoff::Backoff;
use domain::failure::FailureClass;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// How often and after which wait a call is tried again within one invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub attempts: u32,
    pub backoff: Backoff,
}

/// What became of one entry at its destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    Waiting,
    Delivered,
    Rejected { reason: &'static str, detail: String },
    Retry { reason: &'static str, detail: String },
}

/// What to do before the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Go,
    Wait { failures: u32, at_least: Option<Duration> },
}

/// The entries of one destination and what became of them. Calls are lists of indexes into the entries.
pub struct Shipment<'a> {
    entries: &'a [Entry<'a>],
    fates: Vec<Fate>,
    todo: VecDeque<Vec<usize>>,
    /// Keys with an entry that must come again: nothing behind it may go.
    held: HashSet<&'a [u8]>,
    /// Failures of the call that is first in `todo`.
    failures: u32,
    attempts: u32,
}

impl<'a> Shipment<'a> {
    pub fn new(entries: &'a [Entry<'a>], limits: Limits, attempts: u32) -> Self {
        let fates = vec![Fate::Waiting; entries.len()];
        Self { entries, fates, todo: cut(entries, limits), held: HashSet::new(), failures: 0, attempts }
    }

    /// The next call; `None` when every entry has its fate.
    pub fn next(&mut self) -> Option<Vec<usize>> {
        while let Some(call) = self.todo.pop_front() {
            let (held, free): (Vec<usize>, Vec<usize>) =
                call.into_iter().partition(|entry| self.held.contains(self.entries[*entry].key));
            for entry in held {
                self.fates[entry] = retry(reason::BEHIND_EARLIER, "an earlier event of this key must come again");
            }
            if !free.is_empty() {
                return Some(free);
            }
        }
        None
    }

    /// Takes the outcome of the call that `next` gave.
    pub fn record(&mut self, call: Vec<usize>, outcome: Outcome) -> Then {
        match outcome {
            Outcome::Delivered => self.delivered(&call),
            Outcome::Partial(failed) if failed.iter().any(|(index, _)| *index >= call.len()) => {
                let detail = "the destination named entries that it was not given";
                self.again(call, &Failure::new(FailureClass::Transient, detail))
            }
            Outcome::Partial(failed) => self.partial(&call, failed),
            Outcome::Failed(failure) => match failure.class {
                FailureClass::Rejected | FailureClass::TooLarge => self.narrow(call, &failure),
                FailureClass::Throttled | FailureClass::Transient | FailureClass::FunctionError => {
                    self.again(call, &failure)
                }
                FailureClass::Ours => {
                    self.give_up(failure.class.as_str(), &failure.detail);
                    Then::Go
                }
            },
        }
    }

    /// Whatever has no fate yet must come again.
    pub fn give_up(&mut self, reason: &'static str, detail: &str) {
        self.todo.clear();
        for fate in self.fates.iter_mut().filter(|fate| **fate == Fate::Waiting) {
            *fate = retry(reason, detail);
        }
    }

    pub fn into_fates(self) -> Vec<Fate> {
        self.fates
    }

    fn delivered(&mut self, call: &[usize]) -> Then {
        for entry in call {
            self.fates[*entry] = Fate::Delivered;
        }
        self.failures = 0;
        Then::Go
    }

    /// Refused for good: the entry at fault is found by halving.
    fn narrow(&mut self, mut call: Vec<usize>, failure: &Failure) -> Then {
        self.failures = 0;
        if let [entry] = call[..] {
            self.fates[entry] = rejected(failure);
        } else {
            let right = call.split_off(call.len() / 2);
            self.todo.push_front(right);
            self.todo.push_front(call);
        }
        Then::Go
    }

    fn again(&mut self, call: Vec<usize>, failure: &Failure) -> Then {
        self.failures += 1;
        if self.failures >= self.allowed(&call) {
            self.give_up(failure.class.as_str(), &failure.detail);
            return Then::Go;
        }
        self.todo.push_front(call);
        Then::Wait { failures: self.failures, at_least: failure.retry_after }
    }

    fn partial(&mut self, call: &[usize], failed: Vec<(usize, Failure)>) -> Then {
        let failed: Vec<(usize, Failure)> = failed.into_iter().map(|(index, why)| (call[index], why)).collect();
        let none = failed.iter().map(|(entry, _)| *entry).collect::<HashSet<_>>().len() == call.len();
        let failures = if none { self.failures + 1 } else { 1 };
        self.delivered(call);
        let (for_good, for_now): (Vec<_>, Vec<_>) = failed.into_iter().partition(|(_, why)| why.is_for_good());
        for (entry, why) in for_good {
            self.fates[entry] = rejected(&why);
        }
        let mut waiting: Vec<usize> = for_now.iter().map(|(entry, _)| *entry).collect();
        waiting.sort_unstable();
        waiting.dedup();
        if waiting.is_empty() {
            return Then::Go;
        }
        if failures >= self.allowed(&waiting) {
            for (entry, why) in for_now {
                self.fates[entry] = retry(why.class.as_str(), &why.detail);
                self.held.insert(self.entries[entry].key);
            }
            return Then::Go;
        }
        for entry in &waiting {
            self.fates[*entry] = Fate::Waiting;
        }
        self.todo.push_front(waiting);
        self.failures = failures;
        let at_least = for_now.iter().filter_map(|(_, why)| why.retry_after).max();
        Then::Wait { failures, at_least }
    }

    /// Nobody waits for an optional destination's second attempt.
    fn allowed(&self, call: &[usize]) -> u32 {
        let required = call.iter().any(|entry| self.entries[*entry].need == Need::Required);
        if required { self.attempts } else { 1 }
    }
}

/// Calls of at most `limits.records` entries and `limits.bytes` bytes; a larger entry goes alone.
fn cut(entries: &[Entry<'_>], limits: Limits) -> VecDeque<Vec<usize>> {
    let mut calls = VecDeque::new();
    let (mut call, mut bytes) = (Vec::new(), 0);
    for (index, entry) in entries.iter().enumerate() {
        let len = entry.value.len() + 1;
        if !call.is_empty() && (call.len() >= limits.records || bytes + len > limits.bytes) {
            calls.push_back(std::mem::take(&mut call));
            bytes = 0;
        }
        call.push(index);
        bytes += len;
    }
    if !call.is_empty() {
        calls.push_back(call);
    }
    calls
}

fn retry(reason: &'static str, detail: &str) -> Fate {
    Fate::Retry { reason, detail: detail.to_owned() }
}

fn rejected(failure: &Failure) -> Fate {
    Fate::Rejected { reason: failure.class.as_str(), detail: failure.detail.clone() }
}

#[cfg(test)]
mod tests;
