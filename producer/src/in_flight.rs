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
    /// The place among all events that were offered, from 1 on; 0 while the client does not hold the record.
    order: AtomicU64,
    /// When the client took the record, on the clock.
    sent_nanos: AtomicU64,
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

    /// The client no longer holds the record of `slot`; the slot stays taken (a dead letter is on its way).
    pub fn set_apart(&self, slot: usize) {
        if let Some(slot) = self.slots.get(slot) {
            slot.order.store(0, Ordering::Relaxed);
        }
    }

    /// When the record was sent that the client has held longest. Looks at every slot: for now and then.
    pub fn oldest_sent(&self) -> Option<Duration> {
        let held = self.slots.iter().filter(|slot| slot.order.load(Ordering::Relaxed) != 0);
        held.map(|slot| slot.sent_nanos.load(Ordering::Relaxed)).min().map(Duration::from_nanos)
    }

    /// Nobody waits for the event of `slot` any more; who did.
    pub fn forget_ticket(&self, slot: usize) -> Ticket {
        let none = Ticket::NONE.number();
        Ticket::of_number(self.slots.get(slot).map_or(none, |slot| slot.ticket.swap(none, Ordering::Relaxed)))
    }

    /// The same for every record that the client was handed before `sent`. Looks at every slot: for now and then.
    pub fn forget_tickets(&self, sent: Duration) -> Vec<Ticket> {
        let sent = sent.as_nanos() as u64;
        let old =
            |slot: &Slot| slot.order.load(Ordering::Relaxed) != 0 && slot.sent_nanos.load(Ordering::Relaxed) < sent;
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
mod tests {
    use super::{Flying, InFlight, Slots, Ticket};
    use std::time::Duration;

    fn flying(seq: u64) -> Flying {
        Flying {
            due: Duration::from_nanos(seq * 7),
            waited: Duration::from_secs(seq * 3_600),
            series: u32::MAX - 1,
            seq,
            topic: 3,
            ticket: Ticket::of_number(seq as u32),
            spooled: seq + 9,
        }
    }

    #[test]
    fn slots_run_out_and_come_back_with_what_was_put_in() {
        let shared = InFlight::new(2);
        let mut slots = Slots::new(shared.clone());
        let (a, b) = (
            slots.take(flying(1), Duration::from_secs(1)).unwrap(),
            slots.take(flying(2), Duration::from_secs(2)).unwrap(),
        );
        assert_eq!(slots.take(flying(3), Duration::from_secs(3)), None);
        assert_eq!((shared.get(a), shared.get(b)), (Some(flying(1)), Some(flying(2))));
        shared.release(a);
        let c = slots.take(flying(4), Duration::from_secs(4)).unwrap();
        assert_eq!((shared.get(c), shared.get(99)), (Some(flying(4)), None));
        assert_eq!(shared.oldest_sent(), Some(Duration::from_secs(2)));
        shared.set_apart(b);
        assert_eq!((shared.oldest_sent(), shared.order(c)), (Some(Duration::from_secs(4)), 3));
        assert!(!slots.all_back());
        shared.release(b);
        slots.put_back(c);
        assert!(slots.all_back());
        assert_eq!(shared.oldest_sent(), None);
    }

    #[test]
    fn a_waiting_sender_is_woken_by_an_answer() {
        let shared = InFlight::new(1);
        let mut slots = Slots::new(shared.clone());
        let slot = slots.take(flying(1), Duration::from_secs(1)).unwrap();
        let waiting = std::thread::spawn(move || {
            while slots.take(flying(2), Duration::from_secs(2)).is_none() {
                slots.shared.wait_for_room(Duration::from_secs(60));
            }
        });
        while !shared.free().sender_waits {
            std::thread::yield_now();
        }
        shared.release(slot);
        waiting.join().unwrap();
    }
}
