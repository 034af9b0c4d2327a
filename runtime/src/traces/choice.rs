//! Which new traces are recorded: whatever links to a recorded one, and a share of the others.

use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

/// A batch whose span were left out would cut the journeys of its records in two.
#[derive(Clone, Debug)]
pub(super) struct LinksOrShare(Sampler);

impl LinksOrShare {
    pub(super) fn new(share: f64) -> Self {
        Self(Sampler::TraceIdRatioBased(share))
    }
}

impl ShouldSample for LinksOrShare {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let mut result = self.0.should_sample(parent, trace_id, name, kind, attributes, links);
        if links.iter().any(|link| link.span_context.is_sampled()) {
            result.decision = SamplingDecision::RecordAndSample;
        }
        result
    }
}
