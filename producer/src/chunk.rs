//! What the stages hand on: a bounded number of events, their bytes in one reused buffer.
//!
//! A source fills a chunk; route and key add what they decide; the rate limit lets it pass as a whole; send empties it.
//! In a steady state no stage allocates.

use crate::ticket::Ticket;
use std::time::Duration;

/// The series of an event whose id cannot name one; the ledger leaves such events out.
pub const NO_SERIES: u32 = u32::MAX;

/// A piece of the chunk's buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Text {
    start: u32,
    end: u32,
}

/// One event on its way.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// When the event should go out, since the start of the run; latency counts from here.
    pub due: Duration,
    /// Event time, ms since the epoch; becomes the record's timestamp.
    pub ts: i64,
    pub codigo: u32,
    pub truck: Text,
    /// The record's value, byte for byte.
    pub value: Text,
    /// The event's place in the ledger of its source: one number per (run, truck, codigo), or [`NO_SERIES`].
    pub series: u32,
    pub seq: u64,
    /// Set on an event that is meant to fail: its id, because its value may not be readable.
    pub invalid_id: Option<Text>,
    /// Who waits for what becomes of it; [`Ticket::NONE`] when nobody does.
    pub ticket: Ticket,
    /// What the event is meant to come to; the ledger keeps it.
    pub intent: Intent,
    /// Which topic, by its number; the route stage sets it.
    pub topic: u16,
    /// The record's key; the key stage sets it.
    pub key: Text,
}

/// What an event is meant to come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Intent {
    #[default]
    Delivered,
    /// Invalid on purpose: rejected behind Kafka.
    Rejected,
    /// Too large on purpose: a dead letter of this producer.
    DeadLetter,
    /// Sent before, with the same id: delivered once, however often it arrives.
    Repeat,
}

/// How much a source may put into a chunk at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub events: usize,
    /// A chunk that has reached this many bytes takes no more events (the last one may pass it).
    pub bytes: usize,
}

/// The buffer and its events, in the order in which they must be sent.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    items: Vec<Item>,
    value_bytes: usize,
}

impl Chunk {
    /// Forgets the events, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.items.clear();
        self.value_bytes = 0;
    }

    pub fn is_full(&self, room: Room) -> bool {
        self.items.len() >= room.events || self.value_bytes >= room.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// The bytes of all values together.
    pub fn value_bytes(&self) -> usize {
        self.value_bytes
    }

    pub fn items(&self) -> &[Item] {
        &self.items
    }

    pub fn text(&self, text: Text) -> &[u8] {
        self.bytes.get(text.start as usize..text.end as usize).unwrap_or_default()
    }

    /// Lets `write` append to the buffer; what it appended is the text.
    pub fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Text {
        let start = self.bytes.len() as u32;
        write(&mut self.bytes);
        Text { start, end: self.bytes.len() as u32 }
    }

    /// Takes an event whose texts are already written.
    pub fn push(&mut self, item: Item) {
        self.value_bytes += self.text(item.value).len();
        self.items.push(item);
    }

    /// Lets a stage add to each event; the buffer grows at its end.
    pub fn each(&mut self, mut stage: impl FnMut(&mut Item, &mut Vec<u8>)) {
        for item in &mut self.items {
            stage(item, &mut self.bytes);
        }
    }

    /// Keeps only the events that `keep` wants, in their order.
    pub fn retain(&mut self, mut keep: impl FnMut(&Item, &[u8]) -> bool) {
        let bytes = &self.bytes;
        self.items.retain(|item| keep(item, bytes));
        self.value_bytes = self.items.iter().map(|item| item.value.len()).sum();
    }
}

impl Text {
    pub fn len(self) -> usize {
        (self.end - self.start) as usize
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The text within a buffer that a stage was handed.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The text that was appended to `bytes` since it was `start` long.
    pub fn since(start: usize, bytes: &[u8]) -> Self {
        Self { start: start as u32, end: bytes.len() as u32 }
    }
}
