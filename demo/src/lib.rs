//! The whole journey on one machine: real processes from producer to collector, something happens to one of them, and the proof.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// What a person chooses: story, broker, rate, duration, consumers, fault.
pub mod options;
/// Where things are: topics, binaries, files of one run.
pub mod layout;
/// Reads a group's committed offsets and a topic's ends, and dead letters, as an outsider.
pub mod kafka_view;
/// Every commit that Kafka took of a group.
pub mod commit_history;
/// The services as processes: start, status, kill, freeze, stop.
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
/// What a consumer held when it died or stood still: only this may come again.
pub mod accident;
/// Lag over time, in records and in seconds.
pub mod lag_curve;
/// What a story did, measured and checked.
pub mod chronicle;
/// One run under way: everything that runs, and a look at it while a story waits.
pub mod stage;
/// The stories: what happens on the way.
pub mod story;
/// The ledger's three sides and all figures of the run, as a table and as JSON.
pub mod report;
/// The journey from start to proof.
pub mod journey;
