//! Which topic stands behind a name, as far as it was seen: a topic that was deleted and made anew is another one.

use kafka_client::topic_facts::{TopicFacts, TopicId};

/// What was seen of one name since this process began.
#[derive(Debug, Default)]
pub(super) struct SeenTopic {
    /// The topics that stood behind it. Brokers may lag behind each other, so that an older one is seen again.
    ids: Vec<TopicId>,
    /// How many partitions it had when it was seen first.
    first: Option<i32>,
}

impl SeenTopic {
    /// How the topic of this name is now; true when it is another one than ever before.
    pub(super) fn see(&mut self, facts: TopicFacts) -> bool {
        self.first.get_or_insert(facts.partitions);
        let Some(id) = facts.id.filter(|id| !self.ids.contains(id)) else { return false };
        self.ids.push(id);
        self.ids.len() > 1
    }

    /// The newest of them, as Kafka's tools print it.
    pub(super) fn id(&self) -> Option<String> {
        self.ids.last().map(ToString::to_string)
    }

    /// Whether the log of this partition is younger than this process.
    pub(super) fn is_young(&self, partition: i32) -> bool {
        self.ids.len() > 1 || self.first.is_some_and(|first| partition >= first)
    }
}

#[cfg(test)]
mod tests {
    use super::{SeenTopic, TopicFacts, TopicId};

    #[test]
    fn a_topic_is_made_anew_once_for_each_new_id() {
        let mut seen = SeenTopic::default();
        let mut see = |id: Option<u128>| seen.see(TopicFacts { id: id.map(TopicId), partitions: 1 });
        assert_eq!([None, Some(1), Some(1), None].map(&mut see), [false; 4], "the first one is the one that is read");
        assert_eq!([2, 1, 2].map(|id| see(Some(id))), [true, false, false], "a broker knew it later than another");
        assert!(see(Some(3)));
    }

    #[test]
    fn what_was_not_there_at_first_is_young() {
        let mut seen = SeenTopic::default();
        assert!(!seen.is_young(7), "nothing is known");
        let mut see = |id: u128, partitions| {
            seen.see(TopicFacts { id: Some(TopicId(id)), partitions });
            [0, 1, 2].map(|partition| seen.is_young(partition))
        };
        assert_eq!(see(1, 2), [false, false, true]);
        assert_eq!(see(1, 3), [false, false, true], "it stays young");
        assert_eq!(see(2, 3), [true; 3]);
    }
}
