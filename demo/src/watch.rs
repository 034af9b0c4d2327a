//! One second of the journey, seen from outside: the services' own /status and what the collector received.

use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a person watches. Counts are since the start; latencies are in milliseconds.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub elapsed: Duration,
    pub offered: u64,
    pub acknowledged: u64,
    pub ack_p50: f64,
    pub ack_p99: f64,
    /// Records behind, by topic.
    pub lag: BTreeMap<String, u64>,
    /// Records behind in the partition that is furthest behind.
    pub lag_worst: u64,
    pub batches: u64,
    pub invocations: u64,
    pub invoke_p50: f64,
    pub invoke_p99: f64,
    pub in_flight: u64,
    pub retries: u64,
    /// Distinct events at the collector.
    pub delivered: u64,
    /// Deliveries beyond the first, at the collector.
    pub duplicates: u64,
    pub dead_lettered: u64,
    pub consumers: usize,
    /// All processes together, in bytes.
    pub resident: u64,
}

impl Snapshot {
    /// Adds what the producer says of itself.
    pub fn add_producer(&mut self, status: &Value) {
        self.offered += count(status, "/offered");
        self.acknowledged += count(status, "/acknowledged");
        self.ack_p50 = number(status, "/ack_latency_ms/p50");
        self.ack_p99 = number(status, "/ack_latency_ms/p99");
    }

    /// Adds what one consumer says of itself.
    pub fn add_consumer(&mut self, status: &Value) {
        self.consumers += 1;
        self.batches += count(status, "/batches");
        self.invocations += count(status, "/invocations");
        self.in_flight += count(status, "/in_flight");
        self.retries += count(status, "/retries");
        self.dead_lettered += count(status, "/dead_lettered");
        self.invoke_p50 = self.invoke_p50.max(number(status, "/invoke_latency_ms/p50"));
        self.invoke_p99 = self.invoke_p99.max(number(status, "/invoke_latency_ms/p99"));
        for owned in status["assignment"].as_array().into_iter().flatten() {
            let topic = owned["topic"].as_str().unwrap_or_default().to_owned();
            let lag = count(owned, "/lag_records");
            self.lag_worst = self.lag_worst.max(lag);
            *self.lag.entry(topic).or_default() += lag;
        }
    }
}

/// The partitions that a consumer says it owns.
pub fn assignment(status: &Value) -> Vec<(String, i32)> {
    let owned = status["assignment"].as_array().into_iter().flatten();
    owned
        .filter_map(|o| Some((o["topic"].as_str()?.to_owned(), i32::try_from(o["partition"].as_i64()?).ok()?)))
        .collect()
}

/// A count in a status; 0 when it is not there.
pub fn count(status: &Value, pointer: &str) -> u64 {
    status.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// A number in a status; 0 when it is not there.
pub fn number(status: &Value, pointer: &str) -> f64 {
    status.pointer(pointer).and_then(Value::as_f64).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::{Snapshot, assignment};
    use serde_json::json;

    #[test]
    fn consumers_add_up() {
        let status = json!({"assignment":[{"topic":"mt-c400","partition":3,"lag_records":5}], "batches": 2, "invoke_latency_ms": {"p99": 7.5}});
        let mut snapshot = Snapshot::default();
        snapshot.add_consumer(&status);
        snapshot.add_consumer(&status);
        assert_eq!((snapshot.lag["mt-c400"], snapshot.batches, snapshot.consumers), (10, 4, 2));
        assert_eq!(assignment(&status), [("mt-c400".to_owned(), 3)]);
    }
}
