//! Events between the client's queue and Kafka's answer: a fixed number of slots, found again by their number.
//!
//! The sender takes a slot, the answer gives it back. The number travels through librdkafka as the record's opaque value,
//! so nothing is allocated per event. The memory is fixed at the start: no free slot means that the queue is full.
//!
//! A slot has one owner at a time: the sender writes it before it hands the record to the client (whose locks publish
//! it), the answering thread reads it and gives it back under the lock of the free list.

use crate::ticket::Ticket;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is remembered of an event until Kafka answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flying {
    /// Since the start of the run.
    pub due: Duration,
    /// Of an event of an earlier run: how long before the start of this one it was due; else zero.
    pub waited: Duration,
    pub series: u32,
    pub seq: u64,
    pub topic: u16,
    pub ticket: Ticket,
    /// Its number in the spool; 0 when it did not come from there.
    pub spooled: u64,
}

/// As large as a line of the cache, so that no slot stands in two.
#[derive(Default)]
#[repr(align(64))]
struct Slot {
    due_nanos: AtomicU64,
    waited_nanos: AtomicU64,
    seq: AtomicU64,
    /// Series in the upper half, topic in the lower.
    series_topic: AtomicU64,
    ticket: AtomicU32,
    spooled: AtomicU64,
    /// The place among all events that were offered, from 1 on; 0 while the client does not hold the record, [`LETTER`] while
    /// its dead letter is on its way.
    order: AtomicU64,
    /// When the client took the record, on the clock.
    sent_nanos: AtomicU64,
}

/// The order of a slot whose event is on its way as a dead letter.
const LETTER: u64 = u64::MAX;

impl Slot {
    /// True while the client holds the record.
    fn is_held(&self) -> bool {
        !matches!(self.order.load(Ordering::Relaxed), 0 | LETTER)
    }
}

struct Free {
    numbers: Vec<u32>,
    sender_waits: bool,
}

/// All slots; shared between the sender and the answers.
pub struct InFlight {
    slots: Box<[Slot]>,
    free: Mutex<Free>,
    room: Condvar,
    /// A waiting sender is woken when so many slots are free: one wake-up for many answers.
    enough: usize,
}

impl InFlight {
    pub fn new(capacity: u32) -> Arc<Self> {
        let capacity = capacity.max(1);
        let free = Free { numbers: (0..capacity).rev().collect(), sender_waits: false };
        Arc::new(Self {
            slots: (0..capacity).map(|_| Slot::default()).collect(),
            free: Mutex::new(free),
            room: Condvar::new(),
            enough: (capacity as usize / 10).clamp(1, 1_000),
        })
    }

    /// What is in a slot.
    pub fn get(&self, slot: usize) -> Option<Flying> {
        let slot = self.slots.get(slot)?;
        let both = slot.series_topic.load(Ordering::Acquire);
        Some(Flying {
            due: Duration::from_nanos(slot.due_nanos.load(Ordering::Relaxed)),
            waited: Duration::from_nanos(slot.waited_nanos.load(Ordering::Relaxed)),
            seq: slot.seq.load(Ordering::Relaxed),
            series: (both >> 32) as u32,
            topic: both as u16,
            ticket: Ticket::of_number(slot.ticket.load(Ordering::Relaxed)),
            spooled: slot.spooled.load(Ordering::Relaxed),
        })
    }

    /// The place of a slot's event among all that were offered.
    pub fn order(&self, slot: usize) -> u64 {
        self.slots.get(slot).map_or(0, |slot| slot.order.load(Ordering::Relaxed))
    }

    /// The client no longer holds the record of `slot`; the slot stays taken.
    pub fn set_apart(&self, slot: usize) {
        if let Some(slot) = self.slots.get(slot) {
            slot.order.store(0, Ordering::Relaxed);
        }
    }

    /// The event of `slot` is on its way as a dead letter, and keeps its slot until that has its place.
    pub fn becomes_letter(&self, slot: usize) {
        if let Some(slot) = self.slots.get(slot) {
            slot.order.store(LETTER, Ordering::Relaxed);
        }
    }

    /// The numbers of the spool's events whose dead letters are on their way. Looks at every slot: for now and then.
    pub fn letters(&self) -> Vec<u64> {
        let letters = self.slots.iter().filter(|slot| slot.order.load(Ordering::Relaxed) == LETTER);
        letters.map(|slot| slot.spooled.load(Ordering::Relaxed)).filter(|spooled| *spooled != 0).collect()
    }

    /// When the client last took the record of `slot`, on the clock.
    pub fn sent(&self, slot: usize) -> Duration {
        self.slots
            .get(slot)
            .map_or(Duration::ZERO, |slot| Duration::from_nanos(slot.sent_nanos.load(Ordering::Relaxed)))
    }

