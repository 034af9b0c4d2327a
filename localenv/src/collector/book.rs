//! What the collector has received: the deliveries' ledger, latency, partitions and duplicates.

use super::batch_id::coordinates;
use super::scan::stamp;
use crate::lambda_host::Latency;
use domain::event::EventId;
use domain::ledger::{Deliveries, Seen};
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use tokio::sync::watch;

const HIGHEST_MS: u64 = 86_400_000;
/// How many batches with duplicates are named one by one.
const NAMED_BATCHES: usize = 10_000;

/// Everything at one moment, for `GET /_collector/snapshot`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// Deliveries that were taken, each with one or more events.
    pub requests: u64,
    /// Arrivals taken down, duplicates included.
    pub events: u64,
    pub first_deliveries: u64,
    pub duplicates: u64,
    pub order_violations: u64,
    /// Arrivals that were answered 2xx and not taken down, on command.
    pub forgotten: u64,
    /// Requests answered 400 for what stood in them.
    pub bad_requests: u64,
    /// Requests answered with an error on command.
    pub refused: u64,
    /// From event time to arrival here, in milliseconds; duplicates count too.
    pub latency_ms: Latency,
    /// By `topic/partition`.
    pub partitions: BTreeMap<String, PartitionSeen>,
    /// Batch ids in which duplicates came, and how many; the first 10,000 of them.
    pub duplicate_batches: BTreeMap<String, u64>,
}

/// What has come from one partition, by the batch ids of the deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PartitionSeen {
    pub requests: u64,
    pub events: u64,
    /// The highest offset that a batch id has named.
    pub high_water: i64,
}

/// The state behind the collector's HTTP.
#[derive(Debug)]
pub struct Book {
    deliveries: Deliveries,
    seen: Snapshot,
    latency_ms: Histogram<u64>,
    file: Option<BufWriter<File>>,
    forget_every: Option<u64>,
    until_forgotten: u64,
    refusing: Option<(u16, u64)>,
    hangs: watch::Sender<bool>,
}

/// One event of a request.
#[derive(Debug)]
pub struct Arrival<'a> {
    line: &'a [u8],
    id: EventId,
    ts: Option<i64>,
}

impl Arrival<'_> {
    pub fn id(&self) -> &EventId {
        &self.id
    }
}

/// Reads a request's lines, all or none.
///
/// # Errors
/// Which line is not an event with an id.
pub fn arrivals(body: &[u8]) -> Result<Vec<Arrival<'_>>, String> {
    let lines = body.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    lines
        .map(|(at, line)| {
            let found = stamp(line).ok_or_else(|| format!("line {}: not a JSON object with an id", at + 1))?;
            let id = EventId::parse(&found.id)
                .ok_or_else(|| format!("line {}: id {:?} is not run-truck-codigo-seq", at + 1, found.id))?;
            Ok(Arrival { line, id, ts: found.ts })
        })
        .collect()
}

impl Book {
    /// An empty book; `file` gets every event that is taken down, in order of arrival.
    ///
    /// # Errors
    /// Only when the histogram's bounds were wrong.
    pub fn new(file: Option<File>, forget_every: Option<u64>) -> anyhow::Result<Self> {
        let mut book = Self {
            deliveries: Deliveries::default(),
            seen: Snapshot::default(),
            latency_ms: Histogram::new_with_bounds(1, HIGHEST_MS, 3)?,
            file: file.map(BufWriter::new),
            forget_every: None,
            until_forgotten: 0,
            refusing: None,
            hangs: watch::Sender::new(false),
        };
        book.forget_every(forget_every);
        Ok(book)
    }

    /// Takes down one request; `now_ms` is the wall clock.
    ///
    /// # Errors
    /// When the file cannot be written; the request then counts as not taken.
    pub fn record(&mut self, arrivals: &[Arrival<'_>], batch_id: Option<&str>, now_ms: i64) -> io::Result<()> {
        self.seen.requests += 1;
        let mut duplicates = 0;
        for arrival in arrivals {
            if self.is_forgotten() {
                self.seen.forgotten += 1;
                continue;
            }
            if let Some(file) = &mut self.file {
                file.write_all(arrival.line)?;
                file.write_all(b"\n")?;
            }
            if let Some(ts) = arrival.ts {
                self.latency_ms.saturating_record(u64::try_from(now_ms - ts).unwrap_or_default());
            }
            duplicates += u64::from(self.deliveries.record(&arrival.id) == Seen::Duplicate);
        }
        self.locate(arrivals.len() as u64, batch_id, duplicates);
        self.file.as_mut().map_or(Ok(()), BufWriter::flush)
    }

    fn locate(&mut self, events: u64, batch_id: Option<&str>, duplicates: u64) {
        let batch_id = batch_id.unwrap_or("unknown");
        if duplicates > 0 {
            let batches = &mut self.seen.duplicate_batches;
            if batches.len() < NAMED_BATCHES || batches.contains_key(batch_id) {
                *batches.entry(batch_id.to_owned()).or_default() += duplicates;
            }
        }
        if let Some(from) = coordinates(batch_id) {
            let key = format!("{}/{}", from.topic, from.partition);
            let seen = self.seen.partitions.entry(key).or_default();
            seen.requests += 1;
            seen.events += events;
            seen.high_water = seen.high_water.max(from.last);
        }
    }

    /// Forgets every n-th event from now on; `None` or 0 stops it.
    pub fn forget_every(&mut self, n: Option<u64>) {
        self.forget_every = n.filter(|n| *n > 0);
        self.until_forgotten = self.forget_every.unwrap_or_default();
    }

    fn is_forgotten(&mut self) -> bool {
        let Some(every) = self.forget_every else { return false };
        self.until_forgotten -= 1;
        if self.until_forgotten > 0 {
            return false;
        }
        self.until_forgotten = every;
        true
    }

    /// Whether requests wait for this to be taken back.
    pub fn hang(&self, hangs: bool) {
        self.hangs.send_replace(hangs);
    }

    /// Whether they do.
    pub fn hanging(&self) -> watch::Receiver<bool> {
        self.hangs.subscribe()
    }

    /// Answers the next `count` requests with `status`, and takes nothing of them down.
    pub fn refuse(&mut self, status: u16, count: u64) {
        self.refusing = (count > 0).then_some((status, count));
    }

    /// The status ordered for the request that is here now.
    pub fn refusal(&mut self) -> Option<u16> {
        let (status, left) = self.refusing?;
        self.refusing = (left > 1).then_some((status, left - 1));
        self.seen.refused += 1;
        Some(status)
    }

    /// Counts a request that could not be read.
    pub fn bad_request(&mut self) {
        self.seen.bad_requests += 1;
    }

    pub fn deliveries(&self) -> Deliveries {
        self.deliveries.clone()
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            events: self.deliveries.events(),
            first_deliveries: self.deliveries.first_deliveries(),
            duplicates: self.deliveries.duplicates(),
            order_violations: self.deliveries.order_violations(),
            latency_ms: Latency::of(&self.latency_ms, 1.0),
            ..self.seen.clone()
        }
    }
}
