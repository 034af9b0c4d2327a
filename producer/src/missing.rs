//! Topics that Kafka says it does not have.
//!
//! A broker that has just come back may not know a topic yet, and a topic that is made anew is away for a moment. So one
//! such answer means little: fresh clients, which wait for a topic that they do not know, ask again. Only when the topic
//! has been missing for the configured time, and several clients in a row have said so, its records are given up on.

use runtime::clock::SharedClock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many clients in a row must miss a topic. The last of them was made when a broker had just answered, so it cannot have
/// spent its patience on an outage.
pub const CLIENTS: u32 = 3;

/// What is missing now; one for all clients of a run.
pub struct MissingTopics {
    give_up_after: Duration,
    clock: SharedClock,
    /// Whether there are any; asked at every acknowledgement.
    any: AtomicBool,
    topics: Mutex<HashMap<String, Missing>>,
}

struct Missing {
    since: Duration,
    clients: u32,
    /// The number of the last client that missed it.
    client: u64,
}

impl MissingTopics {
    pub fn new(give_up_after: Duration, clock: SharedClock) -> Self {
        Self { give_up_after, clock, any: AtomicBool::new(false), topics: Mutex::default() }
    }

    /// Client `client` was told that there is no such topic. True when it is to be believed.
    pub fn is_gone(&self, topic: &str, client: u64) -> bool {
        let now = self.clock.now();
        let mut topics = self.topics();
        if !topics.contains_key(topic) {
            topics.insert(topic.to_owned(), Missing { since: now, clients: 0, client: 0 });
            self.any.store(true, Ordering::Relaxed);
        }
        let Some(missing) = topics.get_mut(topic) else { return false };
        if missing.client < client {
            missing.client = client;
            missing.clients += 1;
        }
        missing.clients >= CLIENTS && now.saturating_sub(missing.since) >= self.give_up_after
    }

    /// Whether a topic is missing; cheap.
    pub fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    /// Kafka holds a record of the topic.
    pub fn found(&self, topic: &str) {
        let mut topics = self.topics();
        topics.remove(topic);
        self.any.store(!topics.is_empty(), Ordering::Relaxed);
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<String, Missing>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::MissingTopics;
    use runtime::clock::ManualClock;
    use std::sync::Arc;
    use std::time::Duration;

    #[test]
    fn a_topic_is_gone_after_its_time_and_from_the_mouths_of_three_clients() {
        let clock = ManualClock::starting_at(0);
        let topics = MissingTopics::new(Duration::from_secs(10), Arc::new(clock.clone()));
        assert!(!topics.is_gone("a", 1));
        clock.advance(Duration::from_secs(11));
        assert!(!topics.is_gone("a", 1), "a client's word counts once");
        assert!(!topics.is_gone("a", 2) && !topics.is_gone("b", 3));
        assert!(!topics.is_gone("a", 1), "an old client has nothing new to say");
        assert!(topics.is_gone("a", 3));
        topics.found("b");
        assert!(topics.is_gone("a", 3));
        topics.found("a");
        assert!([4, 5, 6].iter().all(|client| !topics.is_gone("a", *client)), "the time starts anew");
        clock.advance(Duration::from_secs(10));
        assert!(topics.is_gone("a", 6));
    }
}