    /// When the record was sent that the client has held longest; an event of the spool counts as sent so much later as
    /// `more_time` says. Looks at every slot: for now and then.
    pub fn oldest_sent(&self, more_time: &dyn Fn(u64) -> Duration) -> Option<Duration> {
        let sent = |slot: &Slot| {
            let more = match slot.spooled.load(Ordering::Relaxed) {
                0 => Duration::ZERO,
                number => more_time(number),
            };
            Duration::from_nanos(slot.sent_nanos.load(Ordering::Relaxed)) + more
        };
        self.slots.iter().filter(|slot| slot.is_held()).map(sent).min()
    }

    /// Nobody waits for the event of `slot` any more; who did.
    pub fn forget_ticket(&self, slot: usize) -> Ticket {
        let none = Ticket::NONE.number();
        Ticket::of_number(self.slots.get(slot).map_or(none, |slot| slot.ticket.swap(none, Ordering::Relaxed)))
    }

    /// The same for every record that the client was handed before `sent`. Looks at every slot: for now and then.
    pub fn forget_tickets(&self, sent: Duration) -> Vec<Ticket> {
        let sent = sent.as_nanos() as u64;
        let old = |slot: &Slot| slot.is_held() && slot.sent_nanos.load(Ordering::Relaxed) < sent;
        let slots = self.slots.iter().enumerate().filter(|(_, slot)| old(slot));
        slots.map(|(number, _)| self.forget_ticket(number)).filter(|ticket| *ticket != Ticket::NONE).collect()
    }

    /// Gives a slot back.
    pub fn release(&self, slot: usize) {
        self.release_all([slot].into_iter());
    }

    /// Gives slots back, under one lock.
    pub fn release_all(&self, slots: impl Iterator<Item = usize>) {
        let mut free = self.free();
        for slot in slots {
            self.set_apart(slot);
            free.numbers.push(slot as u32);
        }
        if free.sender_waits && free.numbers.len() >= self.enough {
            free.sender_waits = false;
            self.room.notify_one();
        }
    }

    /// Waits until answers have made room, or for `at_most`.
    pub fn wait_for_room(&self, at_most: Duration) {
        let mut free = self.free();
        free.sender_waits = true;
        // Woken early or late makes no difference: the sender tries again.
        drop(self.room.wait_timeout(free, at_most).unwrap_or_else(PoisonError::into_inner));
    }

    fn free(&self) -> MutexGuard<'_, Free> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sender's side: keeps free slots at hand, so that it meets the lock once for many events.
pub struct Slots {
    shared: Arc<InFlight>,
    at_hand: Vec<u32>,
    offered: u64,
}

impl Slots {
    pub fn new(shared: Arc<InFlight>) -> Self {
        Self { shared, at_hand: Vec::new(), offered: 0 }
    }

    /// Fetches the next `count` slots at hand into this processor's cache, side by side: one after the other, between the
    /// locks of a send, each costs a wait of its own.
    pub fn warm(&self, count: usize) {
        for number in self.at_hand.iter().rev().take(count) {
            if let Some(slot) = self.shared.slots.get(*number as usize) {
                slot.order.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Takes a slot for an event that is sent at `now`; `None` when all are out.
    pub fn take(&mut self, flying: Flying, now: Duration) -> Option<usize> {
        if self.at_hand.is_empty() {
            std::mem::swap(&mut self.at_hand, &mut self.shared.free().numbers);
        }
        let number = self.at_hand.pop()? as usize;
        let slot = self.shared.slots.get(number)?;
        slot.due_nanos.store(flying.due.as_nanos() as u64, Ordering::Relaxed);
        slot.waited_nanos.store(flying.waited.as_nanos() as u64, Ordering::Relaxed);
        slot.seq.store(flying.seq, Ordering::Relaxed);
        slot.ticket.store(flying.ticket.number(), Ordering::Relaxed);
        slot.spooled.store(flying.spooled, Ordering::Relaxed);
        slot.sent_nanos.store(now.as_nanos() as u64, Ordering::Relaxed);
        self.offered += 1;
        slot.order.store(self.offered, Ordering::Relaxed);
        slot.series_topic.store(u64::from(flying.series) << 32 | u64::from(flying.topic), Ordering::Release);
        Some(number)
    }

    /// The event of a slot is sent once more at `now`, and keeps its place in the order.
    pub fn sent_again(&mut self, slot: usize, order: u64, now: Duration) {
        if let Some(slot) = self.shared.slots.get(slot) {
            slot.sent_nanos.store(now.as_nanos() as u64, Ordering::Relaxed);
            slot.order.store(order, Ordering::Release);
        }
    }

    /// True when nothing is out any more.
    pub fn all_back(&self) -> bool {
        self.shared.free().numbers.len() + self.at_hand.len() == self.shared.slots.len()
    }

    /// Puts a slot back whose event never left.
    pub fn put_back(&mut self, slot: usize) {
        self.shared.set_apart(slot);
        self.at_hand.push(slot as u32);
    }
}

impl Drop for Slots {
    fn drop(&mut self) {
        self.shared.free().numbers.append(&mut self.at_hand);
    }
}

#[cfg(test)]
mod tests;
