//! The memory that batches may hold, by topic: half of it is reserved by weight, so that a topic which is stuck cannot take it all, and
//! the other half is common. With one topic all of it is that topic's. Pure.

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Memory {
    topics: Vec<Part>,
    /// How much all topics together may hold beyond what is reserved for each.
    common: usize,
}

#[derive(Debug)]
struct Part {
    reserved: usize,
    held: usize,
}

impl Memory {
    pub(super) fn new(bytes: usize, weights: &[u32]) -> Self {
        let all: usize = weights.iter().map(|weight| *weight as usize).sum();
        let shared_out = if weights.len() > 1 { bytes / 2 } else { bytes };
        let part = |weight: &u32| Part { reserved: shared_out / all.max(1) * *weight as usize, held: 0 };
        let topics: Vec<Part> = weights.iter().map(part).collect();
        let common = bytes - topics.iter().map(|part| part.reserved).sum::<usize>();
        Self { topics, common }
    }

    pub(super) fn take(&mut self, topic: usize, bytes: usize) {
        self.topics[topic].held += bytes;
    }

    pub(super) fn give_back(&mut self, topic: usize, bytes: usize) {
        let held = &mut self.topics[topic].held;
        *held = held.saturating_sub(bytes);
    }

    /// What all topics hold.
    pub(super) fn held(&self) -> usize {
        self.topics.iter().map(|part| part.held).sum()
    }

    /// Whether a topic has room that is reserved for it.
    pub(super) fn has_own_room(&self, topic: usize) -> bool {
        self.topics[topic].held < self.topics[topic].reserved
    }

    /// Whether there is room for whoever comes.
    pub(super) fn has_common_room(&self) -> bool {
        self.borrowed() < self.common
    }

    /// Whether a topic has room of either kind.
    pub(super) fn has_room(&self, topic: usize) -> bool {
        self.has_own_room(topic) || self.has_common_room()
    }

    /// Whether a quarter of either is free.
    pub(super) fn is_easy(&self, topic: usize) -> bool {
        let Part { reserved, held } = &self.topics[topic];
        *held < reserved / 4 * 3 || self.borrowed() < self.common / 4 * 3
    }

    fn borrowed(&self) -> usize {
        self.topics.iter().map(|part| part.held.saturating_sub(part.reserved)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[test]
    fn one_topic_has_all_of_it() {
        let mut memory = Memory::new(1_001, &[7]);
        memory.take(0, 740);
        assert!(memory.has_room(0) && memory.is_easy(0));
        memory.take(0, 200);
        assert!(memory.has_room(0) && !memory.is_easy(0));
        memory.take(0, 61);
        assert!(!memory.has_room(0) && !memory.has_common_room());
        memory.give_back(0, 1_001);
        assert!(memory.held() == 0 && memory.has_own_room(0));
    }

    #[test]
    fn a_topic_that_is_stuck_leaves_the_others_what_is_reserved_for_them() {
        let mut memory = Memory::new(1_000, &[4, 1]);
        memory.take(1, 599);
        assert!(memory.has_room(1), "its own 100, and the common half");
        memory.take(1, 1);
        assert!(!memory.has_room(1) && memory.has_own_room(0));
        memory.take(0, 399);
        assert!(memory.has_room(0) && !memory.is_easy(0));
        memory.take(0, 1);
        assert!(!memory.has_room(0));
        memory.give_back(1, 200);
        assert!(memory.has_room(0) && memory.is_easy(0));
    }
}
