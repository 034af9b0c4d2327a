//! The ledger's three sides and all figures of the run, as a table and as JSON.

use crate::accident::Accident;
use crate::chronicle::Chronicle;
use crate::kafka_view::TopicPartition;
use crate::options::Options;
use crate::watch::number;
use domain::ledger::Proof;
use localenv::collector::Snapshot;
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::time::Duration;

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
    pub rejected: u64,
    /// Dead letters written, repeats included.
    pub dead_lettered: u64,
    /// Dead letters beyond the first of an event.
    pub dead_letters_repeated: u64,
    /// Those whose record that consumer owned and had not committed.
    pub dead_letters_explained: u64,
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
            duplicates_elsewhere: accident.duplicates_elsewhere(seen),
            rejected: proof.rejected,
            dead_lettered: proof.dead_lettered,
            dead_letters_repeated: proof.dead_letters_repeated,
            dead_letters_explained: accident.explains(repeated),
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

    /// A few of the lost events; the JSON report names more.
    fn first_lost(&self) -> String {
        self.lost_examples.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    fn dead_letters(&self) -> String {
        let repeated = match self.dead_letters_repeated {
            0 => String::new(),
            count => format!(", {count} of them repeated"),
        };
        format!("{} ({} dead letters{repeated})", self.rejected, self.dead_lettered)
    }

    /// What explains repeats, in words.
    fn explained(&self) -> String {
        match self.accident.as_str() {
            "" => "nothing in this story explains any".to_owned(),
            accident => format!("{accident} explains up to {}", self.duplicates_bound),
        }
    }

    fn reasons(&self) -> Vec<String> {
        let mut broken: Vec<String> = self.chronicle.broken().collect();
        let mut unless = |good: bool, sentence: String| {
            if !good {
                broken.push(sentence);
            }
        };
        unless(self.offered > 0, "nothing was offered".into());
        unless(
            self.offered == self.delivered + self.rejected,
            format!("offered {} is not delivered {} + rejected {}", self.offered, self.delivered, self.rejected),
        );
        unless(self.lost == 0, format!("{} events lost, the first: {}", self.lost, self.first_lost()));
        unless(self.unsent == 0, format!("{} events were offered and never acknowledged", self.unsent));
        unless(self.unknown == 0, format!("{} events arrived that were never offered", self.unknown));
        unless(self.order_violations == 0, format!("{} events arrived out of order", self.order_violations));
        unless(
            self.fate_violations == 0,
            format!("{} events did not meet the fate they were made for", self.fate_violations),
        );
        unless(
            self.dead_letters_repeated == self.dead_letters_explained,
            format!(
                "{} dead letters repeated, of which {} are explained",
                self.dead_letters_repeated, self.dead_letters_explained
            ),
        );
        unless(
            self.duplicates_delivered <= self.duplicates_bound && self.duplicates_elsewhere == 0,
            format!(
                "{} duplicates delivered, {} of them not of what the story may repeat; {}",
                self.duplicates_delivered,
                self.duplicates_elsewhere,
                self.explained()
            ),
        );
        broken
    }
}

fn ack_latency(producer: &Value) -> AckLatency {
    let at = |name: &str| number(producer, &format!("/ack_latency_ms/{name}"));
    AckLatency { p50: at("p50"), p99: at("p99"), p999: at("p999"), max: at("max") }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ack, end) = (&self.ack_latency_ms, &self.end_to_end_ms);
        let rows = [
            ("story", format!("{}, {:.0} s of load", self.story, self.duration_seconds)),
            ("broker", format!("{}, {} consumers, fault {}", self.broker, self.consumers, self.fault)),
            (
                "rate",
                format!(
                    "{:.1} events/s of {:.0}, worst second {:.2} % off",
                    self.rate_mean,
                    self.rate_target,
                    100.0 * self.rate_worst_second_error
                ),
            ),
            ("offered", self.offered.to_string()),
            ("acknowledged", self.acknowledged.to_string()),
            ("delivered", self.delivered.to_string()),
            ("rejected", self.dead_letters()),
            ("lost", self.lost.to_string()),
            ("order violations", self.order_violations.to_string()),
            (
                "duplicates",
                format!(
                    "{} delivered ({}), {} removed",
                    self.duplicates_delivered,
                    self.explained(),
                    self.duplicates_removed
                ),
            ),
            (
                "ack latency",
                format!("p50 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1} ms", ack.p50, ack.p99, ack.p999, ack.max),
            ),
            ("end to end", format!("p50 {:.0}  p99 {:.0} ms", end.p50, end.p99)),
            ("invocations", format!("{}, {:.1} records each", self.invocations, self.batch_mean)),
            ("drained after", format!("{:.1} s", self.drain_seconds)),
            ("memory", format!("{:.0} MB at most, all processes together", self.memory_peak_mb)),
        ];
        writeln!(f)?;
        for (name, value) in rows {
            writeln!(f, "  {name:<18}{value}")?;
        }
        writeln!(f, "\n{}", self.chronicle)?;
        if self.holds {
            return writeln!(
                f,
                "  offered {} = delivered {} + rejected {}: the ledger adds up",
                self.offered, self.delivered, self.rejected
            );
        }
        for reason in &self.broken {
            writeln!(f, "  BROKEN: {reason}")?;
        }
        Ok(())
    }
}
