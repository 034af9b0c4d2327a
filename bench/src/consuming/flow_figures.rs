//! Figures beside the rivals': throughput against latency, CPU of the whole path, and the steady load.

use serde::{Deserialize, Serialize};

/// Records/s of the steady load: what the system is built for.
pub const RATE: u32 = 13_000;

/// What a process of ours saw while functions took their time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Records that were answered.
    pub records: u64,
    pub calls: u64,
    pub seconds: f64,
    /// How long a call took where it was answered, on average: a sleep is longer than it was asked for.
    pub call_ms: f64,
    /// Of the process meanwhile.
    pub cpu_seconds: f64,
}

impl Seen {
    /// Records a second.
    pub fn throughput(&self) -> f64 {
        self.records as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// Microseconds a record.
    pub fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.records.max(1) as f64
    }

    /// Of one core.
    pub fn cpu_of_a_core(&self) -> f64 {
        self.cpu_seconds / self.seconds.max(f64::MIN_POSITIVE)
    }
}

/// Throughput against what waiting allows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flow {
    /// Latency that the function was asked to have.
    pub latency_ms: u64,
    pub partitions: u32,
    pub lanes: u32,
    /// Records of a batch.
    pub batch: u32,
    pub seen: Seen,
}

impl Flow {
    /// Records a second when every lane has a call under way all the time.
    pub fn ideal(&self) -> f64 {
        f64::from(self.partitions * self.lanes * self.batch) * 1_000.0 / self.seen.call_ms.max(f64::MIN_POSITIVE)
    }

    /// Which part of it was reached.
    pub fn part(&self) -> f64 {
        self.seen.throughput() / self.ideal()
    }
}

/// Calls at once, over Lambda's own client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Streams {
    pub in_flight: u32,
    /// Connections that the server saw.
    pub connections: u64,
    pub seen: Seen,
}

impl Streams {
    /// The part of the calls that would be made if all of them were under way all the time.
    pub fn part(&self) -> f64 {
        let ideal = f64::from(self.in_flight) * 1_000.0 / self.seen.call_ms.max(f64::MIN_POSITIVE);
        self.seen.calls as f64 / self.seen.seconds.max(f64::MIN_POSITIVE) / ideal
    }
}

/// The whole consumer for some seconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Path {
    pub latency_ms: u64,
    /// Lanes of a partition: calls that can be under way for it at once.
    pub lanes: u32,
    pub seen: Seen,
    /// The highest resident memory.
    pub peak_bytes: u64,
}

/// What was fetched, against what was taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Fetched {
    /// Bytes that the brokers' connections brought, as the client counts them.
    pub bytes: u64,
    pub records: u64,
    /// Times a partition was paused.
    pub pauses: u64,
}

impl Fetched {
    /// Bytes for each record that was taken.
    pub fn bytes_a_record(&self) -> f64 {
        self.bytes as f64 / self.records.max(1) as f64
    }
}

/// The same records taken without a pause and with pauses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refetch {
    pub free: Fetched,
    pub paused: Fetched,
}

impl Refetch {
    /// 1 when nothing was fetched twice.
    pub fn ratio(&self) -> f64 {
        self.paused.bytes_a_record() / self.free.bytes_a_record().max(f64::MIN_POSITIVE)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fetched, Flow, Refetch, Seen, Streams};

    #[test]
    fn a_flow_is_held_against_calls_that_follow_each_other_without_a_gap() {
        let seen = Seen { records: 57_000, calls: 114, seconds: 1.0, call_ms: 100.0, cpu_seconds: 0.057 };
        let flow = Flow { latency_ms: 100, partitions: 12, lanes: 1, batch: 500, seen };
        assert!((flow.ideal() - 60_000.0).abs() < 1e-6 && (flow.part() - 0.95).abs() < 1e-9, "{flow:?}");
        assert!((seen.cpu_us() - 1.0).abs() < 1e-9 && (seen.cpu_of_a_core() - 0.057).abs() < 1e-9);
        let streams = Streams { in_flight: 12, connections: 1, seen };
        assert!((streams.part() - 0.95).abs() < 1e-9, "{streams:?}");
    }

    #[test]
    fn what_is_fetched_twice_shows() {
        let free = Fetched { bytes: 1_000, records: 10, pauses: 0 };
        let paused = Fetched { bytes: 1_200, records: 10, pauses: 3 };
        assert!((Refetch { free, paused }.ratio() - 1.2).abs() < 1e-9);
    }
}
