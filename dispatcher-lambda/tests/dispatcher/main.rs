//! The dispatcher as its consumer sees it: requests in, verdicts out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Events and requests.
mod requests;
/// Events of AWS's event source mapping.
mod events;
/// A destination that follows a script.
mod scripted;
/// An HTTP collector on a port of its own.
mod collector;
/// Lambda's Runtime API on a port of its own, and the real binary.
mod runtime_api;

mod bootstrap;
mod both_callers;
mod contract;
mod deadline;
mod event_source;
mod fence;
mod order;
mod over_http;
mod over_https;
mod per_record;
mod traced;
mod transform;
