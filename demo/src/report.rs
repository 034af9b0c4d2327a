//! The ledger's three sides and all figures of the run, as a table and as JSON.

/// Why a run proves nothing, in sentences.
mod verdict;
/// For people.
mod table;

use crate::accident::Accident;
use crate::chronicle::Chronicle;
use crate::kafka_view::TopicPartition;
use crate::options::Options;
use crate::watch::number;
use domain::ledger::Proof;
use localenv::collector::Snapshot;
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// How many batches with unexplained duplicates, and how many repeated dead letters, are named.
const EXAMPLES: usize = 20;

/// Everything that a run proves or measures. Counts are events unless they say otherwise.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub story: String,
    pub broker: String,
    pub fault: String,
    /// Of load: as long as was asked for, or as the story took.
    pub duration_seconds: f64,
    pub consumers: u32,
    /// Events per second asked for.
    pub rate_target: f64,
    /// Events per second offered over the whole run.
    pub rate_mean: f64,
    /// Largest difference of one second's rate from the target, as a share of the target.
    pub rate_worst_second_error: f64,
    pub offered: u64,
    pub acknowledged: u64,
    pub delivered: u64,
    /// Repeats that the dispatcher recognised and did not deliver again.
    pub duplicates_removed: u64,
    /// Deliveries beyond the first.
    pub duplicates_delivered: u64,
    /// What may explain repeats: "the kill"; empty when nothing does.
    pub accident: String,
    /// The most repeats that it can explain: what the consumer held and had not committed.
    pub duplicates_bound: u64,
    /// Repeats of records that the consumer did not hold.
    pub duplicates_elsewhere: u64,
    /// The first batches in which these came.
    pub duplicates_elsewhere_examples: Vec<String>,
    pub rejected: u64,
    /// Dead letters written, repeats included.
    pub dead_lettered: u64,
    /// Dead letters beyond the first of an event.
    pub dead_letters_repeated: u64,
    /// Those whose record that consumer owned and had not committed.
    pub dead_letters_explained: u64,
    /// The first records with more than one dead letter, as `topic/partition/offset`.
    pub dead_letters_repeated_examples: Vec<String>,
    pub lost: u64,
    /// The first lost events, by id.
    pub lost_examples: Vec<String>,
    pub unsent: u64,
    pub unknown: u64,
    pub order_violations: u64,
    /// Events that did not meet the fate they were made for.
    pub fate_violations: u64,
    pub ack_latency_ms: AckLatency,
    pub end_to_end_ms: EndToEnd,
    /// Synchronous calls of the function that ended with an answer.
    pub invocations: u64,
    /// Records per invocation.
    pub batch_mean: f64,
    /// From the end of the load to the last commit.
    pub drain_seconds: f64,
    /// Highest resident memory of all processes together, brokers included.
    pub memory_peak_mb: f64,
    /// What happened, was measured and was checked on the way.
    #[serde(flatten)]
    pub chronicle: Chronicle,
    pub holds: bool,
    /// Why it does not hold, one sentence each.
    pub broken: Vec<String>,
}

/// From the time an event was due to Kafka's acknowledgement.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct AckLatency {
    pub p50: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// From event time to the collector.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct EndToEnd {
    pub p50: f64,
    pub p99: f64,
}

/// What a run leaves behind to be judged.
pub struct Evidence<'a> {
    pub proof: &'a Proof,
    /// The producer's own report.
    pub producer: &'a Value,
    /// What the collector received.
    pub seen: &'a Snapshot,
    pub accident: &'a Accident,
    /// Records with more than one dead letter.
    pub repeated: &'a [(TopicPartition, i64)],
    pub pipeline: Pipeline,
}

/// What was measured between Kafka and the collector.
#[derive(Debug, Clone, Copy)]
pub struct Pipeline {
    /// Repeats that the dispatcher did not deliver again.
    pub removed: u64,
    pub invocations: u64,
    pub drain: Duration,
    /// Highest resident memory, in bytes.
    pub peak: u64,
}

impl Report {
    /// All figures of a run, judged.
    pub fn new(options: &Options, evidence: &Evidence<'_>, chronicle: &Chronicle) -> Self {
        let Evidence { proof, producer, seen, accident, repeated, pipeline } = *evidence;
        let elsewhere = accident.duplicates_elsewhere(seen);
        let mut report = Self {
            story: options.story.to_string(),
            broker: options.broker().to_string(),
            fault: options.fault.to_string(),
            duration_seconds: number(producer, "/duration_seconds"),
            consumers: options.consumers(),
            rate_target: f64::from(options.rate()),
            rate_mean: number(producer, "/rate/mean"),
            rate_worst_second_error: number(producer, "/rate/worst_second_error"),
            offered: proof.offered,
            acknowledged: proof.acknowledged,
            delivered: proof.delivered,
            duplicates_removed: pipeline.removed,
            duplicates_delivered: proof.duplicates_delivered,
            accident: accident.name.to_owned(),
            duplicates_bound: accident.in_flight(),
            duplicates_elsewhere: elsewhere.values().sum(),
            duplicates_elsewhere_examples: elsewhere.into_keys().take(EXAMPLES).collect(),
            rejected: proof.rejected,
            dead_lettered: proof.dead_lettered,
            dead_letters_repeated: proof.dead_letters_repeated,
            dead_letters_explained: accident.explains(repeated),
            dead_letters_repeated_examples: repeated.iter().take(EXAMPLES).map(place).collect(),
            lost: proof.lost,
            lost_examples: proof.lost_examples.iter().map(ToString::to_string).collect(),
            unsent: proof.unsent,
            unknown: proof.unknown,
            order_violations: proof.order_violations,
            fate_violations: proof.fate_violations,
            ack_latency_ms: ack_latency(producer),
            end_to_end_ms: EndToEnd { p50: seen.latency_ms.p50, p99: seen.latency_ms.p99 },
            invocations: pipeline.invocations,
            batch_mean: proof.acknowledged as f64 / pipeline.invocations.max(1) as f64,
            drain_seconds: pipeline.drain.as_secs_f64(),
            memory_peak_mb: pipeline.peak as f64 / 1e6,
            chronicle: chronicle.clone(),
            holds: false,
            broken: Vec::new(),
        };
        report.judge();
        report
    }

    /// Judges the run: fills `holds` and `broken` from the counts.
    fn judge(&mut self) {
        self.broken = self.reasons();
        self.holds = self.broken.is_empty();
    }
}

fn place(((topic, partition), offset): &(TopicPartition, i64)) -> String {
    format!("{topic}/{partition}/{offset}")
}

fn ack_latency(producer: &Value) -> AckLatency {
    let at = |name: &str| number(producer, &format!("/ack_latency_ms/{name}"));
    AckLatency { p50: at("p50"), p99: at("p99"), p999: at("p999"), max: at("max") }
}
