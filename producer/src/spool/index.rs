//! Which keys have events in the spool, in memory: asked for every event while the spool is not empty.

use std::collections::HashMap;
use twox_hash::XxHash3_64;

/// Counts per key; two keys that share a hash only wait for each other.
#[derive(Debug, Default)]
pub(super) struct Index {
    keys: HashMap<u64, Count>,
    len: u64,
    bytes: u64,
}

/// The events of one key.
#[derive(Debug, Default)]
struct Count {
    held: u32,
    /// Those of them that were handed out since the last rewind.
    out: u32,
}

/// The number by which the spool knows a key.
pub fn key_hash(key: &[u8]) -> u64 {
    XxHash3_64::oneshot(key)
}

impl Index {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// True when events of this key have not been handed out.
    pub(super) fn queues(&self, key: u64) -> bool {
        self.keys.get(&key).is_some_and(|count| count.held > count.out)
    }

    pub(super) fn handed_out(&mut self, key: u64) {
        if let Some(count) = self.keys.get_mut(&key) {
            count.out += 1;
        }
    }

    pub(super) fn put_back(&mut self, key: u64) {
        if let Some(count) = self.keys.get_mut(&key) {
            count.out = count.out.saturating_sub(1);
        }
    }

    pub(super) fn rewind(&mut self) {
        self.keys.values_mut().for_each(|count| count.out = 0);
    }

    pub(super) fn add(&mut self, key: u64, bytes: u64) {
        self.keys.entry(key).or_default().held += 1;
        self.len += 1;
        self.bytes += bytes;
    }

    /// `out`: it was handed out since the last rewind.
    pub(super) fn remove(&mut self, key: u64, bytes: u64, out: bool) {
        if let Some(count) = self.keys.get_mut(&key) {
            count.held -= 1;
            count.out = count.out.saturating_sub(u32::from(out));
            if count.held == 0 {
                self.keys.remove(&key);
            }
        }
        self.len = self.len.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
