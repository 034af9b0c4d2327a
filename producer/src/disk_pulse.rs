//! Whether a disk answers: one that hangs says nothing, not even an error, and holds whoever has asked it.

use crate::doors::{Closed, Doors};
use runtime::clock::SharedClock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A disk that has not answered for so long hangs.
pub const HANGS: Duration = Duration::from_secs(5);
/// When asking again may help.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// In place of a time: nobody waits for the disk.
const IDLE: u64 = u64::MAX;

/// Since when a disk has been asked; clones watch the same one.
#[derive(Clone)]
pub struct DiskPulse {
    /// For people: whose disk.
    name: &'static str,
    clock: SharedClock,
    asked_nanos: Arc<AtomicU64>,
}

impl DiskPulse {
    pub fn new(name: &'static str, clock: SharedClock) -> Self {
        Self { name, clock, asked_nanos: Arc::new(AtomicU64::new(IDLE)) }
    }

    /// What this is the disk of.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Asks the disk; comes back when it has answered. Whoever asks beside that waits before it calls this.
    pub fn during<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.asked_nanos.store(self.clock.now().as_nanos() as u64, Ordering::Relaxed);
        let answer = ask();
        self.asked_nanos.store(IDLE, Ordering::Relaxed);
        answer
    }

    /// The sentence about a disk that hangs; `None` while it answers.
    pub fn silence(&self) -> Option<String> {
        let asked = self.asked_nanos.load(Ordering::Relaxed);
        let silent = self.clock.now().saturating_sub(Duration::from_nanos(asked));
        let seconds = silent.as_secs();
        (asked != IDLE && silent >= HANGS).then(|| format!("{} has not answered for {seconds} s", self.name))
    }
}

impl Doors for DiskPulse {
    fn open(&self) -> Result<(), Closed> {
        self.silence().map_or(Ok(()), |reason| Err(Closed { reason, retry_after: RETRY_AFTER }))
    }

    fn stalled(&self) -> Option<String> {
        self.silence()
    }
}

#[cfg(test)]
mod tests {
    use super::{DiskPulse, HANGS};
    use crate::doors::{All, Doors};
    use runtime::clock::ManualClock;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn a_disk_that_owes_an_answer_for_too_long_closes_the_door_until_it_comes() {
        let clock = ManualClock::starting_at(0);
        let pulse = DiskPulse::new("the spool's disk", Arc::new(clock.clone()));
        let doors = All(vec![Box::new(pulse.clone())]);
        clock.advance(HANGS * 2);
        assert_eq!((pulse.silence(), doors.stalled()), (None, None), "nobody has asked");
        let answer = pulse.during(|| {
            clock.advance(HANGS - Duration::from_millis(1));
            assert_eq!((doors.stalled(), doors.open()), (None, Ok(())), "it is slow, no more");
            clock.advance(Duration::from_millis(2_001));
            let said = "the spool's disk has not answered for 7 s".to_owned();
            assert_eq!((doors.stalled(), doors.open().unwrap_err().reason), (Some(said.clone()), said));
            8
        });
        assert_eq!((answer, doors.stalled(), doors.open()), (8, None, Ok(())));
    }
}
