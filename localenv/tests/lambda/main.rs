//! The Lambda host with the real AWS SDK on one side and a real `bootstrap` on the other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod faults;
mod invoke;
mod limits;
mod probe;
