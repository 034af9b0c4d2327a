//! The spool's door: whether it could take events, for those who ask from outside.

use crate::doors::{Closed, Doors};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Whether the spool could take events; clones are the same door.
#[derive(Debug, Clone, Default)]
pub struct SpoolDoor(Arc<Mutex<Option<String>>>);

impl SpoolDoor {
    /// Closes it for a reason, or opens it.
    pub(super) fn set(&self, closed: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = closed;
    }
}

impl Doors for SpoolDoor {
    fn open(&self) -> Result<(), Closed> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            Some(reason) => Err(Closed { reason, retry_after: Duration::from_secs(5) }),
            None => Ok(()),
        }
    }
}
