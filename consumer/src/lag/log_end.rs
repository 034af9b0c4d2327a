//! Whether a log is still the one that was read: it ends where reading stood, or later.

/// So many looks must agree that it ends before.
const LOOKS: u8 = 2;

/// What looks at one partition's log showed.
#[derive(Debug, Default)]
pub(super) struct LogEnd {
    /// Where reading stood at the last look: whatever was asked after that shows as much.
    seen: Option<i64>,
    /// How many looks in a row showed less.
    short: u8,
}

impl LogEnd {
    /// The log ends at `end`, and reading stands at `place` now.
    pub(super) fn look(&mut self, end: i64, place: Option<i64>) {
        let short = self.seen.is_some_and(|seen| end < seen);
        self.short = if short { self.short.saturating_add(1) } else { 0 };
        self.seen = place;
    }

    /// Whether the last look showed less than was read or committed.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.short > 0
    }

    /// Whether it ends before what was read or committed.
    pub(super) fn is_short(&self) -> bool {
        self.short >= LOOKS
    }
}

#[cfg(test)]
mod tests {
    use super::LogEnd;

    #[test]
    fn a_log_is_short_when_it_ends_before_what_was_read_before_the_look() {
        let mut log = LogEnd::default();
        log.look(100, Some(100));
        // Asked before 50 more came, and answered when they were read.
        log.look(100, Some(150));
        log.look(150, Some(150));
        assert!(!log.is_short());
        log.look(20, Some(150));
        assert!(!log.is_short(), "one look is none");
        log.look(20, Some(150));
        assert!(log.is_short());
        log.look(150, Some(150));
        assert!(!log.is_short());
    }

    #[test]
    fn nothing_is_short_for_who_does_not_know_where_it_stands() {
        let mut log = LogEnd::default();
        (0..5).for_each(|_| log.look(0, None));
        assert!(!log.is_short());
    }
}
