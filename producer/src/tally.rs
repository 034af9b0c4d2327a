//! What is counted while it happens: plain counters that every part may read, and the pace that only the flow keeps.

use crate::chunk::{Item, NO_SERIES};
use crate::latency::Lateness;
use runtime::metrics::{Counter, Gauge};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

/// Counters of a run. Clones count the same; `default()` counts for itself (tests).
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Events that the source made, that a route took and that the limits let pass.
    pub offered: Counter,
    /// Events that the client's queue took.
    pub sent: Counter,
    pub sent_bytes: Counter,
    /// Events that Kafka holds.
    pub acknowledged: Counter,
    /// Events that may not be in Kafka: given up on.
    pub failed: Counter,
    /// Events set aside, on the dead-letter topic or in the local file.
    pub dead_lettered: Counter,
    /// Events that the spool took.
    pub spooled: Counter,
    /// Events in the spool now, and their bytes.
    pub in_spool: Gauge,
    pub spool_bytes: Gauge,
    /// Events that an earlier process left in the spool; not part of `offered`.
    pub recovered: Counter,
    /// Events that a client gave back although Kafka may have them: sent again, so perhaps twice in Kafka.
    pub maybe_twice: Counter,
    /// How often a new client took the place of one.
    pub client_changes: Counter,
    /// Lines that hold no valid event.
    pub bad_lines: Counter,
    /// Events that no route holds; set aside in the local file, not part of `offered`.
    pub unroutable: Counter,
    /// Bad lines and events without a route that no file took: they stand nowhere.
    pub not_set_aside: Counter,
    /// How often a full queue made the flow wait.
    pub queue_full: Counter,
    /// How late the last chunk was, seconds.
    pub lateness: Gauge,
    /// Events between the client's queue and Kafka's answer.
    pub queue: Gauge,
}

impl Tally {
    /// Events that wait for their answer, in the client or in the spool.
    pub fn unanswered(&self) -> u64 {
        let answered = self.acknowledged.get() + self.failed.get() + self.dead_lettered.get();
        (self.offered.get() + self.recovered.get()).saturating_sub(answered)
    }
}

/// When events went out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pace {
    /// Events taken by the client's queue in each second of the run.
    pub per_second: Vec<u64>,
    pub lateness_max: Duration,
    pub lateness: Lateness,
}

impl Pace {
    pub fn note(&mut self, due: Duration, now: Duration) {
        let second = now.as_secs() as usize;
        if self.per_second.len() <= second {
            self.per_second.resize(second + 1, 0);
        }
        self.per_second[second] += 1;
        let late = now.saturating_sub(due);
        self.lateness_max = self.lateness_max.max(late);
        self.lateness.note(due, late);
    }
}

/// How many events were offered, by codigo.
#[derive(Debug, Clone, Default)]
pub struct CodeCounts {
    by_codigo: HashMap<u32, u64, BuildHasherDefault<CodigoHasher>>,
    unnamed: u64,
}

/// Asked for every event: one multiplication, where the standard library's hash costs as much as encoding a number.
#[derive(Debug, Clone, Default)]
struct CodigoHasher(u64);

impl Hasher for CodigoHasher {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u32(self.0 as u32 ^ u32::from(*byte)));
    }

    fn write_u32(&mut self, codigo: u32) {
        // 2^64 divided by the golden ratio spreads neighbours over all bits.
        self.0 = u64::from(codigo).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

impl CodeCounts {
    pub fn note(&mut self, item: &Item) {
        *self.by_codigo.entry(item.codigo).or_default() += 1;
        self.unnamed += u64::from(item.series == NO_SERIES);
    }

    /// Events that the ledger cannot name.
    pub fn unnamed(&self) -> u64 {
        self.unnamed
    }

    pub fn by_codigo(&self) -> HashMap<u32, u64> {
        self.by_codigo.iter().map(|(codigo, count)| (*codigo, *count)).collect()
    }
}
