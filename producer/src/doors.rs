//! Doors: whether events from outside may come in now. A source that takes events from others asks before it takes them.

use runtime::shutdown::Shutdown;
use std::time::Duration;

/// Why nothing is taken now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// One sentence for the sender.
    pub reason: String,
    /// When asking again may help.
    pub retry_after: Duration,
}

/// Somebody who can close the way in: a full spool, a client that cannot send, a drain.
pub trait Doors: Send + Sync {
    /// Whether an event may come in now; asked for each request, so it must answer at once.
    ///
    /// # Errors
    /// Why not, and when to come again.
    fn open(&self) -> Result<(), Closed>;

    /// Why what has come in meets no fate for now; asked from time to time for each request that waits.
    fn stalled(&self) -> Option<String> {
        None
    }
}

/// Always open.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlwaysOpen;

impl Doors for AlwaysOpen {
    fn open(&self) -> Result<(), Closed> {
        Ok(())
    }
}

/// Open until a drain is asked for.
#[derive(Debug, Clone)]
pub struct UntilDrain(pub Shutdown);

/// After a drain another process may answer under the same address.
const AFTER_DRAIN: Duration = Duration::from_secs(5);

impl Doors for UntilDrain {
    fn open(&self) -> Result<(), Closed> {
        if !self.0.draining() {
            return Ok(());
        }
        Err(Closed { reason: "the producer is shutting down".into(), retry_after: AFTER_DRAIN })
    }
}

/// Open when all of them are; the first that is closed says why.
#[derive(Default)]
pub struct All(pub Vec<Box<dyn Doors>>);

impl Doors for All {
    fn open(&self) -> Result<(), Closed> {
        self.0.iter().try_for_each(|door| door.open())
    }

    fn stalled(&self) -> Option<String> {
        self.0.iter().find_map(|door| door.stalled())
    }
}

#[cfg(test)]
mod tests {
    use super::{All, AlwaysOpen, Doors, UntilDrain};
    use runtime::shutdown::Shutdown;

    #[test]
    fn one_closed_door_is_enough() {
        let shutdown = Shutdown::new();
        let doors = All(vec![Box::new(AlwaysOpen), Box::new(UntilDrain(shutdown.clone()))]);
        assert_eq!(doors.open(), Ok(()));
        shutdown.trigger("SIGTERM");
        let closed = doors.open().unwrap_err();
        assert!(closed.reason.contains("shutting down") && !closed.retry_after.is_zero());
    }
}
