//! Deferral: records with the verdict `retry` wait in topics of their own, one for each delay, while the others go on.
//!
//! In: the topic of such a record. Out: where it goes next.
//! Never: puts off what failed for another reason than its own verdict; backpressure is no such reason.

/// Where a record was first read, and when it is due.
mod coordinates;

pub use coordinates::Coordinates;
use domain::headers::{retry_topic, topic_of_retry};
use std::time::Duration;

/// Which topics put records off, and for how long.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deferral {
    topics: Vec<String>,
    delays: Vec<Delay>,
}

/// One delay, with the name that it has in topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delay {
    pub name: String,
    pub span: Duration,
}

/// What becomes of a record with the verdict `retry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It comes again before anything else of its lane.
    Block,
    /// It waits in this topic for so long.
    Defer { topic: String, delay: Duration },
    /// It was put off as often as there are delays.
    UsedUp,
}

impl Deferral {
    /// `delays` ascend; without `topics` nothing is put off.
    pub fn new(topics: Vec<String>, delays: Vec<Delay>) -> Self {
        Self { topics, delays }
    }

    /// What becomes of a record that was read from `topic`.
    pub fn next(&self, topic: &str) -> Next {
        let (first, passed) = match topic_of_retry(topic) {
            None => (topic, None),
            Some((first, delay)) => (first, Some(delay)),
        };
        if !self.topics.iter().any(|known| known == first) {
            return Next::Block;
        }
        // A delay that is not configured any more counts as all of them: the record has waited, and nobody knows how often.
        let place =
            passed.map_or(0, |name| self.delays.iter().position(|d| d.name == name).map_or(usize::MAX - 1, |n| n) + 1);
        match self.delays.get(place) {
            Some(Delay { name, span }) => Next::Defer { topic: retry_topic(first, name), delay: *span },
            None => Next::UsedUp,
        }
    }

    /// The retry topics of `topic`, which are read too; none when it puts nothing off.
    pub fn retry_topics(&self, topic: &str) -> Vec<String> {
        if !self.topics.iter().any(|known| known == topic) {
            return Vec::new();
        }
        self.delays.iter().map(|delay| retry_topic(topic, &delay.name)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Deferral, Delay, Next};
    use std::time::Duration;

    fn deferral() -> Deferral {
        let delay = |name: &str, seconds| Delay { name: name.into(), span: Duration::from_secs(seconds) };
        Deferral::new(vec!["a".into()], vec![delay("5s", 5), delay("5m", 300)])
    }

    #[test]
    fn a_record_waits_once_for_each_delay_and_no_more() {
        let defer = |topic: &str, seconds| Next::Defer { topic: topic.into(), delay: Duration::from_secs(seconds) };
        let next = |topic| deferral().next(topic);
        assert_eq!(next("a"), defer("a.retry.5s", 5));
        assert_eq!(next("a.retry.5s"), defer("a.retry.5m", 300));
        assert_eq!((next("a.retry.5m"), next("a.retry.30s")), (Next::UsedUp, Next::UsedUp));
        assert_eq!(
            (next("b"), next("b.retry.5s"), Deferral::default().next("a")),
            (Next::Block, Next::Block, Next::Block)
        );
    }

    #[test]
    fn every_delay_has_its_topic() {
        assert_eq!(deferral().retry_topics("a"), ["a.retry.5s", "a.retry.5m"]);
        assert!(deferral().retry_topics("b").is_empty() && Deferral::default().retry_topics("a").is_empty());
    }
}
