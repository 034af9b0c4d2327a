//! The producer: source -> route -> key -> rate limit -> send -> report.
//!
//! Modules stand in dependency order, which is also the order in which an event meets them. Stages import no other stage;
//! `pipeline` knows the stages, `app` builds them from the configuration and runs them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// Who waits for the fates of which events.
pub mod ticket;
/// Whether events from outside may come in now.
pub mod doors;
/// Whether a disk answers that is asked something.
pub mod disk_pulse;
/// How the rate goes over time, and when event i is due: pure functions.
pub mod shape;
/// Which of several producers this one is, and its share.
pub mod instance;
/// A file that describes a load: purpose, seed, shape, codes, fleet, mix, expected result.
pub mod profile;
/// What the stages hand on: a bounded number of events in one reused buffer.
pub mod chunk;
/// Events from outside that wait for the flow, in bounded memory.
pub mod parcel;
/// Where events come from: generated from a profile, replayed from files, or handed over by others.
pub mod source;
/// Which topic an event goes to, by its codigo.
pub mod route;
/// The record's key, by the configured strategy.
pub mod key;
/// Events/s and bytes/s together, changeable while running.
pub mod limit;
/// How long things took: per second, over the run, and since the last lap.
pub mod latency;
/// What is counted while it happens.
pub mod tally;
/// Which seqs of each series were offered, acknowledged, set aside.
pub mod ledger;
/// Events between the client's queue and Kafka's answer, in a fixed number of slots.
pub mod in_flight;
/// Whose fault it is that a record got no acknowledgement in time.
pub mod blame;
/// Why a record is set aside.
pub mod why;
/// What Kafka answered, and how long it took from the due time.
pub mod answers;
/// The interval histograms of a run, as a file that the standard tools read.
pub mod histogram_log;
/// The climb to the highest rate that holds.
pub mod knee;
/// One line when something begins and ends, a count in between.
pub mod repeats;
/// The local file for what cannot go to Kafka.
pub mod set_aside;
/// Set-aside lines as objects on S3.
pub mod set_aside_objects;
/// What a refused record means: wait, set aside, another client, give up, stop.
pub mod refusal;
/// Records that can never be written to their topic: to `<topic>.dlq`, else to the local file.
pub mod dead_letter;
/// Topics that Kafka says it does not have, and since when.
pub mod missing;
/// The border to a Kafka client that can be replaced.
pub mod client;
/// librdkafka's producer without detours.
pub mod native;
/// rdkafka's callbacks, handed on in our words.
pub mod delivery;
/// The client in use, and how the next one comes to be.
pub mod clients;
/// Hands events to the outlet in their order; waits for room, the same event first.
pub mod send;
/// Events on disk that Kafka did not acknowledge in time.
pub mod spool;
/// Straight to the client, or by the spool.
pub mod detour;
/// rdkafka's producer behind the border of the clients.
pub mod outlet;
/// The thread that polls the client in use and brings dead letters away.
pub mod polling;
/// What the process used: CPU and memory.
pub mod usage;
/// What a run came to.
pub mod report;
/// Two reports held against each other.
pub mod compare;
/// The producer's metrics.
pub mod metrics;
/// The HTTP server that takes events from other processes and answers when they are safe.
pub mod ingest;
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
