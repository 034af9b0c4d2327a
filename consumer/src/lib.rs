//! The consumer: polls Kafka, collects records into batches, invokes the dispatcher, commits what is finished.
//!
//! Modules stand in dependency order, which is also the order in which a record meets them.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// The partitions owned now, each with its generation.
pub mod assignment;
/// A record: as Kafka lends it, as a dead letter needs it, and what of it is kept.
pub mod record;
/// Records that wait in topics of their own until they are tried again.
pub mod deferral;
/// Records for which the function failed, and how often; it outlives the process.
pub mod suspect;
/// When a batch passed its stations: broker, poll, close.
pub mod times;
/// A closed batch: what is sent in one invocation, and what is kept beside it.
pub mod batch;
/// The trace of a batch: one span for its delivery, with links to its records.
pub mod trace;
/// Lag: how old the oldest unfinished record of a partition is, and what retention deleted unread.
pub mod lag;
/// All metrics of the consumer.
pub mod metrics;
/// What is configured for a topic: its weight, its function, and its retry topics.
pub mod topic;
/// Who is next when something is short: topics by their weights.
pub mod share;
/// How many records a batch may have now, for each function.
pub mod batch_limit;
/// What keeps this consumer from being ready, if anything.
pub mod condition;
/// Records of one partition become batches, one open batch a lane.
pub mod collect;
/// The commit ledger: what may be committed, and nothing else decides it.
pub mod commit;
/// Everything that the poll thread and the tokio side say to each other.
pub mod event;
/// What operators have paused, and what of it they let go on.
pub mod pause;
/// The desk of the poll thread: collects, keeps the ledger, says when to pause.
pub mod desk;
/// One synchronous call of the dispatcher for one batch.
pub mod invoke;
/// Whether the function may be called now, and by how many at once: breaker, concurrency, rate.
pub mod guard;
/// What a function does for others, so that no record is blamed for what it does to everybody.
pub mod pulse;
/// What follows from a failure: one pure decision by its class.
pub mod policy;
/// When too much becomes dead letters, the partition stops.
pub mod flood;
/// A record set aside with its reason and its coordinates, unchanged.
pub mod dead_letter;
/// One batch of one lane, until every record of it has met its fate.
pub mod deliver;
/// Gives every lane one batch at a time, and answers for what is in flight when partitions go.
pub mod coordinator;
/// One thread owns the Kafka client: polls, commits, pauses, and serves rebalances.
pub mod poll;
/// The configuration: what is written, and what is meant.
pub mod config;
/// What /status says.
pub mod status;
/// What the admin port moves.
pub mod controls;
/// Is everything there that the consumer needs?
pub mod start;
/// Builds the consumer from its configuration, runs it, and brings it to its end.
pub mod app;
/// The command line.
pub mod cli;
