//! What is written, section by section, with its defaults.

use super::{BreakerRaw, ConcurrencyRaw, TopicRaw};
use crate::flood::FloodLimits;
use kafka_client::settings::{GroupProtocol, KafkaRaw, OffsetReset};
use runtime::admin::AdminRaw;
use runtime::config::{Size, Span};
use runtime::logs::LogsRaw;
use runtime::metrics::MetricsRaw;
use runtime::traces::TracesRaw;
use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Raw {
    pub kafka: KafkaRaw,
    pub consumer: ConsumerRaw,
    pub topic: Vec<TopicRaw>,
    pub batch: BatchRaw,
    pub function: FunctionRaw,
    pub breaker: BreakerRaw,
    pub concurrency: ConcurrencyRaw,
    pub retry: RetryRaw,
    pub flood: FloodRaw,
    pub dead_letter: DeadLetterRaw,
    pub commit: CommitRaw,
    pub drain: DrainRaw,
    pub admin: AdminRaw,
    pub logs: LogsRaw,
    pub metrics: MetricsRaw,
    pub traces: TracesRaw,
}

/// Section `[consumer]`: who we are in the group, and what we read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsumerRaw {
    pub group: String,
    pub topics: Vec<String>,
    /// A name that this instance keeps over a restart (static membership); empty: a new member at every start.
    pub instance_id: String,
    /// How the group is formed: by its members, or (Kafka 4.0 and newer) by the brokers.
    pub protocol: GroupProtocol,
    /// With protocol "consumer": how the brokers share partitions out, "uniform" or "range"; empty: as they are set up.
    pub assignor: String,
    /// How long the group waits for a silent member before its partitions move; with protocol "consumer" the brokers say that.
    pub session_timeout: Span,
    /// How long the client may go unpolled; a rebalance may take no longer.
    pub max_poll_interval: Span,
    /// Where to start without a usable committed offset.
    pub start: OffsetReset,
    /// How much may be read ahead of all partitions of our topics together, of which this process may come to own all.
    pub read_ahead: Size,
    /// Invocations in flight per partition, each with its own share of the keys; 1 keeps order per partition.
    pub lanes: u32,
    /// Raised by one for an intended replay, so that the dispatcher's dedupe lets it pass.
    pub epoch: u32,
}

/// Section `[batch]`: when a batch is closed, and how many may be on their way.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchRaw {
    pub records: u32,
    /// Whether the number of records follows the function: fewer when invocations time out or are over their budget, up to `records`.
    pub adaptive: bool,
    /// It never makes them fewer than this.
    pub least: u32,
    /// Since the batch's first record.
    pub age: Span,
    /// Of the request, which Lambda limits to 6 MiB.
    pub size: Size,
    /// How many closed batches of a lane may wait behind the one in flight.
    pub waiting: u32,
    /// How much the batches of all partitions may hold together.
    pub memory: Size,
}

/// Section `[function]`: the dispatcher.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FunctionRaw {
    /// Name, name:alias or ARN.
    pub name: String,
    /// Another endpoint than AWS's own; empty: AWS's own.
    pub endpoint_url: String,
    /// Empty: from the environment.
    pub region: String,
    /// The function's own timeout; a call is given up 10 s after it.
    pub timeout: Span,
    /// Invocations at once, over all partitions.
    pub max_in_flight: u32,
    /// 0 is no limit.
    pub invocations_per_second: f64,
}

/// Section `[retry]`: the wait before the next attempt is uniform between zero and a ceiling that doubles from `base` to `cap`.
/// Only a function that fails makes attempts count: what is throttled or out of reach is tried for ever.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryRaw {
    pub base: Span,
    pub cap: Span,
    /// After so many function errors the records are cut in two, again and again, to find the one at fault.
    pub suspect_after: u32,
    /// Function errors that a record may be part of before it becomes a dead letter, alone; over all owners of its partition.
    pub attempts: u32,
    /// Topics whose records with the verdict `retry` wait in `<topic>.retry.<delay>` while the others go on: order is given up there.
    pub deferred: Vec<String>,
    /// How long they wait the first time, the second time and so on; after the last one they become dead letters.
    pub delays: Vec<Span>,
}

/// Section `[flood]`: when a partition stops instead of emptying into its dead letters. 0 switches a limit off.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FloodRaw {
    /// Dead letters without a delivered record in between.
    pub in_a_row: u64,
    /// Dead letters within `window`.
    pub in_window: u64,
    /// Of the records that met their fate within `window`, once they are `enough`.
    pub share: f64,
    pub enough: u64,
    pub window: Span,
}

/// Section `[dead_letter]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadLetterRaw {
    /// How long one attempt to write dead letters may take.
    pub timeout: Span,
}

/// Section `[commit]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommitRaw {
    /// How often offsets are committed, when there are any.
    pub interval: Span,
}

/// Section `[drain]`: how long to wait for what is in flight.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DrainRaw {
    /// In a rebalance; the partitions stand still meanwhile.
    pub revoke: Span,
    /// At the end of the process.
    pub shutdown: Span,
    /// For the last commit and the departure from the group; after that the process ends anyway.
    pub close: Span,
}

impl Default for ConsumerRaw {
    fn default() -> Self {
        Self {
            group: String::new(),
            topics: Vec::new(),
            instance_id: String::new(),
            protocol: GroupProtocol::Classic,
            assignor: String::new(),
            session_timeout: Span::from_secs(45),
            max_poll_interval: Span::from_secs(300),
            start: OffsetReset::Earliest,
            read_ahead: Size::from_mib(128),
            lanes: 1,
            epoch: 0,
        }
    }
}

impl Default for BatchRaw {
    fn default() -> Self {
        Self {
            records: 500,
            // A function that times out with 500 records does so with every batch: each would wait for its time-out first.
            adaptive: true,
            least: 10,
            age: Span::from_secs(1),
            size: Size::from_kib(5_632),
            // A partition that is full is read on when half of them are worked off. What still waits then must last until new
            // batches are closed: with less, a fast function stands idle in between.
            waiting: 8,
            memory: Size::from_mib(256),
        }
    }
}

impl Default for FunctionRaw {
    fn default() -> Self {
        Self {
            name: String::new(),
            endpoint_url: String::new(),
            region: String::new(),
            timeout: Span::from_secs(30),
            max_in_flight: 64,
            invocations_per_second: 0.0,
        }
    }
}

impl Default for RetryRaw {
    fn default() -> Self {
        Self {
            base: Span::from_millis(100),
            // A function that is well again is called within this, however long it was ill.
            cap: Span::from_secs(5),
            suspect_after: 2,
            attempts: 16,
            deferred: Vec::new(),
            delays: [5, 30, 300].map(Span::from_secs).to_vec(),
        }
    }
}

impl Default for FloodRaw {
    fn default() -> Self {
        let FloodLimits { in_a_row, in_window, share, enough, .. } = FloodLimits::default();
        Self { in_a_row, in_window, share, enough, window: Span::from_secs(60) }
    }
}

impl Default for DeadLetterRaw {
    fn default() -> Self {
        Self { timeout: Span::from_secs(30) }
    }
}

impl Default for CommitRaw {
    fn default() -> Self {
        Self { interval: Span::from_millis(200) }
    }
}

impl Default for DrainRaw {
    fn default() -> Self {
        Self { revoke: Span::from_secs(5), shutdown: Span::from_secs(20), close: Span::from_secs(4) }
    }
}
