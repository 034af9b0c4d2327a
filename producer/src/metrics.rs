//! The producer's metrics.
//!
//! | name | unit | meaning |
//! |---|---|---|
//! | comboio_producer_send_offered_events_total | events | made by the source and let pass by the limits |
//! | comboio_producer_send_sent_events_total | events | taken by the client's queue |
//! | comboio_producer_send_sent_bytes_total | bytes | values of the sent events |
//! | comboio_producer_send_acknowledged_events_total | events | held by Kafka |
//! | comboio_producer_send_failed_events_total | events | given up on |
//! | comboio_producer_send_dead_lettered_events_total | events | set aside with their reason |
//! | comboio_producer_send_queue_full_waits_total | waits | a full queue made the flow wait |
//! | comboio_producer_send_queue_events | events | between the source and Kafka's answer |
//! | comboio_producer_send_ack_latency_seconds | seconds | from the due time to the acknowledgement, label `quantile` |
//! | comboio_producer_send_maybe_twice_events_total | events | sent again although Kafka may have them |
//! | comboio_producer_send_client_changes_total | clients | took the place of another: certificates, fatal error, no answer |
//! | comboio_producer_spool_taken_events_total | events | taken by the spool |
//! | comboio_producer_spool_recovered_events_total | events | left in the spool by an earlier process |
//! | comboio_producer_spool_waiting_events | events | in the spool now |
//! | comboio_producer_spool_size_bytes | bytes | of the events in the spool |
//! | comboio_producer_source_bad_lines_total | lines | hold no valid event |
//! | comboio_producer_source_lateness_seconds | seconds | how long after its due time the last event left |
//! | comboio_producer_ingest_requests_total | requests | answered over HTTP, label `status` (`gone`: the sender left before) |
//! | comboio_producer_ingest_events_total | events | taken over HTTP |
//! | comboio_producer_ingest_bytes_total | bytes | values of the events taken over HTTP |
//! | comboio_producer_ingest_answer_latency_seconds | seconds | from the head of a request to its answer (histogram) |
//! | comboio_producer_route_unroutable_events_total | events | no route holds them |
//! | comboio_producer_route_not_set_aside_total | events and lines | without a route or no event, and no file took them |
//! | comboio_producer_certificate_expires_in_seconds | seconds | until the certificate in use ends, negative after that |

mod ingest;

pub use ingest::{IngestMetrics, Visit};

use crate::latency::Latency;
use crate::tally::Tally;
use kafka_client::expiry::Expiry;
use runtime::metrics::{Gauge, Metrics};

/// Counters that are published.
pub fn tally(metrics: &Metrics) -> Tally {
    let counter = |name, meaning| metrics.counter(name, meaning, &[]);
    let gauge = |name, meaning| metrics.gauge(name, meaning, &[]);
    Tally {
        offered: counter(
            "comboio_producer_send_offered_events_total",
            "Events made by the source and let pass by the limits",
        ),
        sent: counter("comboio_producer_send_sent_events_total", "Events taken by the client's queue"),
        sent_bytes: counter("comboio_producer_send_sent_bytes_total", "Bytes of the sent events' values"),
        acknowledged: counter("comboio_producer_send_acknowledged_events_total", "Events held by Kafka"),
        failed: counter("comboio_producer_send_failed_events_total", "Events given up on"),
        dead_lettered: counter(
            "comboio_producer_send_dead_lettered_events_total",
            "Events set aside with their reason",
        ),
        spooled: counter("comboio_producer_spool_taken_events_total", "Events taken by the spool"),
        in_spool: gauge("comboio_producer_spool_waiting_events", "Events in the spool now"),
        spool_bytes: gauge("comboio_producer_spool_size_bytes", "Bytes of the events in the spool"),
        recovered: counter(
            "comboio_producer_spool_recovered_events_total",
            "Events left in the spool by an earlier process",
        ),
        maybe_twice: counter(
            "comboio_producer_send_maybe_twice_events_total",
            "Events sent again although Kafka may have them",
        ),
        client_changes: counter("comboio_producer_send_client_changes_total", "Clients that took the place of another"),
        bad_lines: counter("comboio_producer_source_bad_lines_total", "Lines that hold no valid event"),
        unroutable: counter("comboio_producer_route_unroutable_events_total", "Events that no route holds"),
        not_set_aside: counter(
            "comboio_producer_route_not_set_aside_total",
            "Bad lines and events without a route that no file took",
        ),
        queue_full: counter("comboio_producer_send_queue_full_waits_total", "Waits for room in the client's queue"),
        lateness: gauge("comboio_producer_source_lateness_seconds", "How long after its due time the last event left"),
        queue: gauge("comboio_producer_send_queue_events", "Events between the source and Kafka's answer"),
    }
}

/// The end of the certificate in use; read when somebody collects.
pub fn certificate(metrics: &Metrics, expiry: &Expiry) {
    expiry.publish(metrics, "comboio_producer_certificate_expires_in_seconds");
}

/// The latency gauges; set from time to time, because quantiles are not free.
pub struct LatencyGauges([Gauge; 4]);

impl LatencyGauges {
    pub fn new(metrics: &Metrics) -> Self {
        let gauge = |quantile| {
            let name = "comboio_producer_send_ack_latency_seconds";
            metrics.gauge(name, "From the due time to the acknowledgement", &[("quantile", quantile)])
        };
        Self([gauge("0.5"), gauge("0.9"), gauge("0.99"), gauge("0.999")])
    }

    pub fn set(&self, latency: Latency) {
        let values = [latency.p50, latency.p90, latency.p99, latency.p999];
        self.0.iter().zip(values).for_each(|(gauge, milliseconds)| gauge.set(milliseconds / 1_000.0));
    }
}
