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
    doubt: Option<Doubt>,
    /// Where reading stood in a log that is no more.
    gone: Option<i64>,
}

/// Reading went back by a few records: they came twice, or the log was cut.
#[derive(Debug, Clone, Copy)]
struct Doubt {
    from: i64,
    looks: u8,
}

impl LogEnd {
    /// Reading stood at `from`, and some records before that come again.
    pub(super) fn doubt(&mut self, from: i64) {
        self.doubt = Some(Doubt { from, looks: 0 });
    }

    /// The log ends at `end`, and reading stands at `place` now.
    pub(super) fn look(&mut self, end: i64, place: Option<i64>) {
        let short = self.seen.is_some_and(|seen| end < seen);
        self.short = if short { self.short.saturating_add(1) } else { 0 };
        self.seen = place;
        if let Some(Doubt { from, looks }) = self.doubt.take() {
            // The first look may have been asked for before.
            match looks + 1 {
                _ if end < from => self.gone = Some(from),
                LOOKS.. => {}
                looks => self.doubt = Some(Doubt { from, looks }),
            }
        }
    }

    /// Whether it ends before what was read or committed.
    pub(super) fn is_short(&self) -> bool {
        self.short >= LOOKS
    }

    /// Where reading stood before it went back, when that is known now to have been in another log; once.
    pub(super) fn take_gone(&mut self) -> Option<i64> {
        self.gone.take()
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

    #[test]
    fn a_doubt_is_confirmed_by_a_log_that_ends_before_and_else_forgotten() {
        let mut log = LogEnd::default();
        log.doubt(60);
        log.look(60, Some(10));
        log.look(61, Some(30));
        log.look(10, Some(30));
        assert_eq!(log.take_gone(), None, "two looks acquit");
        log.doubt(60);
        log.look(60, Some(10));
        log.look(59, Some(30));
        assert_eq!((log.take_gone(), log.take_gone()), (Some(60), None));
    }
}
