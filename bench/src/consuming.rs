//! The consumer's bench: its client, its desk and its whole path against librdkafka from C and Java, and against what waiting allows.

/// Who is measured against whom.
pub mod rival;
/// Throughput against latency, CPU of the whole path, and the steady load.
pub mod flow_figures;
/// What must hold, and whether it does.
pub mod bounds;
/// All figures of a run, as a table and as JSON.
pub mod report;
/// The settings of each rival: the same, in three languages.
pub mod settings;
/// The records that everybody reads.
pub mod backlog;
/// The client of rivals that do without the poll thread.
pub mod queued;
/// A rival of ours, in a process of its own: the client is polled, and every record is dropped.
pub mod no_op;
/// A rival of ours, in a process of its own: the poll thread and its desk; every batch is encoded and answered at once.
pub mod collect;
/// The same without the desk's look at each value.
pub mod unchecked;
/// How each rival is started, and what it says at its end.
pub mod launch;
/// The rivals in turn, round after round.
pub mod rounds;
/// In a process of its own: what pauses cost, by the client's statistics.
pub mod refetch;
/// Functions that take their time and deliver everything: the answer, and an invoker that gives it without a network.
pub mod pretend;
/// In a process of its own: everything but Lambda's client, against functions that take their time.
pub mod flow;
/// Lambda's Invoke API on this machine: it answers the contract after a while, and does nothing else.
pub mod stand_in;
/// In a process of its own: as many calls at once as there may be, over HTTP/2.
pub mod streams;
/// Starts the processes that are held against functions that take their time.
pub mod waiting;
/// The whole consumer against the stand-in.
pub mod path;
/// The steady load: 13,000 records/s through the whole consumer.
pub mod steady;
/// The command line.
pub mod cli;
