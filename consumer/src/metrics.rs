//! All metrics of the consumer. Labels stand in brackets.
//!
//! | Name | Meaning |
//! |---|---|
//! | comboio_consumer_poll_records_total | records taken from Kafka |
//! | comboio_consumer_poll_rebalances_total \[kind\] | assigned, revoked, lost |
//! | comboio_consumer_poll_pauses_total | times a partition was paused because its lanes were full |
//! | comboio_consumer_poll_paused_by_hand_partitions | partitions of this process that somebody has paused |
//! | comboio_consumer_poll_errors_total | errors that Kafka's client reported while polling |
//! | comboio_consumer_poll_client_changes_total | times another Kafka client took the place of one: new certificates, or shut out by Kafka |
//! | comboio_consumer_poll_lag_records \[topic, partition\] | end offset minus committed offset, without what retention deleted |
//! | comboio_consumer_poll_lag_seconds \[topic, partition\] | age of the oldest unfinished record by its broker timestamp, 0 without one |
//! | comboio_consumer_poll_lost_by_retention_records_total | records that were deleted before they were read, or skipped by consumer.start = "latest" in place of them |
//! | comboio_consumer_poll_repeated_records_total | records that Kafka's client brought a second time, as it may in a rebalance; they are delivered once |
//! | comboio_consumer_poll_log_resets_total | times a partition's log ended before what was read or committed: it was cut, or its topic made anew |
//! | comboio_consumer_poll_from_broker_seconds \[record\] | histogram, per batch, oldest and newest record: broker timestamp to poll |
//! | comboio_consumer_collect_open_seconds \[record\] | histogram, likewise: poll to the close of the batch |
//! | comboio_consumer_invoke_wait_seconds | histogram: close of a batch to the beginning of its first invocation |
//! | comboio_consumer_commit_wait_seconds | histogram: last record of a batch finished to its commit confirmed |
//! | comboio_consumer_commit_from_broker_seconds \[record\] | histogram, per batch, oldest and newest record: broker timestamp to commit confirmed |
//! | comboio_consumer_collect_batches_total \[reason\] | batches closed by count, age, bytes, order |
//! | comboio_consumer_collect_batch_limit_records \[function\] | how many records a batch may have now |
//! | comboio_consumer_collect_batch_limit_decreases_total \[function\] | times that shrank |
//! | comboio_consumer_collect_outstanding_bytes | bytes of batches that are not settled |
//! | comboio_consumer_invoke_calls_total \[result\] | invocations: ok, malformed, or a failure class |
//! | comboio_consumer_invoke_in_flight_calls | invocations under way |
//! | comboio_consumer_invoke_latency_seconds | histogram: from sending a request to its answer |
//! | comboio_consumer_invoke_begun_total \[topic, function\] | invocations begun; a retry topic counts as its topic |
//! | comboio_consumer_invoke_breaker_state \[function, state\] | 1 for the state that the breaker is in (closed, open, half-open), else 0 |
//! | comboio_consumer_invoke_breaker_openings_total \[function\] | times the breaker opened |
//! | comboio_consumer_invoke_concurrency_limit \[function\] | invocations that may be under way at once now |
//! | comboio_consumer_invoke_concurrency_decreases_total \[function\] | times that limit shrank by itself |
//! | comboio_consumer_invoke_rate_limit | invocations allowed in a second; 0 is any number |
//! | comboio_consumer_invoke_waiting_calls | invocations that wait for breaker, concurrency or rate |
//! | comboio_consumer_invoke_verdicts_total \[verdict\] | records delivered, duplicate, rejected, retry |
//! | comboio_consumer_deliver_cuts_total | times records were cut in two: too large, or to find the one at which the function fails |
//! | comboio_consumer_deliver_deferred_records_total | records that Kafka acknowledged in a retry topic |
//! | comboio_consumer_dead_letter_records_total | dead letters that Kafka acknowledged |
//! | comboio_consumer_dead_letter_failures_total | dead letters that were not acknowledged and are tried again |
//! | comboio_consumer_certificate_expires_in_seconds | until the certificate in use ends, negative after that |
//! | comboio_consumer_commit_offsets_total \[result\] | committed offsets of partitions: ok, stale, again, refused |

/// The instruments of the batch limits.
mod batch_limit;
/// The instruments of the guard in front of the functions.
mod guard;
/// Time in stage.
mod stages;

