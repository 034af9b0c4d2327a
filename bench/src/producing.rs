//! The producer's bench: its send stage and its whole path against librdkafka from C, Java and futures, and a steady load.

/// Who is measured against whom.
pub mod rival;
/// The steady load: 13,000 events/s from the whole producer.
pub mod steadiness;
/// What must hold, and whether it does.
pub mod bounds;
/// All figures of a run, as a table and as JSON.
pub mod report;
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
