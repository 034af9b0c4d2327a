//! One line when something begins, a count of the rest from time to time, and one when it has ended: nothing floods the log.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// How often the count is told, and after which silence it has ended.
const EVERY: Duration = Duration::from_secs(10);

/// What there is to say now; `count` is how many there were since the last line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Say {
    Begins,
    GoesOn { count: u64 },
    Ended { count: u64 },
}

/// What repeats, told apart by `K`; a handful of kinds at a time.
#[derive(Debug)]
pub struct Repeats<K>(HashMap<K, Row>);

#[derive(Debug)]
struct Row {
    last: Duration,
    said: Duration,
    unsaid: u64,
}

impl<K> Default for Repeats<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Repeats<K> {
    /// It happened (again) at `now`.
    pub fn note(&mut self, kind: &K, now: Duration) -> Option<Say> {
        let Some(row) = self.0.get_mut(kind) else {
            self.0.insert(kind.clone(), Row { last: now, said: now, unsaid: 0 });
            return Some(Say::Begins);
        };
        row.last = now;
        row.unsaid += 1;
        if now.saturating_sub(row.said) < EVERY {
            return None;
        }
        row.said = now;
        Some(Say::GoesOn { count: std::mem::take(&mut row.unsaid) })
    }

    /// It has ended, as is known otherwise.
    pub fn end(&mut self, kind: &K) -> Option<Say> {
        self.0.remove(kind).map(|row| Say::Ended { count: row.unsaid })
    }

    /// What has not happened for a while; called often.
    pub fn ended(&mut self, now: Duration) -> Vec<(K, Say)> {
        let silent = |row: &Row| now.saturating_sub(row.last) >= EVERY;
        let kinds: Vec<K> = self.0.iter().filter(|(_, row)| silent(row)).map(|(kind, _)| kind.clone()).collect();
        kinds.into_iter().filter_map(|kind| self.end(&kind).map(|say| (kind, say))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Repeats, Say};
    use std::time::Duration;

    #[test]
    fn thousands_make_a_line_at_the_beginning_one_every_ten_seconds_and_one_at_the_end() {
        let mut repeats = Repeats::default();
        let at = |ms: u64| Duration::from_millis(ms);
        let said: Vec<_> = (0..25_000).filter_map(|ms| repeats.note(&"a", at(ms)).map(|say| (ms, say))).collect();
        let goes_on = Say::GoesOn { count: 10_000 };
        assert_eq!(said, [(0, Say::Begins), (10_000, goes_on), (20_000, goes_on)]);
        assert_eq!(repeats.note(&"b", at(25_000)), Some(Say::Begins), "each kind for itself");
        assert_eq!(repeats.ended(at(34_998)), []);
        assert_eq!(repeats.ended(at(34_999)), [("a", Say::Ended { count: 4_999 })]);
        assert_eq!(repeats.end(&"b"), Some(Say::Ended { count: 0 }));
        assert_eq!((repeats.end(&"b"), repeats.ended(at(99_999))), (None, vec![]));
        assert_eq!(repeats.note(&"a", at(99_999)), Some(Say::Begins));
    }
}