use crate::batch::CloseReason;
use crate::lag::Lag;
pub use batch_limit::BatchLimitMeters;
use domain::failure::FailureClass;
pub use guard::{FunctionMeters, GuardMeters, Waiting};
use hdrhistogram::Histogram as Hdr;
use kafka_client::expiry::Expiry;
use opentelemetry::metrics::Histogram;
use runtime::metrics::{Counter, Gauge, Metrics};
pub use stages::Stages;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The instruments; hot paths add to plain atomics.
pub struct Meters {
    metrics: Metrics,
    pub polled: Counter,
    pub assigned: Counter,
    pub revoked: Counter,
    pub lost: Counter,
    pub pauses: Counter,
    pub paused_by_hand: Gauge,
    pub poll_errors: Counter,
    pub client_changes: Counter,
    pub lost_by_retention: Counter,
    pub repeated: Counter,
    pub log_resets: Counter,
    pub stages: Stages,
    closed: Vec<(CloseReason, Counter)>,
    outstanding: Gauge,
    pub calls_ok: Counter,
    pub calls_malformed: Counter,
    calls_failed: Vec<(FailureClass, Counter)>,
    in_flight: AtomicI64,
    in_flight_gauge: Gauge,
    latency: Histogram<f64>,
    latency_us: Mutex<Option<Hdr<u64>>>,
    pub guard: GuardMeters,
    pub delivered: Counter,
    pub duplicates: Counter,
    pub rejected: Counter,
    pub retries: Counter,
    pub cuts: Counter,
    pub deferred: Counter,
    pub dead_lettered: Counter,
    pub dead_letter_failures: Counter,
    pub commits_ok: Counter,
    pub commits_stale: Counter,
    pub commits_again: Counter,
    pub commits_refused: Counter,
    lag: Mutex<BTreeMap<(String, i32), LagGauges>>,
}

/// Records and seconds of one partition.
struct LagGauges {
    records: Gauge,
    seconds: Gauge,
}

/// The end of the certificate in use; read when somebody collects.
pub fn certificate(metrics: &Metrics, expiry: &Expiry) {
    expiry.publish(metrics, "comboio_consumer_certificate_expires_in_seconds");
}

/// Percentiles of the invocation latency, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct LatencyMs {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

const LATENCY_BOUNDS: [f64; 13] = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

impl Meters {
    pub fn new(metrics: &Metrics) -> Self {
        let plain = |name, meaning| metrics.counter(name, meaning, &[]);
        let gauge = |name, meaning| metrics.gauge(name, meaning, &[]);
        let labelled = |name, meaning, label, value: &str| metrics.counter(name, meaning, &[(label, value)]);
        let rebalances = |kind| labelled("comboio_consumer_poll_rebalances_total", "Rebalances", "kind", kind);
        let closed = |reason: CloseReason| {
            labelled("comboio_consumer_collect_batches_total", "Batches closed", "reason", reason.as_str())
        };
        let calls = |result| labelled("comboio_consumer_invoke_calls_total", "Invocations", "result", result);
        let verdicts =
            |verdict| labelled("comboio_consumer_invoke_verdicts_total", "Records by verdict", "verdict", verdict);
        let commits = |result| labelled("comboio_consumer_commit_offsets_total", "Commits", "result", result);
        let latency = metrics.meter().f64_histogram("comboio_consumer_invoke_latency_seconds");
        Self {
            metrics: metrics.clone(),
            polled: plain("comboio_consumer_poll_records_total", "Records taken from Kafka"),
            assigned: rebalances("assigned"),
            revoked: rebalances("revoked"),
            lost: rebalances("lost"),
            pauses: plain("comboio_consumer_poll_pauses_total", "Times a partition was paused"),
            paused_by_hand: gauge(
                "comboio_consumer_poll_paused_by_hand_partitions",
                "Partitions that somebody has paused",
            ),
            poll_errors: plain("comboio_consumer_poll_errors_total", "Errors reported while polling"),
            client_changes: plain("comboio_consumer_poll_client_changes_total", "Times another client took over"),
            lost_by_retention: plain(
                "comboio_consumer_poll_lost_by_retention_records_total",
                "Records deleted before they were read",
            ),
            repeated: plain("comboio_consumer_poll_repeated_records_total", "Records that came a second time"),
            log_resets: plain("comboio_consumer_poll_log_resets_total", "Times a log ended before what was read"),
            stages: Stages::new(metrics),
            closed: CloseReason::ALL.map(|reason| (reason, closed(reason))).to_vec(),
            outstanding: gauge("comboio_consumer_collect_outstanding_bytes", "Bytes of batches not settled"),
            calls_ok: calls("ok"),
            calls_malformed: calls("malformed"),
            calls_failed: FailureClass::ALL.map(|class| (class, calls(class.as_str()))).to_vec(),
            in_flight: AtomicI64::new(0),
            in_flight_gauge: gauge("comboio_consumer_invoke_in_flight_calls", "Invocations under way"),
            latency: latency.with_description("Invocation latency").with_boundaries(LATENCY_BOUNDS.to_vec()).build(),
            latency_us: Mutex::new(Hdr::new_with_bounds(1, 1_000_000_000, 3).ok()),
            guard: GuardMeters::new(metrics),
            delivered: verdicts("delivered"),
            duplicates: verdicts("duplicate"),
            rejected: verdicts("rejected"),
            retries: verdicts("retry"),
            cuts: plain("comboio_consumer_deliver_cuts_total", "Times records were cut in two"),
            deferred: plain("comboio_consumer_deliver_deferred_records_total", "Records put off"),
            dead_lettered: plain("comboio_consumer_dead_letter_records_total", "Dead letters acknowledged"),
            dead_letter_failures: plain("comboio_consumer_dead_letter_failures_total", "Dead letters tried again"),
            commits_ok: commits("ok"),
            commits_stale: commits("stale"),
            commits_again: commits("again"),
            commits_refused: commits("refused"),
            lag: Mutex::default(),
        }
    }

