//! The report at the end: what was offered and what became of it, how even the rate was, how long Kafka took, what it cost.
//!
//! The *rate error of a second* is |sent - planned| / planned, where *planned* is the number of events due in that second of
//! the run by the load shape, and *sent* the number that the client's queue took in it, whenever they were due. The last,
//! partial second is left out, and so are seconds without a plan.

mod pace;
mod page;
mod spread;
mod text;

pub use pace::{Rate, Second, rate};
pub use spread::{TopicSpread, hottest_share, spread};

use crate::knee::Knee;
use crate::latency::{LateMoment, Latency, LatenessSummary, Quantile, Series};
use crate::profile::Expected;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a run came to. `Display` is for people, serde for programs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub run: String,
    /// `generator` or `replay`, and what it read.
    pub source: String,
    pub started_ms: i64,
    /// From the start to the last event sent, seconds.
    pub duration_seconds: f64,
    /// From the start to the last acknowledgement, seconds.
    #[serde(default)]
    pub acknowledged_seconds: f64,
    /// `complete`, or why it ended early.
    pub ended: String,

    pub offered: u64,
    pub sent: u64,
    pub acknowledged: u64,
    pub failed: u64,
    pub dead_lettered: u64,
    /// Events in the spool at the end; the next run sends them.
    pub in_spool: u64,
    /// Events that the spool took during the run.
    pub spooled: u64,
    /// Events that an earlier run had left in the spool; not part of `offered`.
    pub recovered: u64,
    /// Events sent again although Kafka may have them.
    pub maybe_twice: u64,
    /// How often another client took over.
    pub client_changes: u64,
    pub bad_lines: u64,
    pub unroutable: u64,
    /// Bad lines and events without a route that the local file did not take: they stand nowhere.
    #[serde(default)]
    pub not_set_aside: u64,
    /// Events whose id the ledger cannot name.
    pub not_in_ledger: u64,
    pub sent_bytes: u64,
    /// Failed events by reason.
    pub failures: BTreeMap<String, u64>,

    pub rate: Rate,
    /// The latest that an event left after it was due, milliseconds.
    pub lateness_max_ms: f64,
    /// Lateness of all events, milliseconds.
    #[serde(default)]
    pub lateness_ms: LatenessSummary,
    /// When events left more than 10 ms late, after the first second; the first thousand moments.
    #[serde(default)]
    pub late_moments: Vec<LateMoment>,
    /// How often a full queue made the flow wait.
    pub queue_full: u64,
    pub ack_latency_ms: Latency,
    /// The same over the run, by the second in which the acknowledgement came.
    #[serde(default)]
    pub ack_latency_series: Series,
    #[serde(default)]
    pub ack_latency_distribution: Vec<Quantile>,

    /// How many codes count as the hottest, and the share of offered events that they have.
    pub hottest_codes: u64,
    pub hottest_codes_share: f64,
    pub topics: Vec<TopicSpread>,

    pub cpu_seconds: f64,
    /// CPU of the whole process per acknowledged event, microseconds.
    pub cpu_us_per_event: f64,
    pub peak_rss_bytes: u64,

    pub expected: Vec<Expectation>,
    /// Of a climb: its steps and the highest rate that held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knee: Option<Knee>,
}

/// Something that the profile expected, and whether it came so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    pub what: String,
    /// The largest value that is fine.
    pub limit: f64,
    pub found: f64,
    pub met: bool,
}

impl Report {
    /// Every event, offered or found in the spool, has one end: acknowledged, dead letter, in the spool, or failed.
    pub fn adds_up(&self) -> bool {
        self.offered + self.recovered == self.acknowledged + self.dead_lettered + self.in_spool + self.failed
    }

    /// Holds the numbers against what the profile expected; `share` is the profile's share of the hottest codes.
    pub fn expect(&mut self, expected: &Expected, share: f64) {
        let mut judge = |what: &str, limit: Option<f64>, found: Option<f64>| {
            if let (Some(limit), Some(found)) = (limit, found) {
                self.expected.push(Expectation { what: what.to_owned(), limit, found, met: found <= limit });
            }
        };
        judge("worst second's rate error", expected.worst_second_error, self.rate.worst_second_error);
        let error = (self.hottest_codes_share - share).abs();
        judge("share of the hottest codes off by", expected.hottest_share_error, Some(error));
    }
}

#[cfg(test)]
mod tests;
