//! The real binary against the embedded broker: what it sends is what arrives, every end has its exit code, and what it leaves behind is true.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod compare;
mod endings;
mod fates;
mod instances;
mod leaderless;
mod limits;
mod outages;
mod reader;
mod reports;
mod spool_folder;
mod stage;
mod systemd;
