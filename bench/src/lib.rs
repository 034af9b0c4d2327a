//! Side-by-side measurements: our producer and our consumer against librdkafka from C, against Java, on the same brokers; and the dispatcher's packages.
//!
//! Modules stand in dependency order. What benches share comes first; each bench is a folder of its own.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// Medians and the like.
pub mod statistics;
/// One thing that must hold, and whether it does.
pub mod bound;
/// What one run of a rival came to, and what all runs of it come to.
pub mod figures;
/// Whose turn it is.
pub mod turns;
/// The end of a bench: table, JSON, missed bounds.
pub mod outcome;
/// The events of every rival, encoded before anybody is measured.
pub mod events;
/// What a process used, measured from outside.
pub mod meter;
/// Brokers, topic and identity of one run.
pub mod world;
/// Load before the measurement, until the brokers have compiled themselves.
pub mod warm;
/// Settings of a client as files, in librdkafka's words and in Java's.
pub mod properties;
/// How Kafka's own tools are called.
pub mod java;
/// The producer's bench.
pub mod producing;
/// The consumer's bench.
pub mod consuming;
/// The dispatcher's bench.
pub mod dispatching;
