//! What keeps this consumer from being ready, if anything: shown by /readyz and /status, and cleared when it is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which part complains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The group has not given an assignment yet, or the client reports that it, or a partition of it, cannot work.
    Poll,
    /// Kafka answers nothing, to nobody of this process.
    Kafka,
    /// The function refuses us for a reason that only people can mend.
    Function,
    /// The breaker in front of the function lets no invocation pass, or only probes.
    Breaker,
    /// Dead letters are not acknowledged; their partitions wait.
    DeadLetters,
    /// Too much became dead letters: partitions are stopped until somebody has looked.
    Flood,
    /// Commits are refused for a reason that only people can mend.
    Commit,
    /// Records were deleted before they were read, or skipped; over after a while, for nobody can bring them back.
    Retention,
    /// A log ended before what was read or committed; over after a while, for reading goes on.
    Log,
}

/// One complaint per part, or per part and what it is about, at most; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    complaints: Arc<Mutex<BTreeMap<(Part, String), String>>>,
}

/// A complaint of one that waits; it is over with this, at the latest.
#[derive(Debug)]
pub struct Standing {
    condition: Condition,
    part: Part,
    what: String,
}

impl Condition {
    /// True when this part did not complain before.
    pub fn complain(&self, part: Part, why: impl Into<String>) -> bool {
        self.complain_about(part, "", why)
    }

    /// The same where a part has several things that may be wrong, each by itself.
    pub fn complain_about(&self, part: Part, what: &str, why: impl Into<String>) -> bool {
        self.complaints().insert((part, what.to_owned()), why.into()).is_none()
    }

    pub fn clear(&self, part: Part) {
        self.clear_about(part, "");
    }

    pub fn clear_about(&self, part: Part, what: &str) {
        self.complaints().remove(&(part, what.to_owned()));
    }

    /// Nothing yet; `what` must be nobody else's.
    pub fn standing(&self, part: Part, what: String) -> Standing {
        Standing { condition: self.clone(), part, what }
    }

    /// All complaints in one line; `None` when everything is well.
    pub fn why(&self) -> Option<String> {
        let complaints = self.complaints();
        let all: Vec<&str> = complaints.values().map(String::as_str).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    fn complaints(&self) -> MutexGuard<'_, BTreeMap<(Part, String), String>> {
        self.complaints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standing {
    pub fn complain(&self, why: impl Into<String>) {
        self.condition.complain_about(self.part, &self.what, why);
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        self.condition.clear_about(self.part, &self.what);
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Part};

    #[test]
    fn what_is_well_again_takes_no_other_complaint_with_it() {
        let condition = Condition::default();
        assert!(condition.complain_about(Part::Function, "f", "f is gone"));
        assert!(condition.complain_about(Part::Function, "g", "g is gone"));
        assert!(!condition.complain_about(Part::Function, "g", "g is forbidden"));
        assert_eq!(condition.why().unwrap(), "f is gone; g is forbidden");
        condition.clear_about(Part::Function, "f");
        assert_eq!(condition.why().unwrap(), "g is forbidden");
        condition.clear(Part::Function);
        assert!(condition.why().is_some(), "that is about no function in particular");
        condition.clear_about(Part::Function, "g");
        assert_eq!(condition.why(), None);
    }

    #[test]
    fn a_standing_complaint_is_over_with_who_made_it_and_with_nobody_else() {
        let condition = Condition::default();
        let [first, second] = ["0", "1"].map(|lane| condition.standing(Part::DeadLetters, lane.to_owned()));
        first.complain("0 waits");
        second.complain("1 waits");
        drop(second);
        assert_eq!(condition.why().unwrap(), "0 waits");
        drop(first);
        assert_eq!(condition.why(), None);
    }
}
