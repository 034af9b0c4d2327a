//! Which keys have events in the spool, in memory: asked for every event while the spool is not empty.

use std::collections::HashMap;
use twox_hash::XxHash3_64;

/// Counts per key; two keys that share a hash only wait for each other.
#[derive(Debug, Default)]
pub(super) struct Index {
    keys: HashMap<u64, u32>,
    len: u64,
    bytes: u64,
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

    pub(super) fn holds(&self, key: u64) -> bool {
        self.keys.contains_key(&key)
    }

    pub(super) fn add(&mut self, key: u64, bytes: u64) {
        *self.keys.entry(key).or_default() += 1;
        self.len += 1;
        self.bytes += bytes;
    }

    pub(super) fn remove(&mut self, key: u64, bytes: u64) {
        if let Some(count) = self.keys.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.keys.remove(&key);
            }
        }
        self.len = self.len.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
