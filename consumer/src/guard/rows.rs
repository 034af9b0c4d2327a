//! Who waits for a call: a row for each topic, first come first served within, and weights between. Pure.

use crate::share::Shares;
use crate::topic::TopicPlan;
use std::collections::VecDeque;

/// See the head of the file. `W` is who waits.
#[derive(Debug)]
pub(super) struct Rows<W> {
    rows: Vec<VecDeque<(Place, W)>>,
    shares: Shares,
    places: u64,
}

/// Names one who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u64);

impl<W> Rows<W> {
    pub(super) fn new(topics: &[TopicPlan]) -> Self {
        let rows = topics.iter().map(|_| VecDeque::new()).collect();
        Self { rows, shares: Shares::new(topics.iter().map(|topic| topic.weight)), places: 0 }
    }

    /// At the end of the topic's row.
    pub(super) fn join(&mut self, topic: usize, who: W) -> Place {
        self.places += 1;
        let place = Place(self.places);
        if let Some(row) = self.rows.get_mut(topic) {
            row.push_back((place, who));
        }
        place
    }

    /// Waits no longer; nothing when its turn came already.
    pub(super) fn leave(&mut self, topic: usize, place: Place) {
        if let Some(row) = self.rows.get_mut(topic) {
            row.retain(|(waiting, _)| *waiting != place);
        }
    }

    /// How many of a topic wait.
    pub(super) fn waiting(&self, topic: usize) -> usize {
        self.rows.get(topic).map_or(0, VecDeque::len)
    }

    /// The topics of which somebody waits.
    pub(super) fn topics(&self) -> impl Iterator<Item = usize> {
        self.rows.iter().enumerate().filter(|(_, row)| !row.is_empty()).map(|(topic, _)| topic)
    }

    /// Takes the next who may go out of its row; `may_go` says which topics may.
    pub(super) fn next(&mut self, may_go: impl Fn(usize) -> bool) -> Option<(usize, W)> {
        let rows = &self.rows;
        let topic = self.shares.next(|topic| !rows[topic].is_empty() && may_go(topic))?;
        self.rows[topic].pop_front().map(|(_, who)| (topic, who))
    }
}

#[cfg(test)]
mod tests {
    use super::{Rows, TopicPlan};

    fn rows() -> Rows<&'static str> {
        let mut rows = Rows::new(&[TopicPlan::new("a", 1, "f"), TopicPlan::new("b", 2, "f")]);
        for (topic, who) in [(0, "a1"), (0, "a2"), (1, "b1"), (1, "b2"), (1, "b3"), (1, "b4")] {
            rows.join(topic, who);
        }
        rows
    }

    fn all(rows: &mut Rows<&'static str>, may_go: impl Fn(usize) -> bool) -> Vec<&'static str> {
        std::iter::from_fn(|| rows.next(&may_go).map(|(_, who)| who)).collect()
    }

    #[test]
    fn weights_decide_between_topics_and_the_order_of_coming_within() {
        assert_eq!(all(&mut rows(), |_| true), ["b1", "a1", "b2", "b3", "a2", "b4"]);
    }

    #[test]
    fn a_topic_that_may_not_go_holds_nobody_up_and_keeps_its_row() {
        let mut rows = rows();
        assert_eq!(all(&mut rows, |topic| topic == 1), ["b1", "b2", "b3", "b4"]);
        assert_eq!((rows.waiting(0), rows.topics().collect::<Vec<_>>()), (2, vec![0]));
        assert_eq!(all(&mut rows, |_| true), ["a1", "a2"]);
    }

    #[test]
    fn one_that_leaves_takes_nobody_with_it() {
        let mut rows = rows();
        let place = rows.join(1, "b5");
        rows.leave(1, place);
        rows.leave(1, place);
        assert_eq!(all(&mut rows, |topic| topic == 1).len(), 4);
    }
}
