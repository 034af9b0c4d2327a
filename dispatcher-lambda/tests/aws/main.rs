//! Every AWS destination against an emulator of the services, with faults on the way: what is said to be delivered is there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// The emulator, started once, and the faults that all tests share.
mod cloud;
/// Events, and a consumer that brings them until none must come again.
mod convoy;
/// What a destination holds, and whether that is right.
mod held;

mod deployed;
mod dynamodb;
mod lambda;
mod missing;
mod over_http;
mod queues;
mod s3;
