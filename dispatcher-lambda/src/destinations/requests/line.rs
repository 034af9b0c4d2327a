//! The requests of one line, one after the other, decided without clock or network.
//!
//! A request takes what stands first and fits. What the service did not take is gathered, and so is everything behind it of
//! the same group, because it would overtake; only a refusal for good lets the group go on. A request that fails as a whole
//! ends the line: the next one would meet the same. When it is refused for good, its entries go alone, so that only the
//! one at fault is refused.

use super::Room;
use crate::destinations::{Failure, Outcome};
use domain::failure::FailureClass;
use std::collections::{HashSet, VecDeque};

struct Waiting {
    index: usize,
    group: Vec<u8>,
    bytes: usize,
    /// It was in a request that was refused for good.
    alone: bool,
}

/// The entries of one line, by their index in the parcel, and what failed.
pub struct Line {
    room: Room,
    todo: VecDeque<Waiting>,
    /// What is in the request under way.
    sent: Vec<Waiting>,
    failed: Vec<(usize, Failure)>,
}

impl Line {
    pub fn new(room: Room) -> Self {
        Self { room, todo: VecDeque::new(), sent: Vec::new(), failed: Vec::new() }
    }

    pub fn push(&mut self, index: usize, group: &[u8], bytes: usize) {
        self.todo.push_back(Waiting { index, group: group.to_vec(), bytes, alone: false });
    }

    /// The entries of the next request, in order; `None` when all have been answered for.
    pub fn next(&mut self) -> Option<Vec<usize>> {
        let (mut bytes, mut groups, mut passed) = (0, HashSet::new(), VecDeque::new());
        while let Some(first) = self.todo.pop_front() {
            let full = self.sent.len() >= self.room.entries || bytes + first.bytes > self.room.bytes;
            let closed = full || first.alone || self.sent.last().is_some_and(|last| last.alone);
            if !self.sent.is_empty() && closed {
                self.todo.push_front(first);
                break;
            }
            if self.room.one_of_a_group && groups.contains(&first.group) {
                passed.push_back(first);
                continue;
            }
            bytes += first.bytes;
            groups.insert(first.group.clone());
            self.sent.push(first);
        }
        passed.append(&mut self.todo);
        self.todo = passed;
        (!self.sent.is_empty()).then(|| self.sent.iter().map(|waiting| waiting.index).collect())
    }

    /// Takes the outcome of the request that `next` gave.
    pub fn answered(&mut self, call: &[usize], outcome: Outcome) {
        let sent = std::mem::take(&mut self.sent);
        match outcome {
            Outcome::Delivered => {}
            Outcome::Partial(failed) if failed.iter().all(|(at, _)| *at < call.len()) => self.in_part(&sent, failed),
            Outcome::Partial(_) => {
                let detail = "the service named entries that it was not given";
                self.end(sent, &Failure::new(FailureClass::Transient, detail));
            }
            Outcome::Failed(failure) if failure.is_for_good() && sent.len() > 1 => {
                for waiting in sent.into_iter().rev() {
                    self.todo.push_front(Waiting { alone: true, ..waiting });
                }
            }
            Outcome::Failed(failure) if failure.is_for_good() => {
                self.failed.extend(sent.into_iter().map(|waiting| (waiting.index, failure.clone())));
            }
            Outcome::Failed(failure) => self.end(sent, &failure),
        }
    }

    pub fn into_failed(self) -> Vec<(usize, Failure)> {
        self.failed
    }

    fn in_part(&mut self, sent: &[Waiting], failed: Vec<(usize, Failure)>) {
        for (at, failure) in failed {
            let waiting = &sent[at];
            if self.failed.iter().any(|(index, _)| *index == waiting.index) {
                continue;
            }
            if !failure.is_for_good() {
                self.hold_back(&waiting.group, &failure);
            }
            self.failed.push((waiting.index, failure));
        }
    }

    /// What is behind an entry that must come again comes again too.
    fn hold_back(&mut self, group: &[u8], failure: &Failure) {
        let (held, free): (VecDeque<Waiting>, _) = self.todo.drain(..).partition(|waiting| waiting.group == group);
        self.todo = free;
        self.failed.extend(held.into_iter().map(|waiting| (waiting.index, failure.clone())));
    }

    fn end(&mut self, sent: Vec<Waiting>, failure: &Failure) {
        let left = sent.into_iter().chain(self.todo.drain(..));
        self.failed.extend(left.map(|waiting| (waiting.index, failure.clone())));
    }
}
