//! How it goes: the status of the admin port, and the progress line.

use super::feed::Feed;
use crate::answers::Answers;
use crate::limit::LimitControl;
use crate::metrics::LatencyGauges;
use kafka_client::expiry::Expiry;
use runtime::shutdown::Shutdown;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// What `/status` answers.
pub fn status(
    answers: Arc<Answers>,
    limits: LimitControl,
    shutdown: Shutdown,
    feed: Feed,
    expiry: Expiry,
) -> Arc<dyn Fn() -> Value + Send + Sync> {
    Arc::new(move || {
        let tally = &answers.tally;
        let state = match (answers.elapsed(), shutdown.draining()) {
            (_, true) => "draining",
            (None, false) => "starting",
            (Some(_), false) => "running",
        };
        json!({
            "state": state,
            "offered": tally.offered.get(),
            "sent": tally.sent.get(),
            "acknowledged": tally.acknowledged.get(),
            "failed": tally.failed.get(),
            "dead_lettered": tally.dead_lettered.get(),
            "spool": {
                "events": tally.in_spool.get() as u64,
                "bytes": tally.spool_bytes.get() as u64,
                "taken": tally.spooled.get(),
                "recovered": tally.recovered.get(),
            },
            "client_changes": tally.client_changes.get(),
            "maybe_twice": tally.maybe_twice.get(),
            "bad_lines": tally.bad_lines.get(),
            "unroutable": tally.unroutable.get(),
            "not_set_aside": tally.not_set_aside.get(),
            "queue": tally.unanswered(),
            "rate_mean": rate(tally.sent.get(), answers.elapsed().unwrap_or_default()),
            "lateness_ms": tally.lateness.get() * 1_000.0,
            "ack_latency_ms": answers.latency(),
            "limits": limits.get(),
            "ingest": feed.status(),
            "certificate": expiry.json(),
        })
    })
}

fn rate(events: u64, elapsed: Duration) -> f64 {
    if elapsed.is_zero() { 0.0 } else { events as f64 / elapsed.as_secs_f64() }
}

/// Tells how it goes, every few seconds.
pub struct Progress {
    answers: Arc<Answers>,
    gauges: LatencyGauges,
    expiry: Expiry,
    sent: u64,
    at: Duration,
}

impl Progress {
    pub fn new(answers: Arc<Answers>, gauges: LatencyGauges, expiry: Expiry) -> Self {
        expiry.tick();
        Self { answers, gauges, expiry, sent: 0, at: Duration::ZERO }
    }

    /// Sets the gauges that are not kept up with every event.
    pub fn publish(&self) {
        self.gauges.set(self.answers.latency());
        self.answers.tally.queue.set(self.answers.tally.unanswered() as f64);
    }

    /// One line, with the rate since the last one.
    pub fn tell(&mut self) {
        self.publish();
        self.expiry.tick();
        let (tally, latency) = (&self.answers.tally, self.answers.latency());
        let (sent, at) = (tally.sent.get(), self.answers.elapsed().unwrap_or_default());
        let since = rate(sent - self.sent, at.saturating_sub(self.at));
        (self.sent, self.at) = (sent, at);
        tracing::info!(
            offered = tally.offered.get(),
            acknowledged = tally.acknowledged.get(),
            failed = tally.failed.get(),
            dead_lettered = tally.dead_lettered.get(),
            queue = tally.unanswered(),
            rate = since.round(),
            lateness_ms = (tally.lateness.get() * 1_000.0).round(),
            ack_p99_ms = latency.p99.round(),
            "progress"
        );
    }
}
