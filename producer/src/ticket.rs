//! Tickets: who waits for the fates of which events.
//!
//! A source whose events somebody waits for (ingest) opens a ticket for a number of events and puts it on each of them. Whoever
//! learns what became of an event settles its ticket; the last one tells the waiting side. A ticket is a number that travels
//! with the event, so nothing is allocated per event; events that nobody waits for carry [`Ticket::NONE`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Told once, when every event of a ticket has its fate; an error when nobody will ever tell.
pub type Receiver = oneshot::Receiver<Settled>;

/// A place in the table of open tickets, and which use of that place: a fate that comes twice cannot settle another's ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u32);

/// The lower bits of a ticket are its place, the upper ones the use.
const PLACE_BITS: u32 = 22;
const PLACES: usize = (1 << PLACE_BITS) - 1;

impl Ticket {
    /// Nobody waits.
    pub const NONE: Self = Self(u32::MAX);

    fn new(place: usize, uses: u32) -> Self {
        Self(uses << PLACE_BITS | place as u32)
    }

    /// As one number, for a slot that is an atomic.
    pub fn number(self) -> u32 {
        self.0
    }

    /// The ticket of [`Ticket::number`].
    pub fn of_number(number: u32) -> Self {
        Self(number)
    }

    fn place(self) -> usize {
        self.0 as usize & PLACES
    }
}

impl Default for Ticket {
    fn default() -> Self {
        Self::NONE
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Kafka holds it.
    Acknowledged,
    /// The spool holds it and will send it.
    Spooled,
    /// It can never be written; it is set aside with its reason.
    DeadLettered,
    /// It may be nowhere: send it again.
    Failed,
}

/// How many events of a ticket met which fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settled {
    pub acknowledged: u32,
    pub spooled: u32,
    pub dead_lettered: u32,
    pub failed: u32,
}

impl Settled {
    /// All events that have a fate.
    pub fn sum(&self) -> u32 {
        self.acknowledged + self.spooled + self.dead_lettered + self.failed
    }

    fn add(&mut self, fate: Fate) {
        match fate {
            Fate::Acknowledged => self.acknowledged += 1,
            Fate::Spooled => self.spooled += 1,
            Fate::DeadLettered => self.dead_lettered += 1,
            Fate::Failed => self.failed += 1,
        }
    }
}

/// All open tickets; clones are the same table.
#[derive(Debug, Clone, Default)]
pub struct Tickets(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    places: Vec<Place>,
    free: Vec<u32>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Place {
    uses: u32,
    /// Events without a fate; 0 when the place is free.
    open: u32,
    settled: Settled,
    tell: Option<oneshot::Sender<Settled>>,
}

impl Tickets {
    /// Opens a ticket for `events` events, each of which must be settled once. The receiver fails when the table was closed or
    /// is full (four million open tickets).
    pub fn open(&self, events: u32) -> (Ticket, Receiver) {
        let (tell, receiver) = oneshot::channel();
        let mut table = self.table();
        if events == 0 {
            // Nothing to wait for.
            let _ = tell.send(Settled::default());
            return (Ticket::NONE, receiver);
        }
        if table.closed {
            return (Ticket::NONE, receiver);
        }
        let Some(number) = table.take() else { return (Ticket::NONE, receiver) };
        let place = &mut table.places[number];
        (place.open, place.settled, place.tell) = (events, Settled::default(), Some(tell));
        (Ticket::new(number, place.uses), receiver)
    }

    /// One event of the ticket met its fate.
    pub fn settle(&self, ticket: Ticket, fate: Fate) {
        if ticket == Ticket::NONE {
            return;
        }
        let mut table = self.table();
        let Some(place) = table.find(ticket) else { return };
        place.settled.add(fate);
        place.open -= 1;
        if place.open > 0 {
            return;
        }
        if let Some(tell) = place.tell.take() {
            // Who waited may have gone.
            let _ = tell.send(place.settled);
        }
        place.uses = (place.uses + 1) % (1 << (u32::BITS - PLACE_BITS));
        table.free.push(ticket.place() as u32);
    }

    /// The fates so far; all zero for a ticket that is not open (any more).
    pub fn so_far(&self, ticket: Ticket) -> Settled {
        self.table().find(ticket).map(|place| place.settled).unwrap_or_default()
    }

    /// How many tickets have events without a fate.
    pub fn open_now(&self) -> usize {
        let table = self.table();
        table.places.len() - table.free.len()
    }

    /// Nothing more will be settled: whoever waits learns it now, whoever comes later at once.
    pub fn close(&self) {
        let mut table = self.table();
        table.closed = true;
        table.places.iter_mut().for_each(|place| place.tell = None);
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn take(&mut self) -> Option<usize> {
        if let Some(number) = self.free.pop() {
            return Some(number as usize);
        }
        if self.places.len() >= PLACES {
            return None;
        }
        self.places.push(Place::default());
        Some(self.places.len() - 1)
    }

    fn find(&mut self, ticket: Ticket) -> Option<&mut Place> {
        let place = self.places.get_mut(ticket.place())?;
        (place.open > 0 && Ticket::new(ticket.place(), place.uses) == ticket).then_some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fate, Settled, Ticket, Tickets};
    use tokio::sync::oneshot::error::TryRecvError;

    #[test]
    fn the_last_fate_tells_and_the_place_is_used_again() {
        let tickets = Tickets::default();
        let (a, mut of_a) = tickets.open(3);
        let (b, mut of_b) = tickets.open(1);
        for fate in [Fate::Acknowledged, Fate::Spooled] {
            tickets.settle(a, fate);
        }
        assert_eq!(of_a.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(tickets.so_far(a).sum(), 2);
        tickets.settle(a, Fate::DeadLettered);
        let all = Settled { acknowledged: 1, spooled: 1, dead_lettered: 1, failed: 0 };
        assert_eq!((of_a.try_recv(), tickets.open_now()), (Ok(all), 1));
        let (c, mut of_c) = tickets.open(1);
        assert_eq!((c.place(), c != a), (a.place(), true));
        // A fate that comes twice finds its ticket closed, and does not touch the next one of the place.
        tickets.settle(a, Fate::Failed);
        assert_eq!(of_c.try_recv(), Err(TryRecvError::Empty));
        tickets.settle(c, Fate::Failed);
        tickets.settle(b, Fate::Acknowledged);
        assert_eq!((of_c.try_recv().unwrap().failed, of_b.try_recv().unwrap().acknowledged), (1, 1));
        assert_eq!(tickets.open_now(), 0);
    }

    #[test]
    fn no_ticket_settles_nothing_and_no_event_is_settled_at_once() {
        let tickets = Tickets::default();
        tickets.settle(Ticket::NONE, Fate::Failed);
        tickets.settle(Ticket::of_number(7), Fate::Failed);
        let (none, mut told) = tickets.open(0);
        assert_eq!((none, told.try_recv()), (Ticket::NONE, Ok(Settled::default())));
        let (ticket, receiver) = tickets.open(1);
        drop(receiver);
        assert_eq!(Ticket::of_number(ticket.number()), ticket);
        tickets.settle(ticket, Fate::Acknowledged);
        assert_eq!(tickets.open_now(), 0);
    }

    #[test]
    fn a_closed_table_tells_everybody_that_nothing_comes() {
        let tickets = Tickets::default();
        let (ticket, mut waiting) = tickets.open(2);
        tickets.close();
        assert_eq!(waiting.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(tickets.open(1).1.try_recv(), Err(TryRecvError::Closed));
        tickets.settle(ticket, Fate::Acknowledged);
        tickets.settle(ticket, Fate::Acknowledged);
    }
}
