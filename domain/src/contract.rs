//! What the consumer sends to the dispatcher, one request per batch, and what it gets back.
//!
//! The request carries the records' values byte for byte. Offsets and timestamps travel as a first value and the
//! differences that follow, because that costs four bytes a record instead of twenty-three (docs/adr/0006).

mod batch;
mod judge;
mod request;
mod response;
mod steps;
mod values;

pub use batch::{BatchHead, Extent, OpenBatch, Push};
pub use judge::{Judgement, Malformed, judge};
pub use request::{BadRequest, Request, RequestRecord};
pub use response::{Listed, Response};

/// The version of the contract that both sides speak.
pub const VERSION: u32 = 1;

/// The most that one synchronous invocation may carry, in bytes.
/// Source: AWS Lambda quotas, "Invocation payload (request and response)", 6 MB each for synchronous invocations.
pub const MAX_REQUEST_BYTES: usize = 6_291_456;

#[cfg(test)]
mod tests;
