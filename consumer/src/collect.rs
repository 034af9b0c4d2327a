//! Collect: records of one partition become batches, one open batch a lane.
//!
//! In: records while they are borrowed. Out: closed batches with the reason.
//! Never: reads a clock, or lets a value into a request that is not UTF-8 JSON or too large.

/// Whether a value is one JSON text, quickly.
mod json_text;
/// Which lane of its partition a record is on.
mod lanes;
/// The open batch of one lane.
mod open_lane;

pub use lanes::lane_of;
pub use open_lane::{Limits, OpenLane};
