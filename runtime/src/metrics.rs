//! OpenTelemetry instruments, readable as Prometheus text, exported by OTLP when configured.
//!
//! A metric's name is `comboio_<part>_<stage>_<what>_<unit>` and stands at /metrics exactly as it was given: no unit
//! or `_total` is added, and no labels of the instrumentation scope. So give instruments no `with_unit`: the unit is
//! the end of the name. A histogram gets Prometheus's own `_bucket`, `_sum` and `_count`.

mod series;

use std::fmt;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_otlp::{MetricExporter, RetryPolicy, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use prometheus::{Registry, TextEncoder};
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, Settings, Span};
use crate::otlp::{self, PlainHttp};

use series::Series;
pub use series::{Counter, Gauge};

/// Section `[metrics]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsRaw {
    /// Base URL of an OTLP/HTTP receiver, `http://host:4318`; empty: no export.
    pub otlp_endpoint: String,
    /// How often metrics are exported.
    pub otlp_interval: Span,
}

impl Default for MetricsRaw {
    fn default() -> Self {
        Self { otlp_endpoint: String::new(), otlp_interval: Span::from_secs(15) }
    }
}

/// Validated `[metrics]`; the default exports nothing (for tests).
#[derive(Clone, Debug, Default)]
pub struct MetricsConfig {
    endpoint: Option<String>,
    interval: Duration,
}

impl MetricsConfig {
    /// Checks the section `metrics`.
    ///
    /// # Errors
    /// An endpoint that is not `http://host:port`, an interval under 100 ms.
    pub fn validate(settings: &Settings, raw: &MetricsRaw) -> Result<Self, ConfigError> {
        let endpoint = otlp::endpoint(settings, "metrics.otlp_endpoint", &raw.otlp_endpoint)?;
        let interval = raw.otlp_interval.get();
        if interval < Duration::from_millis(100) {
            return Err(settings.refuse("metrics.otlp_interval", "allowed is 100ms or more"));
        }
        Ok(Self { endpoint, interval })
    }
}

/// Metrics could not be started.
#[derive(Debug, thiserror::Error)]
#[error("metrics cannot be exported: {0}")]
pub struct MetricsError(String);

/// The instruments of a process; clones share them.
#[derive(Clone)]
pub struct Metrics {
    provider: SdkMeterProvider,
    meter: Meter,
    registry: Registry,
    series: Arc<Series>,
}

