//! Spool: events on disk that Kafka did not acknowledge in time, in the order in which they came.
//!
//! *In*: events that a client gave back, and those that must queue behind them. *Out*: the same events, oldest first, until
//! each has met its end. *Never*: forgets an event that it took, lets one overtake another of its key, or grows past its limit.

pub mod desk;
mod disk;
mod door;
mod file;
mod fullness;
mod index;
mod record;
mod schedule;
mod silent;
mod store;

pub use index::key_hash;
pub use record::{Spooled, Trace, process};
pub use schedule::Schedule;
pub use silent::{Lane, Silent};
pub use store::{SpoolError, Store};

use index::Index;
use std::collections::{HashMap, VecDeque};
use std::path::Path;

/// Read from the disk at once.
const READ_AHEAD: usize = 512;
/// So many reads may pass over events that must not go now, before others have their turn.
const READS: usize = 8;

/// The spool of one producer.
pub struct Spool {
    store: Store,
    index: Index,
    pub schedule: Schedule,
    /// Most bytes of records.
    limit: u64,
    /// Where the next look for an event that may go begins.
    cursor: u64,
    /// Events that were handed out since the last rewind and are still in it, with their keys.
    out: HashMap<u64, u64>,
    ahead: VecDeque<(u64, Spooled)>,
}

impl Spool {
    /// Opens the spool in `folder`, which it makes if needed, and reads which keys are in it.
    ///
    /// # Errors
    /// The folder or the file cannot be used, or another process uses it.
    pub fn open(folder: &Path, limit: u64) -> Result<Self, SpoolError> {
        Self::on(Store::open(folder)?, limit)
    }

    /// The spool on an open store.
    ///
    /// # Errors
    /// What is in it cannot be read.
    pub fn on(store: Store, limit: u64) -> Result<Self, SpoolError> {
        let mut index = Index::default();
        store.each(|_, spooled, bytes| index.add(key_hash(&spooled.key), bytes))?;
        let schedule = store.schedule()?;
        Ok(Self { store, index, schedule, limit, cursor: 0, out: HashMap::new(), ahead: VecDeque::new() })
    }

    /// How many events are in it.
    pub fn len(&self) -> u64 {
        self.index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the records in it.
    pub fn bytes(&self) -> u64 {
        self.index.bytes()
    }

    /// True when `more` bytes would be too many.
    pub fn is_full(&self, more: u64) -> bool {
        self.bytes() + more > self.limit
    }

    /// True when an event of this key has not been handed out, so that a new one must queue behind.
    pub fn queues(&self, key: u64) -> bool {
        self.index.queues(key)
    }

    /// Takes events, all or none; they are on the disk when this returns. The number of the first: the others follow it.
    ///
    /// # Errors
    /// The disk does not take them.
    pub fn append(&mut self, events: &[Spooled]) -> Result<u64, SpoolError> {
        let (first, sizes) = self.store.append(events)?;
        events.iter().zip(sizes).for_each(|(event, bytes)| self.index.add(key_hash(&event.key), bytes));
        Ok(first)
    }

    /// The event with this number, while it is in it.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn event(&self, number: u64) -> Result<Option<Spooled>, SpoolError> {
        let next = self.store.read(number, 1)?.pop();
        Ok(next.filter(|(found, _)| *found == number).map(|(_, event)| event))
    }

    /// The next event that was not handed out since the last rewind, and may go; with its number. `None` also when many in a
    /// row may not: the next call goes on behind them.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn next_event(
        &mut self,
        mut may_go: impl FnMut(u64, &Spooled) -> bool,
    ) -> Result<Option<(u64, Spooled)>, SpoolError> {
        for _ in 0..READS {
            if self.ahead.is_empty() {
                self.ahead.extend(self.store.read(self.cursor, READ_AHEAD)?);
            }
            if self.ahead.is_empty() {
                return Ok(None);
            }
            while let Some((number, event)) = self.ahead.pop_front() {
                self.cursor = number + 1;
                if self.out.contains_key(&number) || !may_go(number, &event) {
                    continue;
                }
                let key = key_hash(&event.key);
                self.out.insert(number, key);
                self.index.handed_out(key);
                return Ok(Some((number, event)));
            }
        }
        Ok(None)
    }

    /// The event could not be handed on: it is the next again.
    pub fn put_back(&mut self, number: u64, event: Spooled) {
        self.cursor = number;
        self.out.remove(&number);
        self.index.put_back(key_hash(&event.key));
        self.ahead.push_front((number, event));
    }

    /// Everything that is still in it is handed out anew, from the oldest on, but for what `keep` says of its number: that
    /// counts as handed out.
    pub fn rewind(&mut self, keep: impl Fn(u64) -> bool) {
        self.look_again();
        self.index.rewind();
        self.out.retain(|number, _| keep(*number));
        self.out.values().for_each(|key| self.index.handed_out(*key));
    }

    /// Events that could not go may go now: looks for them from the oldest on.
    pub fn look_again(&mut self) {
        self.cursor = 0;
        self.ahead.clear();
    }

    /// These events have met their end.
    ///
    /// # Errors
    /// The disk cannot be written; the events are then still in it.
    pub fn remove(&mut self, numbers: &[u64]) -> Result<(), SpoolError> {
        for (number, key, bytes) in self.store.remove(numbers)? {
            self.index.remove(key, bytes, self.out.remove(&number).is_some());
        }
        let cursor = self.cursor;
        if numbers.iter().any(|number| *number >= cursor) {
            // Read anew, without what has met its end since it was rewound.
            self.ahead.clear();
        }
        if self.is_empty() {
            self.store.shrink()?;
        }
        Ok(())
    }

    /// Writes down when the next attempt is due.
    ///
    /// # Errors
    /// The disk cannot be written.
    pub fn keep_schedule(&mut self) -> Result<(), SpoolError> {
        self.store.keep_schedule(&self.schedule)
    }

    /// Makes sure that its file is still where it was put; true when that had to be written anew.
    ///
    /// # Errors
    /// The file is gone, and the disk does not take another one.
    pub fn stay(&mut self) -> Result<bool, SpoolError> {
        self.store.stay()
    }

    /// Writes so many bytes and takes them off again: the disk has room for them.
    ///
    /// # Errors
    /// It has not, or does not work.
    pub fn trial(&mut self, bytes: u64) -> Result<(), SpoolError> {
        self.store.trial(bytes)?;
        if self.is_empty() { self.store.shrink() } else { Ok(()) }
    }

    /// After an error of the disk: opens the file anew; nothing that was taken is forgotten.
    ///
    /// # Errors
    /// The disk still does not work.
    pub fn reopen(&mut self) -> Result<(), SpoolError> {
        self.store.reopen()
    }
}

#[cfg(test)]
mod tests;
