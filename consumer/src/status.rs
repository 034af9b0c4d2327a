//! What /status says.

use crate::batch_limit::BatchLimits;
use crate::condition::Condition;
use crate::flood::Flood;
use crate::guard::Guard;
use crate::metrics::Meters;
use crate::pause::Pauses;
use crate::poll::PartitionStatus;
use kafka_client::expiry::Expiry;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

/// Where the process stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Starting,
    Running,
    Draining,
    Stopped,
}

type Partitions = Box<dyn Fn() -> Vec<PartitionStatus> + Send + Sync>;

/// Collects what the parts say of themselves; clones are the same status.
#[derive(Clone)]
pub struct Status {
    parts: Arc<Parts>,
}

struct Parts {
    state: AtomicU8,
    meters: Arc<Meters>,
    condition: Condition,
    expiry: Expiry,
    guard: Guard,
    flood: Flood,
    pauses: Pauses,
    batch_limits: OnceLock<BatchLimits>,
    partitions: OnceLock<Partitions>,
}

impl State {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Starting, "starting"),
        (Self::Running, "running"),
        (Self::Draining, "draining"),
        (Self::Stopped, "stopped"),
    ];
}

impl Status {
    pub fn new(meters: Arc<Meters>, condition: Condition, expiry: Expiry, moved: (Guard, Flood, Pauses)) -> Self {
        let (state, partitions, batch_limits) = (AtomicU8::new(0), OnceLock::new(), OnceLock::new());
        let (guard, flood, pauses) = moved;
        let parts = Parts { state, meters, condition, expiry, guard, flood, pauses, batch_limits, partitions };
        Self { parts: Arc::new(parts) }
    }

    pub fn set(&self, state: State) {
        self.parts.state.store(state as u8, Ordering::Relaxed);
    }

    /// From now on the batch limits are shown; the first ones count.
    pub fn show_batch_limits(&self, limits: BatchLimits) {
        // There is one set of them for the process.
        let _ = self.parts.batch_limits.set(limits);
    }

    /// From now on partitions are shown; the first source counts.
    pub fn show(&self, partitions: impl Fn() -> Vec<PartitionStatus> + Send + Sync + 'static) {
        // A second source would be a second poll thread, which does not exist.
        let _ = self.parts.partitions.set(Box::new(partitions));
    }

    /// The whole status; answers at once.
    pub fn json(&self) -> Value {
        let Parts { state, meters, condition, expiry, guard, flood, pauses, batch_limits, partitions } = &*self.parts;
        let state = State::ALL.get(usize::from(state.load(Ordering::Relaxed))).map_or("", |(_, word)| *word);
        let assignment: Vec<Value> =
            partitions.get().map(|list| list().iter().map(partition).collect()).unwrap_or_default();
        json!({
            "state": state,
            "not_ready": condition.why(),
            "assignment": assignment,
            "polled": meters.polled.get(),
            "batches": meters.batches(),
            "batch_limit": batch_limits.get().map(BatchLimits::json),
            "invocations": meters.calls(),
            "invoke_latency_ms": meters.latency_ms(),
            "in_flight": meters.in_flight(),
            "guard": guard.view(),
            "flood": flood.json(),
            "paused_by_hand": pauses.json(),
            "waiting_calls": meters.guard.waiting(),
            "delivered": meters.delivered.get(),
            "duplicates": meters.duplicates.get(),
            "rejected": meters.rejected.get(),
            "retries": meters.retries.get(),
            "deferred": meters.deferred.get(),
            "dead_lettered": meters.dead_lettered.get(),
            "commits": meters.commits_ok.get(),
            "rebalances": { "assigned": meters.assigned.get(), "revoked": meters.revoked.get(), "lost": meters.lost.get() },
            "client_changes": meters.client_changes.get(),
            "pauses": meters.pauses.get(),
            "certificate": expiry.json(),
        })
    }
}

fn partition(status: &PartitionStatus) -> Value {
    let standing = &status.standing;
    json!({
        "topic": &*standing.held.at.topic,
        "partition": standing.held.at.partition,
        "generation": standing.held.generation.0,
        "committed": status.committed,
        "polled": standing.polled,
        "lag_records": status.lag.records,
        "lag_seconds": status.lag.seconds,
        "lost_by_retention": status.lag.lost,
        "paused": standing.paused,
        "paused_by_hand": standing.paused_by_hand,
        "outstanding_batches": standing.outstanding,
        "put_off": standing.put_off,
    })
}
