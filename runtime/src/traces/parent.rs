//! The W3C `traceparent` header: which journey, and which span caused what carries it.

use std::fmt;
use std::str::FromStr;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

/// The W3C `traceparent` header, version 00: `00-<trace id>-<span id>-<flags>`
/// (<https://www.w3.org/TR/trace-context/>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceparent {
    /// The whole journey; not zero.
    pub trace_id: TraceId,
    /// The span that caused what carries this; not zero.
    pub span_id: SpanId,
    /// Whether the journey is recorded.
    pub sampled: bool,
}

/// A text that is not a `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent: the form is 00-<32 hex digits>-<16 hex digits>-<2 hex digits>")]
pub struct BadTraceparent;

impl Traceparent {
    /// As the parent or link of a span.
    pub fn span_context(&self) -> SpanContext {
        let flags = if self.sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
        SpanContext::new(self.trace_id, self.span_id, flags, true, TraceState::default())
    }
}

impl From<&SpanContext> for Traceparent {
    fn from(context: &SpanContext) -> Self {
        Self { trace_id: context.trace_id(), span_id: context.span_id(), sampled: context.is_sampled() }
    }
}

impl FromStr for Traceparent {
    type Err = BadTraceparent;

    /// A later version than 00 may have more parts at its end; they are ignored, as the standard asks.
    fn from_str(text: &str) -> Result<Self, BadTraceparent> {
        let mut parts = text.split('-');
        let mut part = |digits: usize| parts.next().filter(|part| hex(part, digits)).ok_or(BadTraceparent);
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return Err(BadTraceparent);
        }
        let trace_id = TraceId::from_hex(trace).map_err(|_| BadTraceparent)?;
        let span_id = SpanId::from_hex(span).map_err(|_| BadTraceparent)?;
        if trace_id == TraceId::INVALID || span_id == SpanId::INVALID {
            return Err(BadTraceparent);
        }
        let flags = u8::from_str_radix(flags, 16).map_err(|_| BadTraceparent)?;
        Ok(Self { trace_id, span_id, sampled: flags & 1 == 1 })
    }
}

fn hex(part: &str, digits: usize) -> bool {
    part.len() == digits && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl fmt::Display for Traceparent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn the_example_of_the_standard_is_read_and_written() {
        let parent: Traceparent = EXAMPLE.parse().unwrap();
        assert!(parent.sampled);
        assert_eq!(parent.to_string(), EXAMPLE);
        assert_eq!(Traceparent::from(&parent.span_context()), parent);
        let later = format!("01{}-extra", &EXAMPLE[2..]);
        assert_eq!(later.parse::<Traceparent>().unwrap().trace_id, parent.trace_id);
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-+1",
        ] {
            assert_eq!(bad.parse::<Traceparent>(), Err(BadTraceparent), "{bad}");
        }
    }
}
