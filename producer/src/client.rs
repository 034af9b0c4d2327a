//! The border to a Kafka client that can be replaced while events are under way; scripted in tests.

use crate::dead_letter::{Headers, Why};
use crate::in_flight::Flying;
use std::time::Duration;

/// What the client said to one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offered {
    /// It is in the queue; its answer comes.
    Taken,
    /// The spool has it, or will have it at the end of the chunk.
    Spooled,
    /// The client's queue has no room: offer the same event again.
    Full,
    /// Not now, for another reason (a change of clients, a full spool): offer the same event again.
    Later,
    /// It can never be written and is on its way to the dead letters.
    SetAside,
    /// Nothing more can be sent, for this reason.
    Broken(String),
}

/// A record, lent to the client.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    pub key: &'a [u8],
    pub value: &'a [u8],
    /// Event time, ms since the epoch.
    pub timestamp_ms: i64,
    pub headers: &'a [(String, Vec<u8>)],
    pub flying: Flying,
}

/// A record that a client gave back without an acknowledgement; it still has its slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    pub slot: usize,
    /// Its place among all that were offered.
    pub order: u64,
    /// Where it was to go; negative when the client did not know.
    pub partition: i32,
    pub flying: Flying,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub timestamp_ms: i64,
    pub headers: Headers,
}

impl Returned {
    pub fn outgoing(&self) -> Outgoing<'_> {
        Outgoing {
            key: &self.key,
            value: &self.value,
            timestamp_ms: self.timestamp_ms,
            headers: &self.headers,
            flying: self.flying,
        }
    }
}

/// Why another client is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The client is finished, for this reason; what it holds comes back unacknowledged.
    Finished(String),
    /// Kafka does not know this topic; a fresh client waits for it, and takes over what this one holds.
    TopicMissing(String),
    /// A client with new certificates is ready; the one in use is sound.
    Renewed,
}

/// One client at a time, and the change to the next.
pub trait Client: Send {
    /// The flow has its turn at `now`, on the clock: a few milliseconds before what it offers next.
    fn turn(&mut self, _now: Duration) {}

    /// So many records come now.
    fn begin_chunk(&mut self, _records: usize) {}

    /// Hands over a record; its slot is taken from the fixed number of them.
    fn offer(&mut self, record: &Outgoing<'_>) -> Offered;

    /// Hands over a record that came back, with the slot and the place that it had.
    fn offer_again(&mut self, record: &Returned) -> Offered;

    /// Makes a dead letter of a record that was tried often enough.
    fn give_up_on(&mut self, record: &Outgoing<'_>, why: Why, attempts: u64) -> Offered;

    /// Frees the slot of a record that came back and is safe elsewhere.
    fn release(&mut self, slot: usize);

    /// When the record was sent, on the clock, that waits longest for its answer; an event of the spool
    /// counts as sent so much later as `more_time` says of its number.
    fn oldest_sent(&self, more_time: &dyn Fn(u64) -> Duration) -> Option<Duration>;

    /// True when every record has its answer and every dead letter its place.
    fn all_answered(&self) -> bool;

    /// True when the client in use holds nothing: neither records nor answers that nobody has heard.
    fn is_empty(&self) -> bool;

    /// Whether another client is wanted.
    fn change(&mut self) -> Option<Change>;

    /// Puts the next client in the place of this one, without waiting for anything. What this one had not got acknowledged
    /// comes back by [`Client::returned`]; nothing that must not overtake it may be offered before.
    ///
    /// # Errors
    /// No other client can be made; this one stays, and keeps what it has.
    fn retire(&mut self) -> Result<(), String>;

    /// What the client that was retired has given back, in the order in which it was offered; Kafka may hold some of it all
    /// the same. `None` while that client still has something.
    fn returned(&mut self) -> Option<Vec<Returned>>;

    /// The same as far as it has come; nobody waits for more.
    fn returned_so_far(&mut self) -> Vec<Returned>;

    /// Gives up what is not acknowledged: it counts as failed.
    fn give_up(&mut self);

    /// Waits until there may be room, or for `at_most`.
    fn wait_for_room(&mut self, at_most: Duration);

    /// The number of a topic, by which [`Flying::topic`] names it.
    fn topic_number(&mut self, name: &str) -> u16;

    /// The name of a topic.
    fn topic_name(&self, number: u16) -> &str;
}
