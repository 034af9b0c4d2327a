//! What the dispatcher remembers, in Redis and in DynamoDB: the same suite for every store, and a process killed at each point of a batch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Events and requests.
#[path = "../dispatcher/requests.rs"]
#[allow(dead_code)]
mod requests;
/// Lambda's Runtime API on a port of its own, and the real binary.
#[path = "../dispatcher/runtime_api.rs"]
#[allow(dead_code)]
mod runtime_api;
/// Redis and the emulator of AWS, started once.
mod stores;

mod contract;
mod cost;
mod kills;
mod repeats;
/// A service that kills the function at a chosen moment.
mod killer;
