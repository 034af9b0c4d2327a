//! What leaves the function about its batches: metrics as lines of the log, and spans.

use crate::emf::Emf;
use crate::laps::Laps;
use crate::record::Head;
use crate::spans;
use domain::contract::Response;
use runtime::clock::{Clock, SystemClock};
use runtime::config::{ConfigError, Settings, Span};
use runtime::exit::Failure;
use runtime::traces::{Traces, TracesConfig, TracesRaw};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `[metrics]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsRaw {
    /// How often metrics are printed in CloudWatch's embedded format; zero is never.
    pub emf: Span,
}

impl Default for MetricsRaw {
    fn default() -> Self {
        Self { emf: Span::from_secs(60) }
    }
}

/// Both sections as meant.
#[derive(Debug, Clone, Default)]
pub struct TelemetryConfig {
    emf: Duration,
    traces: TracesConfig,
}

impl TelemetryConfig {
    /// Checks the sections `metrics` and `traces`.
    ///
    /// # Errors
    /// An endpoint or a share that is none.
    pub fn validate(settings: &Settings, metrics: &MetricsRaw, traces: &TracesRaw) -> Result<Self, ConfigError> {
        Ok(Self { emf: metrics.emf.get(), traces: TracesConfig::validate(settings, traces)? })
    }
}

/// See the head of the file; the default tells nothing.
#[derive(Debug, Default)]
pub struct Telemetry {
    emf: Emf,
    traces: Option<Traces>,
}

impl Telemetry {
    /// For the function of this name.
    ///
    /// # Errors
    /// The exporter of spans could not be built.
    pub fn start(config: &TelemetryConfig, function: String) -> Result<Self, Failure> {
        let traces = Traces::start(&config.traces, "comboio-dispatcher").map_err(Failure::failed)?;
        Ok(Self { emf: Emf::new(function, config.emf), traces: Some(traces).filter(Traces::exports) })
    }

    /// Gives each span to these (for tests).
    pub fn traced(traces: Traces) -> Self {
        Self { traces: Some(traces), ..Self::default() }
    }

    /// Prints the metrics of a window that is over, and sends the spans of a batch whose trace is recorded.
    pub fn tell(&self, head: &Head<'_>, response: &Response, laps: &Laps) {
        let wall_ms = SystemClock.wall_ms();
        for line in self.emf.note(response, laps, wall_ms) {
            println!("{line}");
        }
        let Some(traces) = &self.traces else { return };
        if spans::record(traces, head, response, laps, wall_ms) {
            traces.flush(spans::FLUSH);
        }
    }
}
