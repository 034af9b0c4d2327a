//! How any service of Comboio lives: settings, clock, logs, metrics, traces, health, shutdown, admin port.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// The only place that reads time: monotonic and wall clock, and one that a test turns by hand.
pub mod clock;
/// What was written (TOML file, environment) becomes one typed value, and every setting knows its origin.
pub mod config;
/// Log lines on standard error: JSON for machines, text on a terminal.
pub mod logs;
/// The life of `main`: command line, run, one error line, exit code.
pub mod exit;
/// What a command says on standard output.
pub mod stdout;
/// Sends OTLP requests over plain HTTP/1.1, with a deadline.
pub(crate) mod otlp;
/// OpenTelemetry instruments, readable as Prometheus text, exported by OTLP when configured.
pub mod metrics;
/// AWS's configuration: region, credentials, HTTP client.
#[cfg(feature = "aws")]
pub mod aws;
/// Objects on S3, read when changed and written whole, each within a deadline.
#[cfg(feature = "aws")]
pub mod objects;
/// W3C trace context, and the spans of batches.
pub mod traces;
/// Liveness means progress: each component beats, and says whether it is ready.
pub mod health;
/// SIGTERM or SIGINT asks to drain, the second one hurries.
pub mod shutdown;
/// Tells systemd: ready, stopping, alive.
pub mod systemd;
/// The bearer token of a port: read from a file, looked for in every request.
pub mod token;
/// HTTP connections of a server, accepted up to a bound, none without a deadline.
pub mod connections;
/// A file that a run leaves behind, written whole; devices, pipes and links stay what they are.
pub mod output_file;
/// The file that tells a bound address.
pub mod address_file;
/// The admin port: /livez, /readyz, /metrics, /status and the service's controls.
pub mod admin;
