//! The spool's door: whether it could take events, for those who ask from outside.

use super::fullness::Fullness;
use crate::doors::{Closed, Doors};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whether the spool could take events; clones are the same door.
#[derive(Debug, Clone, Default)]
pub struct SpoolDoor(Arc<Mutex<Door>>);

#[derive(Debug, Default)]
struct Door {
    closed: Option<String>,
    /// The spool is full, whether or not it is that which closes the door.
    full: bool,
    refused: u64,
    said: Fullness,
}

impl SpoolDoor {
    /// Closes it for a reason.
    pub(super) fn close(&self, reason: String) {
        self.door().closed = Some(reason);
    }

    /// Closes it because the spool is full, or opens it.
    pub(super) fn full(&self, reason: Option<String>) {
        let mut door = self.door();
        (door.full, door.closed) = (reason.is_some(), reason);
    }

    /// Says in the log when the spool is full and when that has ended; called often.
    pub(super) fn look(&self, now: Duration) {
        let Door { closed, full, refused, said } = &mut *self.door();
        said.look(*full, *refused, (closed.as_deref().unwrap_or_default(), now));
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Doors for SpoolDoor {
    fn open(&self) -> Result<(), Closed> {
        let mut door = self.door();
        let Some(reason) = door.closed.clone() else { return Ok(()) };
        door.refused += 1;
        Err(Closed { reason, retry_after: Duration::from_secs(5) })
    }
}
