//! The whole consumer, the process with its real client of AWS Lambda, while everything around it fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod answers;
mod brain;
mod broken_lines;
mod case;
mod consumer;
mod destination;
mod events;
mod flood;
mod foreign_header;
mod front;
mod functions;
mod goaway;
mod late;
mod letters;
mod log;
mod memory;
mod poison;
mod programs;
mod reader;
mod secure_front;
mod settings;
mod throttled;
mod traffic;
mod world;

use std::time::Duration;

/// For what must come, however busy the machine is.
const DEADLINE: Duration = Duration::from_secs(60);
/// From the end of a fault until everything is committed.
const RECOVERY: Duration = Duration::from_secs(10);
