//! All owned partitions, found by topic and number without an allocation.

use super::seat::Seat;
use crate::assignment::Held;
use crate::batch::Batch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The seats of the configured topics; there are few topics.
#[derive(Debug)]
pub(super) struct Seats {
    topics: Vec<Topic>,
}

#[derive(Debug)]
struct Topic {
    name: Arc<str>,
    seats: BTreeMap<i32, Seat>,
}

impl Seats {
    pub(super) fn new(topics: &[String]) -> Self {
        let topic = |name: &String| Topic { name: Arc::from(name.as_str()), seats: BTreeMap::new() };
        Self { topics: topics.iter().map(topic).collect() }
    }

    /// How many topics are configured.
    pub(super) fn topics(&self) -> usize {
        self.topics.len()
    }

    /// The place of a configured topic.
    pub(super) fn topic(&self, topic: &str) -> Option<usize> {
        self.topics.iter().position(|known| *known.name == *topic)
    }

    /// The shared name of a configured topic.
    pub(super) fn name(&self, topic: &str) -> Option<Arc<str>> {
        self.topics.iter().find(|known| *known.name == *topic).map(|known| known.name.clone())
    }

    pub(super) fn insert(&mut self, seat: Seat) {
        let at = seat.held().at.clone();
        if let Some(topic) = self.topics.iter_mut().find(|topic| topic.name == at.topic) {
            topic.seats.insert(at.partition, seat);
        }
    }

    pub(super) fn find(&mut self, topic: &str, partition: i32) -> Option<&mut Seat> {
        self.topics.iter_mut().find(|known| *known.name == *topic)?.seats.get_mut(&partition)
    }

    /// The seat of this very generation.
    pub(super) fn held(&mut self, held: &Held) -> Option<&mut Seat> {
        self.find(&held.at.topic, held.at.partition).filter(|seat| seat.held() == held)
    }

    /// The seat of this very generation, to look at.
    pub(super) fn see(&self, held: &Held) -> Option<&Seat> {
        let topic = self.topics.iter().find(|known| known.name == held.at.topic)?;
        topic.seats.get(&held.at.partition).filter(|seat| seat.held() == held)
    }

    /// Takes the seat of this very generation away.
    pub(super) fn remove(&mut self, held: &Held) -> Option<Seat> {
        self.held(held)?;
        self.topics.iter_mut().find(|topic| topic.name == held.at.topic)?.seats.remove(&held.at.partition)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Seat> {
        self.topics.iter().flat_map(|topic| topic.seats.values())
    }

    /// Every seat with the place of its topic.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Seat)> {
        let topics = self.topics.iter_mut().enumerate();
        topics.flat_map(|(nth, topic)| topic.seats.values_mut().map(move |seat| (nth, seat)))
    }

    /// Partition and lane of a topic's oldest closed batch, of the lanes that may by the number of their outstanding batches.
    pub(super) fn oldest(&self, topic: usize, may: impl Fn(usize) -> bool) -> Option<(i32, usize)> {
        let seats = self.topics.get(topic)?.seats.iter();
        let closed = seats.filter_map(|(partition, seat)| seat.oldest(&may).map(|(at, lane)| (at, *partition, lane)));
        closed.min().map(|(_, partition, lane)| (partition, lane))
    }

    /// Takes the next batch of a lane.
    pub(super) fn take(&mut self, topic: usize, (partition, lane): (i32, usize)) -> Option<Batch> {
        self.topics.get_mut(topic)?.seats.get_mut(&partition)?.next_batch(lane)
    }

    /// Shuts these seats, or all of them.
    pub(super) fn shut(&mut self, partitions: Option<&[(String, i32)]>) -> Vec<Held> {
        let named = |held: &Held| {
            partitions.is_none_or(|list| list.iter().any(|(t, p)| **t == *held.at.topic && *p == held.at.partition))
        };
        let shut = self.iter_mut().map(|(_, seat)| seat).filter(|seat| named(seat.held())).map(|seat| {
            seat.shut();
            seat.held().clone()
        });
        shut.collect()
    }
}
