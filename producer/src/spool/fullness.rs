//! Says in the log that the spool is full: one line when that begins and one when it has ended, however often it changes at the edge.

use std::time::Duration;

/// A full spool that is sent takes events again and again for a moment: it has room when it was not full for so long.
const QUIET: Duration = Duration::from_secs(10);

/// What was said.
#[derive(Debug, Default)]
pub(super) struct Fullness(Option<Full>);

#[derive(Debug)]
struct Full {
    since: Duration,
    last: Duration,
    /// Refused at the door before it began.
    refused: u64,
}

/// What is to be said now.
#[derive(Debug, PartialEq, Eq)]
enum Say {
    Begins,
    /// How long it was full, and how many requests were refused meanwhile.
    Ended {
        full: Duration,
        refused: u64,
    },
}

impl Fullness {
    /// How the spool stands at `now`, and how many requests were refused in all; called often.
    pub(super) fn look(&mut self, full: bool, refused: u64, (reason, now): (&str, Duration)) {
        match self.note(full, refused, now) {
            Some(Say::Begins) => tracing::warn!(
                reason,
                "the spool takes no more requests; generator and replay wait when spool.max_size is reached"
            ),
            Some(Say::Ended { full, refused }) => {
                let full_ms = full.as_millis() as u64;
                tracing::info!(full_ms, refused, "the spool has room again");
            }
            None => {}
        }
    }

    fn note(&mut self, full: bool, refused: u64, now: Duration) -> Option<Say> {
        match &mut self.0 {
            None if full => {
                self.0 = Some(Full { since: now, last: now, refused });
                Some(Say::Begins)
            }
            Some(known) if full => {
                known.last = now;
                None
            }
            Some(known) if now.saturating_sub(known.last) >= QUIET => {
                let (full, refused) = (known.last.saturating_sub(known.since), refused - known.refused);
                self.0 = None;
                Some(Say::Ended { full, refused })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fullness, Say};
    use std::time::Duration;

    #[test]
    fn a_spool_at_the_edge_makes_a_line_when_it_begins_and_one_when_it_was_not_full_for_a_while() {
        let mut fullness = Fullness::default();
        let at = Duration::from_millis;
        assert_eq!(fullness.note(false, 3, at(0)), None);
        // Full every other 100 ms, for 30 s; somebody is refused each time.
        let said: Vec<_> = (10..310).filter_map(|n| fullness.note(n % 2 == 0, 3 + n, at(100 * n))).collect();
        assert_eq!(said, [Say::Begins]);
        assert_eq!(fullness.note(false, 400, at(40_799)), None);
        let ended = Say::Ended { full: at(29_800), refused: 387 };
        assert_eq!(fullness.note(false, 400, at(40_800)), Some(ended));
        assert_eq!(fullness.note(false, 400, at(90_000)), None);
        assert_eq!(fullness.note(true, 400, at(90_000)), Some(Say::Begins));
    }
}
