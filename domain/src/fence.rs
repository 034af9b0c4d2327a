//! The fence: up to which offset everything of a lane is finished, so that a repeat of it is known without its event's id.
//!
//! A fence is a true statement about one log: *all records of this lane from `from` to before `next` are finished*. It is put together from
//! what requests say, and can only be wrong when they are. What it does not speak of is delivered, perhaps again: never lost.

use crate::offset::Offset;
use serde::{Deserialize, Serialize};

/// What is known of one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// Which log the offsets are of. A topic that was made anew is another one, and its offsets start again.
    pub log: String,
    /// The first offset that it speaks of.
    pub from: Offset,
    /// One past the last.
    pub next: Offset,
}

/// What one request and its verdicts say of its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed<'a> {
    pub log: &'a str,
    /// All of the lane from here to the request's first record were finished before it was sent.
    pub since: Offset,
    /// The first record of the request that is neither delivered nor a duplicate, or one past its last. A rejected record counts as open
    /// until a later request says that it is finished: its dead letter may not be written yet.
    pub open: Offset,
}

impl Fence {
    /// Whether the record at `offset` of `log` is finished.
    pub fn holds(&self, log: &str, offset: Offset) -> bool {
        self.log == log && self.from <= offset && offset < self.next
    }

    /// What is known after a request; `None` when it says nothing new.
    pub fn after(before: Option<&Self>, passed: Passed<'_>) -> Option<Self> {
        if passed.open <= passed.since {
            return None;
        }
        let (mut from, mut next) = (passed.since, passed.open);
        // Two statements that overlap or touch are one. Others leave a gap of which nobody knows: then the newer one stands alone.
        if let Some(known) = before.filter(|known| known.log == passed.log && from <= known.next && known.from <= next)
        {
            (from, next) = (from.min(known.from), next.max(known.next));
        }
        let after = Self { log: passed.log.to_owned(), from, next };
        (before != Some(&after)).then_some(after)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fence, Passed};
    use crate::offset::Offset;
    use proptest::prelude::*;

    fn fence(log: &str, from: i64, next: i64) -> Fence {
        Fence { log: log.to_owned(), from: Offset(from), next: Offset(next) }
    }

    fn passed(log: &str, since: i64, open: i64) -> Passed<'_> {
        Passed { log, since: Offset(since), open: Offset(open) }
    }

    #[test]
    fn it_grows_with_each_request() {
        let first = Fence::after(None, passed("a", 100, 150)).unwrap();
        assert_eq!(first, fence("a", 100, 150));
        let second = Fence::after(Some(&first), passed("a", 100, 203)).unwrap();
        assert_eq!(second, fence("a", 100, 203));
        assert_eq!(Fence::after(Some(&second), passed("a", 100, 170)), None, "an answer that comes late");
        assert!([100, 202].iter().all(|offset| second.holds("a", Offset(*offset))));
        assert!([99, 203].iter().all(|offset| !second.holds("a", Offset(*offset))));
    }

    #[test]
    fn what_was_skipped_and_is_read_after_all_is_not_finished() {
        let skipped = Fence::after(Some(&fence("a", 0, 100)), passed("a", 5_000, 5_500)).unwrap();
        assert_eq!(skipped, fence("a", 5_000, 5_500));
        assert!(!skipped.holds("a", Offset(100)));
        let back = Fence::after(Some(&skipped), passed("a", 100, 600)).unwrap();
        assert_eq!(back, fence("a", 100, 600));
        assert!(!back.holds("a", Offset(600)));
    }

    #[test]
    fn a_topic_that_was_made_anew_is_another_log() {
        let old = fence("a", 0, 1_000);
        assert!(!old.holds("b", Offset(5)));
        assert_eq!(Fence::after(Some(&old), passed("b", 0, 10)), Some(fence("b", 0, 10)));
    }

    #[test]
    fn an_owner_that_begins_before_what_is_known_widens_it() {
        let known = fence("a", 100, 200);
        assert_eq!(Fence::after(Some(&known), passed("a", 50, 100)), Some(fence("a", 50, 200)));
        assert_eq!(Fence::after(Some(&known), passed("a", 200, 250)), Some(fence("a", 100, 250)));
        assert_eq!(Fence::after(Some(&known), passed("a", 90, 90)), None, "the first record is open");
    }

    proptest! {
        /// Whatever true statements come in whatever order: it never holds a record of which none of them speaks.
        #[test]
        fn it_holds_only_what_was_said(
            said in proptest::collection::vec((0_u8..2, 0_i64..60, 0_i64..20), 1..20),
        ) {
            let mut known: Option<Fence> = None;
            let mut spoken = std::collections::HashSet::new();
            for (log, since, records) in said {
                let log = ["a", "b"][usize::from(log)];
                spoken.extend((since..since + records).map(|offset| (log, offset)));
                known = Fence::after(known.as_ref(), passed(log, since, since + records)).or(known);
                let holds = |log, offset| known.as_ref().is_some_and(|known| known.holds(log, Offset(offset)));
                for offset in -1..90 {
                    for log in ["a", "b"] {
                        prop_assert!(!holds(log, offset) || spoken.contains(&(log, offset)));
                    }
                }
                prop_assert!((since..since + records).all(|offset| holds(log, offset)), "the newest is known");
            }
        }
    }
}
