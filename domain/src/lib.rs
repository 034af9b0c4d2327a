//! The words and rules of Comboio, pure: no clock, no randomness, no network, no files.
//!
//! Modules stand in dependency order, which is also the order in which a record meets them.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

/// What is read into named fields is an object, never an array.
pub mod object;
/// What travels: the telemetry event, its bytes, its identity and its checks.
pub mod event;
/// What order hangs on: the Kafka key of an event.
pub mod key;
/// Which named place an event goes to: first match on codigo wins.
pub mod route;
/// Where a record stands in its partition, and what may be committed: two types, one conversion.
pub mod offset;
/// What the dispatcher answers for each record.
pub mod verdict;
/// What went wrong, as one of six classes that decide the policy.
pub mod failure;
/// What the consumer sends to the dispatcher and gets back.
pub mod contract;
/// The `comboio-*` record headers: coordinates of a dead letter, and the fate an event is meant to meet.
pub mod headers;
/// Up to where everything of a lane is finished.
pub mod fence;
/// How long to wait before the next attempt.
pub mod backoff;
/// What proves delivery: which seq numbers of each key reached which fate.
pub mod ledger;
