//! Parcels: events that came in from outside and wait for the flow, in the order of their arrival and in bounded memory.
//!
//! *In*: checked events of one request, from the threads that talk to senders. *Out*: the same parcels, to the thread of the
//! flow. *Never*: a parcel that is lost: what was pushed is taken out, also after the queue was closed.

use crate::chunk::Text;
use crate::ticket::Ticket;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One event of a parcel; its texts are pieces of the parcel's bytes.
#[derive(Debug, Clone, Copy)]
pub struct Parceled {
    pub id: Text,
    pub truck: Text,
    /// As it came in, byte for byte.
    pub value: Text,
    pub codigo: u32,
    /// Event time, ms since the epoch.
    pub ts: i64,
}

/// The events of one request.
#[derive(Debug)]
pub struct Parcel {
    /// When it was complete, on the clock; latency counts from here.
    pub arrived: Duration,
    pub ticket: Ticket,
    pub bytes: Vec<u8>,
    pub events: Vec<Parceled>,
    /// Its share of the allowance, given back when the parcel is dropped.
    pub share: Share,
}

/// How much may be on its way between the senders and the flow at once.
#[derive(Debug)]
pub struct Allowance {
    most_events: usize,
    most_bytes: usize,
    events: AtomicUsize,
    bytes: AtomicUsize,
}

impl Allowance {
    pub fn new(most_events: usize, most_bytes: usize) -> Arc<Self> {
        Arc::new(Self { most_events, most_bytes, events: AtomicUsize::new(0), bytes: AtomicUsize::new(0) })
    }

    /// Events and bytes that are on their way now.
    pub fn used(&self) -> (usize, usize) {
        (self.events.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }
}

/// A part of the allowance; dropping it gives it back.
#[derive(Debug)]
pub struct Share {
    whole: Arc<Allowance>,
    events: usize,
    bytes: usize,
}

impl Share {
    /// Nothing yet.
    pub fn of(whole: &Arc<Allowance>) -> Self {
        Self { whole: whole.clone(), events: 0, bytes: 0 }
    }

    /// Takes more; false when not so much is left, and then nothing has changed.
    #[must_use]
    pub fn grow(&mut self, events: usize, bytes: usize) -> bool {
        let whole = &self.whole;
        if !take(&whole.events, events, whole.most_events) {
            return false;
        }
        if !take(&whole.bytes, bytes, whole.most_bytes) {
            whole.events.fetch_sub(events, Ordering::Relaxed);
            return false;
        }
        self.events += events;
        self.bytes += bytes;
        true
    }
}

fn take(used: &AtomicUsize, more: usize, most: usize) -> bool {
    let grown = |used: usize| used.checked_add(more).filter(|sum| *sum <= most);
    used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok()
}

impl Drop for Share {
    fn drop(&mut self) {
        self.whole.events.fetch_sub(self.events, Ordering::Relaxed);
        self.whole.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Parcels on their way to the flow; clones are the same queue.
#[derive(Debug, Clone, Default)]
pub struct Parcels(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Parcel>,
    closed: bool,
}

impl Parcels {
    /// Puts a parcel behind the others and wakes the flow.
    ///
    /// # Errors
    /// The parcel itself, when the queue was closed.
    pub fn push(&self, parcel: Parcel) -> Result<(), Box<Parcel>> {
        let mut queue = self.queue();
        if queue.closed {
            return Err(Box::new(parcel));
        }
        queue.waiting.push_back(parcel);
        self.0.filled.notify_one();
        Ok(())
    }

    /// The parcel that has waited longest.
    pub fn pop(&self) -> Option<Parcel> {
        self.queue().waiting.pop_front()
    }

    /// Waits until a parcel is there or the queue is closed, or for `at_most`.
    pub fn wait(&self, at_most: Duration) {
        let queue = self.queue();
        let nothing = |queue: &mut Queue| queue.waiting.is_empty() && !queue.closed;
        drop(self.0.filled.wait_timeout_while(queue, at_most, nothing).unwrap_or_else(PoisonError::into_inner));
    }

    /// Takes no more parcels; what waits still comes out.
    pub fn close(&self) {
        self.queue().closed = true;
        self.0.filled.notify_all();
    }

    /// True when the queue was closed and nothing waits in it.
    pub fn is_over(&self) -> bool {
        let queue = self.queue();
        queue.closed && queue.waiting.is_empty()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowance, Parcel, Parcels, Share};
    use crate::ticket::Ticket;
    use std::time::Duration;

    fn parcel(share: Share, arrived: u64) -> Parcel {
        let arrived = Duration::from_millis(arrived);
        Parcel { arrived, ticket: Ticket::NONE, bytes: Vec::new(), events: Vec::new(), share }
    }

    #[test]
    fn an_allowance_is_bounded_in_both_and_comes_back() {
        let allowance = Allowance::new(10, 100);
        let (mut a, mut b) = (Share::of(&allowance), Share::of(&allowance));
        assert!(a.grow(0, 60) && a.grow(4, 0));
        assert!(!b.grow(0, 41) && !b.grow(7, 40));
        assert!(b.grow(6, 40) && !b.grow(1, 0) && !b.grow(0, usize::MAX));
        assert_eq!(allowance.used(), (10, 100));
        drop(a);
        assert_eq!(allowance.used(), (6, 40));
        drop(b);
        assert_eq!(allowance.used(), (0, 0));
    }

    #[test]
    fn a_waiting_flow_is_woken_and_a_closed_queue_still_gives_what_it_holds() {
        let (parcels, allowance) = (Parcels::default(), Allowance::new(10, 100));
        let flow = parcels.clone();
        let waiting = std::thread::spawn(move || {
            flow.wait(Duration::from_secs(60));
            flow.pop().map(|parcel| parcel.arrived.as_millis())
        });
        parcels.push(parcel(Share::of(&allowance), 1)).unwrap();
        assert_eq!(waiting.join().unwrap(), Some(1));
        parcels.push(parcel(Share::of(&allowance), 2)).unwrap();
        parcels.push(parcel(Share::of(&allowance), 3)).unwrap();
        parcels.close();
        assert!(parcels.push(parcel(Share::of(&allowance), 4)).is_err());
        // A closed queue keeps nobody waiting.
        parcels.wait(Duration::from_secs(60));
        assert!(!parcels.is_over());
        assert_eq!([2, 3], [(); 2].map(|()| parcels.pop().unwrap().arrived.as_millis()));
        assert!(parcels.is_over() && parcels.pop().is_none());
    }
}
