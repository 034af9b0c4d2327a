//! Step 6, verdicts: the board becomes the response.
//!
//! In: the board and the records. Out: a response that lists or counts every record exactly once.
//! Never: leaves a record without a verdict.

use crate::board::{Board, reason};
use crate::record::{Head, Record};
use domain::contract::Response;

/// The answer to the request of `head`; what no step has settled must come again.
pub fn verdicts(head: &Head<'_>, records: &[Record<'_>], board: &Board) -> Response {
    let offsets = records.iter().map(|record| record.offset);
    Response::from_verdicts(head.batch_id, offsets.zip(board.verdicts(reason::DEADLINE)))
}
