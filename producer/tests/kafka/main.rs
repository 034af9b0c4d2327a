//! The producer's hard promises on real Apache Kafka with mutual TLS: one story a file. Needs Java 17 and Maven.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fatal;
mod moved;
mod outage;
mod overload;
mod reader;
mod refusals;
mod rotation;
mod sealed;
mod senders;
mod stage;
mod standstill;
