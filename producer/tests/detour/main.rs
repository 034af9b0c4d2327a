//! The way out with and without a spool, against a scripted Kafka and a clock turned by hand: nothing lost, order per key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bench;
mod clients;
mod disk;
mod kafka;
mod letters;
mod partitions;
mod properties;
mod spool;
mod stops;
