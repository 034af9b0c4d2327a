//! What is counted while it happens: plain counters that every part may read, and the pace that only the flow keeps.

use crate::chunk::{Item, NO_SERIES};
use crate::latency::Lateness;
use runtime::metrics::{Counter, Gauge};
use std::collections::HashMap;
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

/// How many events of each series were offered.
#[derive(Debug, Clone, Default)]
pub struct SeriesCounts {
    by_series: Vec<u64>,
    /// Events whose id names no series, by codigo.
    unnamed: HashMap<u32, u64>,
}

impl SeriesCounts {
    pub fn note(&mut self, item: &Item) {
        if item.series == NO_SERIES {
            *self.unnamed.entry(item.codigo).or_default() += 1;
            return;
        }
        let place = item.series as usize;
        if self.by_series.len() <= place {
            self.by_series.resize(place + 1, 0);
        }
        self.by_series[place] += 1;
    }

    /// Events that the ledger cannot name.
    pub fn unnamed(&self) -> u64 {
        self.unnamed.values().sum()
    }

    /// Events per codigo; `codigo_of` names the codigo of a series.
    pub fn by_codigo(&self, codigo_of: impl Fn(u32) -> Option<u32>) -> HashMap<u32, u64> {
        let mut codes = self.unnamed.clone();
        for (series, count) in self.by_series.iter().enumerate().filter(|(_, count)| **count > 0) {
            if let Some(codigo) = codigo_of(series as u32) {
                *codes.entry(codigo).or_default() += count;
            }
        }
        codes
    }
}
