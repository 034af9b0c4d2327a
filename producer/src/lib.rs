//! The producer: source -> route -> key -> rate limit -> send -> report.
//!
//! Modules stand in dependency order, which is also the order in which an event meets them. Stages import no other stage;
//! `pipeline` knows the stages, `app` builds them from the configuration and runs them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// When event i is due: load shapes as pure functions of time.
pub mod shape;
/// A file that describes a load: purpose, seed, shape, codes, fleet, mix, expected result.
pub mod profile;
/// What the stages hand on: a bounded number of events in one reused buffer.
pub mod chunk;
/// Where events come from: generated from a profile, or replayed from files.
pub mod source;
/// Which topic an event goes to, by its codigo.
pub mod route;
/// The record's key, by the configured strategy.
pub mod key;
/// Events/s and bytes/s together, changeable while running.
pub mod limit;
/// What is counted while it happens.
pub mod tally;
/// Which seqs of each series were offered, acknowledged, set aside.
pub mod ledger;
/// Events between the client's queue and Kafka's answer, in a fixed number of slots.
pub mod in_flight;
/// What Kafka answered, and how long it took from the due time.
pub mod answers;
/// The local file for what cannot go to Kafka.
pub mod set_aside;
/// Set-aside lines as objects on S3.
pub mod set_aside_objects;
/// Records that can never be written to their topic: to `<topic>.dlq`, else to the local file.
pub mod dead_letter;
/// What a refused record means: wait, set aside, give up, stop.
pub mod refusal;
/// rdkafka's callbacks, handed on in our words.
pub mod delivery;
/// Hands events to the client's queue in their order; waits for room, the same event first.
pub mod send;
/// rdkafka's producer behind that border, and the thread that polls it.
pub mod outlet;
/// What the process used: CPU and memory.
pub mod usage;
/// What a run came to.
pub mod report;
/// The producer's metrics.
pub mod metrics;
/// What is written in the configuration, and what is meant.
pub mod config;
/// What a profile makes, without a broker.
pub mod plan;
/// The flow: all stages on one thread.
pub mod pipeline;
/// What the admin port moves.
pub mod controls;
/// The life of the process: build, start, watch, drain, report.
pub mod app;
/// The command line: run, check, plan.
pub mod cli;
