//! Side-by-side measurements: our producer against librdkafka from C, against Java, against futures, on the same brokers.
//!
//! Modules stand in dependency order, which is also the order of a run.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// Medians and the like.
pub mod statistics;
/// Who is measured against whom.
pub mod rival;
/// What one run of a rival came to, and what all runs of it come to.
pub mod figures;
/// The steady load: 13,000 events/s from the whole producer.
pub mod steadiness;
/// What must hold, and whether it does.
pub mod bounds;
/// All figures of a run, as a table and as JSON.
pub mod report;
/// The events that every rival sends, encoded before anybody is measured.
pub mod events;
/// What a process used, measured from outside.
pub mod meter;
/// Brokers, topic and identity of one run.
pub mod world;
/// Load before the measurement, until the brokers have compiled themselves.
pub mod warm;
/// How late the machine wakes whoever sleeps.
pub mod onlooker;
/// The settings of each rival: the same, in three languages.
pub mod settings;
/// A rival of ours, in a process of its own: the producer's send stage with events that are already encoded.
pub mod send_stage;
/// A rival of ours, in a process of its own: an awaited future for each event.
pub mod futures;
/// How each rival is started, and what it says at its end.
pub mod launch;
/// The rivals in turn, round after round.
pub mod rounds;
/// Runs the steady load and looks at the process meanwhile.
pub mod steady;
/// The command line.
pub mod cli;
