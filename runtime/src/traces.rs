//! W3C trace context, and the spans of batches.

/// Which traces are recorded.
mod choice;
/// The W3C `traceparent` header.
mod parent;

use std::time::Duration;

use choice::LinksOrShare;
use opentelemetry::Context;
use opentelemetry::trace::{SpanBuilder, Tracer, TracerProvider};
use opentelemetry_otlp::{RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    IdGenerator, RandomIdGenerator, Sampler, SdkTracer, SdkTracerProvider, TracerProviderBuilder,
};
use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, Settings};
use crate::metrics::stop_within;
use crate::otlp::{self, PlainHttp};

pub use opentelemetry_sdk::trace::Span;
pub use parent::{BadTraceparent, Traceparent};

/// Section `[traces]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracesRaw {
    /// Base URL of an OTLP/HTTP receiver, `http://host:4318`; empty: no export.
    pub otlp_endpoint: String,
    /// Share of new traces that are recorded, 0 to 1; what links to a recorded one always is.
    pub sample_ratio: f64,
}

impl Default for TracesRaw {
    fn default() -> Self {
        Self { otlp_endpoint: String::new(), sample_ratio: 0.001 }
    }
}

/// Validated `[traces]`; the default exports and samples nothing (for tests).
#[derive(Clone, Debug, Default)]
pub struct TracesConfig {
    endpoint: Option<String>,
    sample_ratio: f64,
}

impl TracesConfig {
    /// Checks the section `traces`.
    ///
    /// # Errors
    /// An endpoint that is not `http://host:port`, a ratio outside 0 to 1.
    pub fn validate(settings: &Settings, raw: &TracesRaw) -> Result<Self, ConfigError> {
        let endpoint = otlp::endpoint(settings, "traces.otlp_endpoint", &raw.otlp_endpoint)?;
        if !(0.0..=1.0).contains(&raw.sample_ratio) {
            return Err(settings.refuse("traces.sample_ratio", "allowed is 0 to 1, such as 0.001"));
        }
        Ok(Self { endpoint, sample_ratio: raw.sample_ratio })
    }
}

/// Traces could not be started.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be exported: {0}")]
pub struct TracesError(String);

/// The tracing of a process; clones share it.
#[derive(Clone, Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    exports: bool,
    ids: RandomIdGenerator,
    sample_ratio: f64,
}

impl Traces {
    /// Starts; exports spans when configured, else records none.
    ///
    /// # Errors
    /// The exporter could not be built.
    pub fn start(config: &TracesConfig, service: &str) -> Result<Self, TracesError> {
        let resource = Resource::builder().with_service_name(service.to_owned()).build();
        let builder = SdkTracerProvider::builder().with_resource(resource);
        let (builder, exports) = match &config.endpoint {
            Some(endpoint) => (builder.with_batch_exporter(exporter(endpoint)?), true),
            None => (builder, false),
        };
        Ok(Self::built(builder, exports, config.sample_ratio))
    }

    /// Gives each span to `exporter` as soon as it has ended (for tests).
    pub fn into(exporter: impl opentelemetry_sdk::trace::SpanExporter + 'static, sample_ratio: f64) -> Self {
        Self::built(SdkTracerProvider::builder().with_simple_exporter(exporter), true, sample_ratio)
    }

    fn built(builder: TracerProviderBuilder, exports: bool, sample_ratio: f64) -> Self {
        let sampler =
            if exports { Sampler::ParentBased(Box::new(LinksOrShare::new(sample_ratio))) } else { Sampler::AlwaysOff };
        let provider = builder.with_sampler(sampler).build();
        let tracer = provider.tracer("comboio");
        Self { provider, tracer, exports, ids: RandomIdGenerator::default(), sample_ratio }
    }

    /// The first span of a new trace; `None` while nothing is exported, and then `make` is not called. It is recorded when it links to a
    /// span that is, and else for the configured share of all.
    pub fn begin(&self, make: impl FnOnce() -> SpanBuilder) -> Option<Span> {
        self.exports.then(|| self.tracer.build_with_context(make(), &Context::new()))
    }

    /// Whether spans leave this process at all.
    pub fn exports(&self) -> bool {
        self.exports
    }

    /// Exports what has ended, for at most `deadline`. Blocks.
    pub fn flush(&self, deadline: Duration) {
        let provider = self.provider.clone();
        stop_within(deadline, move || provider.force_flush().is_ok());
    }

    /// For spans, with OpenTelemetry's own API. A span whose parent is sampled is recorded, others cost nearly nothing.
    pub fn tracer(&self) -> &SdkTracer {
        &self.tracer
    }

    /// A new trace for an event, for the configured share of events; also when this process itself exports no spans.
    pub fn sample(&self) -> Option<Traceparent> {
        let trace_id = self.ids.new_trace_id();
        // 53 random bits as a number from 0 to under 1: what a double holds exactly.
        let [.., a, b, c, d, e, f, g] = trace_id.to_bytes();
        let drawn = u64::from_be_bytes([0, a, b, c, d, e, f, g]) >> 3;
        let share = drawn as f64 / (1_u64 << 53) as f64;
        (share < self.sample_ratio).then(|| Traceparent { trace_id, span_id: self.ids.new_span_id(), sampled: true })
    }

    /// Exports what is left, for at most `deadline`. Blocks.
    pub fn stop(&self, deadline: Duration) {
        let provider = self.provider.clone();
        stop_within(deadline, move || provider.shutdown().is_ok());
    }
}

fn exporter(endpoint: &str) -> Result<SpanExporter, TracesError> {
    SpanExporter::builder()
        .with_http()
        .with_http_client(PlainHttp::new("traces"))
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_timeout(otlp::DEADLINE)
        .with_retry_policy(RetryPolicy::disabled())
        .build()
        .map_err(|error| TracesError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sampled_of(ratio: f64, tries: usize) -> usize {
        let config = TracesConfig { endpoint: None, sample_ratio: ratio };
        let traces = Traces::start(&config, "test").unwrap();
        (0..tries).filter_map(|_| traces.sample()).filter(|parent| parent.span_context().is_valid()).count()
    }

    #[test]
    fn the_configured_share_is_sampled() {
        assert_eq!(sampled_of(0.0, 1_000), 0);
        assert_eq!(sampled_of(1.0, 1_000), 1_000);
        let half = sampled_of(0.5, 10_000);
        assert!((4_500..5_500).contains(&half), "{half}");
    }

    #[test]
    fn a_ratio_outside_0_to_1_is_refused() {
        for ratio in [-0.1, 1.1, f64::NAN] {
            let raw = TracesRaw { sample_ratio: ratio, ..TracesRaw::default() };
            let error = TracesConfig::validate(&Settings::default(), &raw).unwrap_err();
            assert!(error.to_string().ends_with("allowed is 0 to 1, such as 0.001"), "{error}");
        }
    }
}
