//! Step 2, validate: is each record's value an event that we know?
//!
//! In: the records of a request. Out: the valid ones with id, codigo and key; the others are rejected on the board.
//! Never: changes a value; reads anything but the value.

use crate::board::{Board, reason};
use crate::contain;
use crate::record::{Record, Valid};
use domain::event::{Invalid, Versions, check_against};
use domain::key::KeyStrategy;
use runtime::config::{ConfigError, Settings};
use serde::{Deserialize, Serialize};

/// `[validate]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ValidateRaw {
    /// Versions of the event that are taken: one, or both during a migration.
    pub versions: Vec<u32>,
}

impl Default for ValidateRaw {
    fn default() -> Self {
        Self { versions: vec![1] }
    }
}

impl ValidateRaw {
    /// # Errors
    /// A version that does not exist or stands twice, or none at all.
    pub fn build(&self, settings: &Settings) -> Result<Versions, ConfigError> {
        Versions::try_from(self.versions.as_slice()).map_err(|error| settings.refuse("validate.versions", error))
    }
}

/// Checks every record on its own; a bad one costs nobody else anything.
pub fn validate<'a>(records: &[Record<'a>], known: Versions, key: KeyStrategy, board: &mut Board) -> Vec<Valid<'a>> {
    let mut valid = Vec::with_capacity(records.len());
    for record in records {
        match contain::call(|| check_one(record, known, key)) {
            Ok(Ok(event)) => valid.push(event),
            Ok(Err(invalid)) => board.reject(record.place, invalid.reason(), &invalid.to_string()),
            // The same bytes would panic again: a dead letter lets the partition go on.
            Err(panicked) => board.reject(record.place, reason::PANIC, &format!("validate {panicked}")),
        }
    }
    valid
}

fn check_one<'a>(record: &Record<'a>, known: Versions, strategy: KeyStrategy) -> Result<Valid<'a>, Invalid> {
    let event = check_against(record.value.as_bytes(), known)?;
    let mut key = Vec::with_capacity(16);
    strategy.write(event.codigo, &event.truck_id, &mut key);
    let (place, offset, value) = (record.place, record.offset, record.value);
    Ok(Valid { place, offset, id: event.id, codigo: event.codigo, key, value })
}