    pub fn closed(&self, reason: CloseReason) {
        self.closed.iter().filter(|(known, _)| *known == reason).for_each(|(_, counter)| counter.add(1));
    }

    /// Batches closed so far, for all reasons.
    pub fn batches(&self) -> u64 {
        self.closed.iter().map(|(_, counter)| counter.get()).sum()
    }

    pub fn call_failed(&self, class: FailureClass) {
        self.calls_failed.iter().filter(|(known, _)| *known == class).for_each(|(_, counter)| counter.add(1));
    }

    /// Invocations so far, whatever came of them.
    pub fn calls(&self) -> u64 {
        let failed: u64 = self.calls_failed.iter().map(|(_, counter)| counter.get()).sum();
        failed + self.calls_ok.get() + self.calls_malformed.get()
    }

    /// An invocation begins; it ends when the guard is dropped, also when nobody waits for it any more.
    pub fn call_begins(&self) -> CallGuard<'_> {
        self.move_in_flight(1);
        CallGuard(self)
    }

    fn move_in_flight(&self, by: i64) {
        let now = self.in_flight.fetch_add(by, Ordering::Relaxed) + by;
        self.in_flight_gauge.set(now as f64);
    }

    pub fn in_flight(&self) -> i64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub fn call_took(&self, span: Duration) {
        self.latency.record(span.as_secs_f64(), &[]);
        if let Some(hdr) = self.latency_us.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            hdr.saturating_record(u64::try_from(span.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Over the whole life of the process.
    pub fn latency_ms(&self) -> LatencyMs {
        let guard = self.latency_us.lock().unwrap_or_else(PoisonError::into_inner);
        let millis = |us: u64| us as f64 / 1_000.0;
        guard.as_ref().filter(|hdr| !hdr.is_empty()).map_or_else(LatencyMs::default, |hdr| LatencyMs {
            p50: millis(hdr.value_at_quantile(0.5)),
            p99: millis(hdr.value_at_quantile(0.99)),
            max: millis(hdr.max()),
        })
    }

    pub fn outstanding(&self, bytes: usize) {
        self.outstanding.set(bytes as f64);
    }

    /// The lag of every owned partition; partitions that are not named disappear.
    pub fn lag(&self, lags: impl IntoIterator<Item = (String, i32, Lag)>) {
        let mut known = self.lag.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shown = BTreeMap::new();
        for (topic, partition, lag) in lags {
            let key = (topic, partition);
            let number = partition.to_string();
            let gauges = known.remove(&key).unwrap_or_else(|| {
                let labels = [("topic", key.0.as_str()), ("partition", number.as_str())];
                let gauge = |name, meaning| self.metrics.gauge(name, meaning, &labels);
                LagGauges {
                    records: gauge("comboio_consumer_poll_lag_records", "End offset minus committed offset"),
                    seconds: gauge("comboio_consumer_poll_lag_seconds", "Age of the oldest unfinished record"),
                }
            });
            gauges.records.set(lag.records as f64);
            gauges.seconds.set(lag.seconds);
            shown.insert(key, gauges);
        }
        *known = shown;
    }
}

/// See [`Meters::call_begins`].
pub struct CallGuard<'a>(&'a Meters);

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        self.0.move_in_flight(-1);
    }
}
