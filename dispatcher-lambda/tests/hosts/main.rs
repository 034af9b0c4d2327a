//! The same suite of contract and fault cases on two Lambda hosts, our own and ministack's: the same answers, and the ones that are meant.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Events and requests.
#[path = "../dispatcher/requests.rs"]
#[allow(dead_code)]
mod requests;
/// An HTTP collector on a port of its own.
#[path = "../dispatcher/collector.rs"]
#[allow(dead_code)]
mod collector;
/// Two hosts, and how a function is put on them.
mod hosts;

mod suite;
