//! Gaps between polled offsets: deleted by retention, or skipped, if the log begins behind them, and otherwise none of our business.

use super::{Lost, Why};

/// Compaction and transactions leave many small gaps, retention one large one: with more than this the smallest is let go.
const MOST: usize = 64;
/// The first look after a gap may have been asked for before it; the second was not.
const LOOKS: u8 = 2;

/// Gaps that no look has judged yet.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    open: Vec<Gap>,
}

#[derive(Debug, Clone, Copy)]
struct Gap {
    from: i64,
    to: i64,
    looks: u8,
}

impl Gaps {
    /// The record at `to` came, and `from` was due.
    pub(super) fn note(&mut self, from: i64, to: i64) {
        self.open.push(Gap { from, to, looks: 0 });
        if self.open.len() > MOST
            && let Some(least) = (0..self.open.len()).min_by_key(|at| self.open[*at].to - self.open[*at].from)
        {
            self.open.swap_remove(least);
        }
    }

    /// The log begins at `low`: what lies below in a gap was deleted before it was read. With `from_end` reading went on at the end of the
    /// log then, and the rest of the gap was skipped.
    pub(super) fn judge(&mut self, low: i64, from_end: bool) -> Vec<Lost> {
        let lost = |gap: &Gap| {
            let begun = low.min(gap.to);
            let deleted = Lost { from: gap.from, to: begun, why: Why::Deleted };
            let skipped = Lost { from: begun, to: gap.to, why: Why::Skipped };
            let all = (low > gap.from).then_some([deleted, skipped]).into_iter().flatten();
            all.filter(move |lost| lost.to > lost.from && (from_end || lost.why == Why::Deleted)).collect::<Vec<_>>()
        };
        let found: Vec<Lost> = self.open.iter().flat_map(lost).collect();
        self.open.retain_mut(|gap| {
            gap.looks += 1;
            low <= gap.from && gap.looks < LOOKS
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{Gaps, Lost, MOST, Why};

    fn deleted(from: i64, to: i64) -> Lost {
        Lost { from, to, why: Why::Deleted }
    }

    #[test]
    fn a_gap_below_the_log_is_lost_once_and_one_within_it_is_not() {
        let mut gaps = Gaps::default();
        gaps.note(10, 50);
        gaps.note(60, 70);
        assert_eq!(gaps.judge(50, false), [deleted(10, 50)]);
        assert_eq!(gaps.judge(50, false), []);
        gaps.note(80, 100);
        assert_eq!(gaps.judge(90, false), [deleted(80, 90)], "what lies in the log was compacted, not lost");
    }

    #[test]
    fn who_goes_on_at_the_end_skips_what_is_left() {
        let mut gaps = Gaps::default();
        gaps.note(10, 500);
        gaps.note(600, 610);
        assert_eq!(gaps.judge(50, true), [deleted(10, 50), Lost { from: 50, to: 500, why: Why::Skipped }]);
        assert_eq!(gaps.judge(50, true), [], "the other one was compacted");
    }

    #[test]
    fn a_look_from_before_the_gap_does_not_acquit_it() {
        let mut gaps = Gaps::default();
        gaps.note(10, 50);
        assert_eq!(gaps.judge(0, false), []);
        assert_eq!(gaps.judge(50, false).len(), 1);
        gaps.note(60, 70);
        let looks = [50, 50, 70].map(|low| gaps.judge(low, false).len());
        assert_eq!(looks, [0, 0, 0], "two looks acquit");
    }

    #[test]
    fn of_many_gaps_the_large_ones_are_judged() {
        let mut gaps = Gaps::default();
        gaps.note(0, 1_000);
        for n in 0..1_000 {
            gaps.note(2_000 + 2 * n, 2_001 + 2 * n);
        }
        assert!(gaps.open.len() <= MOST);
        assert_eq!(gaps.judge(1_000, false), [deleted(0, 1_000)]);
    }
}
