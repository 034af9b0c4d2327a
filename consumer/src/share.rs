//! Who is next when something is short: topics share it by their weights. Pure: no clock, no randomness.

/// The heaviest that a topic may be.
pub const MOST_WEIGHT: u32 = 20;

/// What one turn of a topic of weight 1 costs: divisible by every weight there may be, so that shares are exact.
const ROUND: u128 = 232_792_560;

/// Each topic that is ready carries a tag: the virtual time at which its next turn would be over, if it had its share from now on.
/// The smallest tag goes next, and time is what the last turn's tag said; of equal tags the one that is older goes first.
///
/// From this follows: while all are ready, every round of as many turns as all weights together gives each topic exactly its
/// weight, and heavy ones go first. One that waits, of weight `w`, sees at most `v / w` (rounded up) turns of another of weight
/// `v`. One that is not ready loses its tag: it saves nothing up and owes nothing.
#[derive(Debug, Clone)]
pub struct Shares {
    topics: Vec<Topic>,
    time: u128,
    tags: u64,
}

#[derive(Debug, Clone)]
struct Topic {
    weight: u32,
    tag: Option<Tag>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Tag {
    over: u128,
    nth: u64,
}

impl Shares {
    /// One weight a topic, each 1 to [`MOST_WEIGHT`]; what is out of range counts as the nearest that is not.
    pub fn new(weights: impl IntoIterator<Item = u32>) -> Self {
        let topic = |weight: u32| Topic { weight: weight.clamp(1, MOST_WEIGHT), tag: None };
        Self { topics: weights.into_iter().map(topic).collect(), time: 0, tags: 0 }
    }

    /// Gives the turn to one of those that are ready, by its place in the list of weights; `None` when there are none. To be asked
    /// only when there is a turn to give.
    pub fn next(&mut self, ready: impl Fn(usize) -> bool) -> Option<usize> {
        for (nth, topic) in self.topics.iter_mut().enumerate() {
            if !ready(nth) {
                topic.tag = None;
            } else if topic.tag.is_none() {
                self.tags += 1;
                topic.tag = Some(Tag { over: self.time + ROUND / u128::from(topic.weight), nth: self.tags });
            }
        }
        let tagged = self.topics.iter().enumerate().filter_map(|(nth, topic)| Some((topic.tag?, nth)));
        let (tag, nth) = tagged.min()?;
        self.time = tag.over;
        self.topics[nth].tag = None;
        Some(nth)
    }
}

#[cfg(test)]
mod tests {
    use super::Shares;

    #[test]
    fn the_heaviest_goes_first_and_the_lightest_within_the_round() {
        let mut shares = Shares::new([1, 4, 2]);
        let turns: Vec<usize> = std::iter::from_fn(|| shares.next(|_| true)).take(14).collect();
        assert_eq!(turns, [1, 2, 1, 1, 0, 2, 1, 1, 2, 1, 1, 0, 2, 1]);
    }

    #[test]
    fn alone_it_has_every_turn_and_owes_nothing_for_that() {
        let mut shares = Shares::new([1, 1]);
        assert!((0..1_000).all(|_| shares.next(|topic| topic == 0) == Some(0)));
        let turns: Vec<usize> = std::iter::from_fn(|| shares.next(|_| true)).take(4).collect();
        assert_eq!(turns, [0, 1, 0, 1]);
        assert_eq!(shares.next(|_| false), None);
    }
}
