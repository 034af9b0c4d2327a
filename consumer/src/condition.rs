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
}
