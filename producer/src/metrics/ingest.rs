//! What the ingest server counts.

use opentelemetry::metrics::Histogram;
use runtime::clock::SharedClock;
use runtime::metrics::{Counter, Metrics};
use std::time::Duration;

/// Every status that the server gives; another one would be counted as `other`.
const STATUSES: [(u16, &str); 12] = [
    (200, "200"),
    (202, "202"),
    (400, "400"),
    (401, "401"),
    (404, "404"),
    (405, "405"),
    (408, "408"),
    (413, "413"),
    (415, "415"),
    (429, "429"),
    (503, "503"),
    (0, "other"),
];

/// Seconds; a request waits for Kafka, so the fast end is a linger.
const LATENCIES: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Counters of the server; clones count the same.
#[derive(Clone)]
pub struct IngestMetrics {
    by_status: Vec<(u16, Counter)>,
    gone: Counter,
    events: Counter,
    bytes: Counter,
    bad_lines: Counter,
    latency: Histogram<f64>,
}

/// One request on its way to its answer; dropped without one, its sender is gone.
pub struct Visit {
    metrics: IngestMetrics,
    clock: SharedClock,
    since: Duration,
    answered: bool,
}

impl IngestMetrics {
    /// `bad_lines` is the counter of the whole producer.
    pub fn new(metrics: &Metrics, bad_lines: Counter) -> Self {
        let requests = |status| {
            let name = "comboio_producer_ingest_requests_total";
            metrics.counter(name, "Requests answered over HTTP", &[("status", status)])
        };
        let latency = metrics.meter().f64_histogram("comboio_producer_ingest_answer_latency_seconds");
        let latency = latency.with_description("From the head of a request to its answer");
        Self {
            by_status: STATUSES.iter().map(|(status, label)| (*status, requests(label))).collect(),
            gone: requests("gone"),
            events: metrics.counter("comboio_producer_ingest_events_total", "Events taken over HTTP", &[]),
            bytes: metrics.counter("comboio_producer_ingest_bytes_total", "Bytes of events taken over HTTP", &[]),
            bad_lines,
            latency: latency.with_boundaries(LATENCIES.to_vec()).build(),
        }
    }

    /// A request came in.
    pub fn visit(&self, clock: SharedClock) -> Visit {
        Visit { metrics: self.clone(), since: clock.now(), clock, answered: false }
    }

    /// A request's events are taken; its bad lines are not.
    pub fn taken(&self, events: u64, bytes: u64, bad_lines: u64) {
        self.events.add(events);
        self.bytes.add(bytes);
        self.bad_lines.add(bad_lines);
    }

    /// Events taken so far.
    pub fn events(&self) -> u64 {
        self.events.get()
    }

    /// Requests by status, those that were.
    pub fn requests(&self) -> Vec<(&'static str, u64)> {
        let labels = STATUSES.iter().map(|(_, label)| *label).chain(["gone"]);
        let counts = self.by_status.iter().map(|(_, counter)| counter.get()).chain([self.gone.get()]);
        labels.zip(counts).filter(|(_, count)| *count > 0).collect()
    }
}

impl Visit {
    /// The answer is on its way.
    pub fn answered(mut self, status: u16) {
        let metrics = &self.metrics;
        let known = metrics.by_status.iter().find(|(known, _)| *known == status).or(metrics.by_status.last());
        if let Some((_, counter)) = known {
            counter.add(1);
        }
        metrics.latency.record(self.clock.now().saturating_sub(self.since).as_secs_f64(), &[]);
        self.answered = true;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if !self.answered {
            self.metrics.gone.add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IngestMetrics;
    use runtime::clock;
    use runtime::metrics::{Counter, Metrics, MetricsConfig};

    #[test]
    fn each_request_counts_once_under_its_status_or_as_gone() {
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        let ingest = IngestMetrics::new(&metrics, Counter::default());
        ingest.visit(clock::system()).answered(202);
        ingest.visit(clock::system()).answered(599);
        drop(ingest.visit(clock::system()));
        assert_eq!(ingest.requests(), [("202", 1), ("other", 1), ("gone", 1)]);
        let text = metrics.render();
        assert!(text.contains("comboio_producer_ingest_requests_total{status=\"gone\"} 1\n"), "{text}");
        assert!(text.contains("comboio_producer_ingest_answer_latency_seconds_count 2\n"), "{text}");
    }
}
