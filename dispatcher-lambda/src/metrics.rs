//! What the dispatcher counts since the cold start. A Lambda instance has no port to ask: what leaves it is in `emf.rs`.
//!
//! | Name | Unit | Meaning |
//! |---|---|---|
//! | `comboio_dispatcher_verdicts_delivered_total` | records | every required destination holds them |
//! | `comboio_dispatcher_verdicts_duplicates_total` | records | were delivered before |
//! | `comboio_dispatcher_verdicts_rejected_total` | records | can never be delivered |
//! | `comboio_dispatcher_verdicts_retry_total` | records | must come again |
//! | `comboio_dispatcher_decode_bad_requests_total` | requests | payloads that are no request of our contract |
//! | `comboio_dispatcher_deliver_optional_failures_total` | records | not taken by an optional destination |

use domain::contract::Response;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counts since the cold start.
#[derive(Debug, Default)]
pub struct Metrics {
    delivered: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
    retry: AtomicU64,
    bad_requests: AtomicU64,
    optional_failures: AtomicU64,
}

/// The counts at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    pub delivered: u64,
    pub duplicates: u64,
    pub rejected: u64,
    pub retry: u64,
    pub bad_requests: u64,
    pub optional_failures: u64,
}

impl Metrics {
    /// Counts the verdicts of one response.
    pub fn answered(&self, response: &Response) {
        self.delivered.fetch_add(response.delivered, Relaxed);
        self.duplicates.fetch_add(response.duplicates, Relaxed);
        self.rejected.fetch_add(response.rejected.len() as u64, Relaxed);
        self.retry.fetch_add(response.retry.len() as u64, Relaxed);
    }

    pub fn bad_request(&self) {
        self.bad_requests.fetch_add(1, Relaxed);
    }

    pub fn optional_failures(&self, records: u64) {
        self.optional_failures.fetch_add(records, Relaxed);
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            delivered: self.delivered.load(Relaxed),
            duplicates: self.duplicates.load(Relaxed),
            rejected: self.rejected.load(Relaxed),
            retry: self.retry.load(Relaxed),
            bad_requests: self.bad_requests.load(Relaxed),
            optional_failures: self.optional_failures.load(Relaxed),
        }
    }
}
