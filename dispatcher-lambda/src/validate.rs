//! Step 2, validate: is each record's value an event that we know?
//!
//! In: the records of a request. Out: the valid ones with id, codigo and key; the others are rejected on the board.
//! Never: changes a value; reads anything but the value.

use crate::board::{Board, reason};
use crate::contain;
use crate::record::{Record, Valid};
use domain::event::{Invalid, check};
use domain::key::KeyStrategy;

/// Checks every record on its own; a bad one costs nobody else anything.
pub fn validate<'a>(records: &[Record<'a>], key: KeyStrategy, board: &mut Board) -> Vec<Valid<'a>> {
    let mut valid = Vec::with_capacity(records.len());
    for record in records {
        match contain::call(|| check_one(record, key)) {
            Ok(Ok(event)) => valid.push(event),
            Ok(Err(invalid)) => board.reject(record.place, invalid.reason(), &invalid.to_string()),
            // The same bytes would panic again: a dead letter lets the partition go on.
            Err(panicked) => board.reject(record.place, reason::PANIC, &format!("validate {panicked}")),
        }
    }
    valid
}

fn check_one<'a>(record: &Record<'a>, strategy: KeyStrategy) -> Result<Valid<'a>, Invalid> {
    let event = check(record.value.as_bytes())?;
    let mut key = Vec::with_capacity(16);
    strategy.write(event.codigo, &event.truck_id, &mut key);
    let (place, offset, value) = (record.place, record.offset, record.value);
    Ok(Valid { place, offset, id: event.id, codigo: event.codigo, key, value })
}
