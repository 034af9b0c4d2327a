//! Key: the record's key, by the configured strategy; Kafka makes the partition of it.
//!
//! *In*: a routed chunk. *Out*: the same events, each with its key. *Never*: names a partition.

use crate::chunk::{Chunk, Text};
use domain::key::KeyStrategy;
use serde::{Deserialize, Serialize};

/// Section `[key]`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyRaw {
    /// `hash-codigo-truck` (default), `codigo`, `truck-id` or `codigo-truck`.
    pub strategy: KeyStrategy,
}

/// A truck id has at most 16 characters; what is longer never passed the check.
const LONGEST_TRUCK: usize = 16;

/// Keys every event of the chunk.
pub fn key(strategy: KeyStrategy, chunk: &mut Chunk) {
    chunk.each(|item, bytes| {
        // The truck's id stands in the buffer that the key is appended to, so it is copied first.
        let mut copy = [0; LONGEST_TRUCK];
        let id = item.truck.of(bytes);
        let length = id.len().min(LONGEST_TRUCK);
        copy[..length].copy_from_slice(&id[..length]);
        let truck = std::str::from_utf8(&copy[..length]).unwrap_or_default();
        let start = bytes.len();
        strategy.write(item.codigo, truck, bytes);
        item.key = Text::since(start, bytes);
    });
}
