//! The operator's command line: what a cluster, a group and a bundle of certificates look like, and what to do.
//!
//! Nothing is changed without `--apply`. Exit codes: 0 fine, 1 failed (the surroundings), 2 a finding, 64 wrong usage.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// The command line: commands, flags and their help.
pub mod cli;
/// What a command answers: text for a person or JSON for a machine, and whether it found something.
pub mod answer;
/// Columns of text.
mod table;
/// From `--config` and flags to a Kafka connection.
mod connection;
/// `certs`: what the certificates say, and whether they fit together.
mod certs;
/// `topics list|plan|apply`: what is there, what shall be, what to do about it.
pub mod topics;
/// `lag`: how far a group is behind.
mod lag;
/// Runs a command and maps its end to an exit code.
pub mod app;
