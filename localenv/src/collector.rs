//! The HTTP destination of the local environment: receives events and keeps the ledger of what was delivered.
//!
//! It judges nothing: it writes down first deliveries, duplicates and order per key as they arrive, and the latency from the event's time.

/// Finds the id and the time of an event without parsing the rest of it.
mod scan;
/// Where a delivery came from.
mod batch_id;
/// What has been received.
mod book;
/// The collector's HTTP.
mod receive;

pub use book::{PartitionSeen, Snapshot};
pub use scan::{Stamp, stamp};

use crate::listener::Server;
use anyhow::Context;
use book::{Book, arrivals};
use domain::ledger::Deliveries;
use receive::{Shared, lock};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// How a collector starts.
#[derive(Debug, Clone, Default)]
pub struct CollectorOptions {
    /// 0 = any free port of 127.0.0.1.
    pub port: u16,
    /// NDJSON of every event that is taken down, in order of arrival; overwritten.
    pub file: Option<PathBuf>,
    /// Loses every n-th event on purpose, so that a test can see the ledger notice it.
    pub forget_every: Option<u64>,
}

/// A running collector; it stops when dropped.
#[derive(Debug)]
pub struct Collector {
    server: Server,
    book: Shared,
}

impl Collector {
    /// Starts one on any free port, without a file.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(CollectorOptions::default()).await
    }

    /// Starts one on the current tokio runtime.
    ///
    /// # Errors
    /// When the port cannot be bound or the file cannot be written.
    pub async fn start_with(options: CollectorOptions) -> anyhow::Result<Self> {
        let create = |path: &PathBuf| File::create(path).with_context(|| format!("collector file {}", path.display()));
        let file = options.file.as_ref().map(create).transpose()?;
        let book: Shared = Arc::new(Mutex::new(Book::new(file, options.forget_every)?));
        let server = Server::start(options.port, receive::router(Arc::clone(&book)))
            .await
            .with_context(|| format!("collector: port {}", options.port))?;
        Ok(Self { server, book })
    }

    /// Where deliveries go; every path is good.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// All counts at this moment.
    pub fn snapshot(&self) -> Snapshot {
        lock(&self.book).snapshot()
    }

    /// The ledger at this moment.
    pub fn deliveries(&self) -> Deliveries {
        lock(&self.book).deliveries()
    }

    /// Test only: answers 2xx for every n-th event from now on and does not take it down; `None` stops it.
    pub fn forget_every(&self, n: Option<u64>) {
        lock(&self.book).forget_every(n);
    }

    /// Answers the next `count` requests with `status` and takes nothing of them down: a destination that is down.
    pub fn refuse(&self, status: u16, count: u64) {
        lock(&self.book).refuse(status, count);
    }

    /// Takes requests and answers none of them until this is taken back; then those whose senders still wait are served.
    pub fn hang(&self, hangs: bool) {
        lock(&self.book).hang(hangs);
    }
}

/// The ledger of a collector's NDJSON file, for when the collector ran in another process.
///
/// # Errors
/// When the file cannot be read or holds a line that is no event.
pub fn read_back(file: &Path) -> anyhow::Result<Deliveries> {
    let name = || format!("collector file {}", file.display());
    let mut deliveries = Deliveries::default();
    for (at, line) in BufReader::new(File::open(file).with_context(name)?).split(b'\n').enumerate() {
        let line = line.with_context(name)?;
        let found =
            arrivals(&line).map_err(anyhow::Error::msg).with_context(|| format!("{} row {}", name(), at + 1))?;
        for arrival in &found {
            deliveries.record(arrival.id());
        }
    }
    Ok(deliveries)
}