impl Metrics {
    /// Starts reading and, when configured, exporting.
    ///
    /// # Errors
    /// The exporter could not be built.
    pub fn start(config: &MetricsConfig, service: &str) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let readable = opentelemetry_prometheus::exporter()
            .with_registry(registry.clone())
            .without_units()
            .without_counter_suffixes()
            .without_target_info()
            .scope_info_enabled(false)
            .build()
            .map_err(|error| MetricsError(error.to_string()))?;
        let resource = Resource::builder().with_service_name(service.to_owned()).build();
        let mut builder = SdkMeterProvider::builder().with_resource(resource).with_reader(readable);
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_reader(exporting(endpoint, config.interval)?);
        }
        let provider = builder.build();
        let meter = provider.meter("comboio");
        Ok(Self { series: Arc::new(Series::new(meter.clone())), provider, meter, registry })
    }

    /// For instruments that are made with OpenTelemetry's own API (histograms above all). Names appear at /metrics
    /// exactly as given.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// A counter for hot paths: one relaxed atomic addition; published when somebody reads. The same name and labels
    /// give the same counter; a series stays until the process ends.
    pub fn counter(&self, name: &'static str, meaning: &'static str, labels: &[(&'static str, &str)]) -> Counter {
        self.series.counter(name, meaning, labels)
    }

    /// A gauge: the last value set. The series disappears when its last clone is dropped. The same name and labels
    /// give the same gauge.
    pub fn gauge(&self, name: &'static str, meaning: &'static str, labels: &[(&'static str, &str)]) -> Gauge {
        self.series.gauge(name, meaning, labels)
    }

    /// Prometheus text (version 0.0.4), sorted by name.
    pub fn render(&self) -> String {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather());
        text.unwrap_or_else(|error| format!("# metrics cannot be shown: {error}\n"))
    }

    /// Exports what is left, for at most `deadline`; nothing is exported afterwards. Blocks.
    pub fn stop(&self, deadline: Duration) {
        let provider = self.provider.clone();
        stop_within(deadline, move || provider.shutdown().is_ok());
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

fn exporting(endpoint: &str, interval: Duration) -> Result<PeriodicReader<MetricExporter>, MetricsError> {
    let exporter = MetricExporter::builder()
        .with_http()
        .with_http_client(PlainHttp::new("metrics"))
        .with_endpoint(format!("{endpoint}/v1/metrics"))
        .with_timeout(otlp::DEADLINE)
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        .map_err(|error| MetricsError(error.to_string()))?;
    Ok(PeriodicReader::builder(exporter).with_interval(interval).build())
}

/// The SDK's own shutdown has deadlines of its own choice; waits for it no longer than `deadline`.
pub(crate) fn stop_within(deadline: Duration, shutdown: impl FnOnce() -> bool + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let stopping = thread::Builder::new().name("telemetry-stop".to_owned()).spawn(move || done.send(shutdown()));
    if stopping.is_err() || ended.recv_timeout(deadline) != Ok(true) {
        tracing::warn!(deadline_ms = deadline.as_millis() as u64, "the last telemetry was not exported");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Metrics {
        Metrics::start(&MetricsConfig::default(), "test").unwrap()
    }

    #[test]
    fn names_and_labels_come_out_exactly_as_given() {
        let metrics = metrics();
        metrics.counter("comboio_consumer_invoke_records_total", "records invoked", &[("topic", "mt-c400")]).add(3);
        metrics.counter("comboio_consumer_poll_bytes", "bytes polled", &[]).add(7);
        metrics.gauge("comboio_consumer_lag_seconds", "age of the oldest record", &[("partition", "0")]).set(1.5);
        let waited =
            metrics.meter().f64_histogram("comboio_consumer_invoke_latency_ms").with_boundaries(vec![10.0]).build();
        waited.record(4.0, &[]);
        let text = metrics.render();
        for line in [
            "# HELP comboio_consumer_invoke_records_total records invoked",
            "# TYPE comboio_consumer_invoke_records_total counter",
            "comboio_consumer_invoke_records_total{topic=\"mt-c400\"} 3",
            "comboio_consumer_poll_bytes 7",
            "comboio_consumer_invoke_latency_ms_bucket{le=\"10\"} 1",
            "comboio_consumer_invoke_latency_ms_sum 4",
            "comboio_consumer_invoke_latency_ms_count 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("otel_scope") && !text.contains("target_info"), "{text}");
    }

    #[test]
    fn the_same_name_and_labels_are_the_same_counter_and_others_are_not() {
        let metrics = metrics();
        let counter = |partition| metrics.counter("comboio_test_poll_records", "records", &[("partition", partition)]);
        counter("0").add(1);
        counter("0").add(1);
        counter("1").add(5);
        let text = metrics.render();
        assert!(text.contains("comboio_test_poll_records{partition=\"0\"} 2\n"), "{text}");
        assert!(text.contains("comboio_test_poll_records{partition=\"1\"} 5\n"), "{text}");
        assert_eq!(text.matches("# TYPE comboio_test_poll_records ").count(), 1, "{text}");
    }

    #[test]
    fn the_order_of_labels_does_not_matter() {
        let metrics = metrics();
        metrics.counter("comboio_test_poll_bytes", "bytes", &[("topic", "t"), ("lane", "0")]).add(1);
        metrics.counter("comboio_test_poll_bytes", "bytes", &[("lane", "0"), ("topic", "t")]).add(1);
        let text = metrics.render();
        assert!(text.contains("comboio_test_poll_bytes{lane=\"0\",topic=\"t\"} 2\n"), "{text}");
    }

    #[test]
    fn a_gauge_disappears_with_its_last_clone() {
        let metrics = metrics();
        let gauge = metrics.gauge("comboio_test_lag_records", "lag", &[("partition", "0")]);
        let clone = gauge.clone();
        gauge.set(12.0);
        drop(gauge);
        assert!(metrics.render().contains("comboio_test_lag_records{partition=\"0\"} 12\n"));
        drop(clone);
        assert!(!metrics.render().contains("comboio_test_lag_records{"), "{}", metrics.render());
    }

    #[test]
    fn an_interval_that_would_flood_is_refused() {
        let raw = MetricsRaw { otlp_interval: Span::from_millis(1), ..MetricsRaw::default() };
        let settings = Settings::of(&serde_json::json!({ "metrics": raw }));
        let error = MetricsConfig::validate(&settings, &raw).unwrap_err();
        assert_eq!(error.to_string(), "metrics.otlp_interval is `1ms` (default): allowed is 100ms or more");
    }
}
