//! The whole journey on one machine: real processes from producer to collector, one of them killed on the way, and the proof.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// What a person chooses: broker, rate, duration, consumers, fault.
pub mod options;
/// Where things are: topics, binaries, files of one run.
pub mod layout;
/// Reads a group's committed offsets and a topic's ends, and dead letters, as an outsider.
pub mod kafka_view;
/// The services as processes: start, status, kill, stop.
pub mod services;
/// One second of the journey, seen from outside.
pub mod watch;
/// The broker, the Lambda host and the collector of one run.
pub mod world;
/// The configuration files of the services.
pub mod settings;
/// What all processes together use: memory.
pub mod footprint;
/// Shows it: redrawn on a terminal, plain lines elsewhere.
pub mod view;
/// A consumer dies by SIGKILL and a new one joins; what was in flight is measured.
pub mod accident;
/// The ledger's three sides and all figures of the run, as a table and as JSON.
pub mod report;
/// The journey from start to proof.
pub mod journey;
