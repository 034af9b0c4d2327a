//! All owned partitions, found by topic and number without an allocation.

use super::seat::Seat;
use super::seen_topic::SeenTopic;
use crate::assignment::Held;
use crate::batch::Batch;
use crate::topic::TopicPlan;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The seats of the configured topics and of their retry topics; there are few topics.
#[derive(Debug)]
pub(super) struct Seats {
    topics: Vec<Topic>,
}

#[derive(Debug)]
struct Topic {
    name: Arc<str>,
    /// The place of its plan; a retry topic has that of its topic.
    plan: usize,
    function: String,
    /// How many records a batch may have now.
    records: usize,
    seen: SeenTopic,
    seats: BTreeMap<i32, Seat>,
}

/// Where a closed batch waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    topic: usize,
    partition: i32,
    lane: usize,
}

impl Seats {
    /// A batch has up to `records` at first.
    pub(super) fn new(plans: &[TopicPlan], records: usize) -> Self {
        let of = |(plan, topic): (usize, &TopicPlan)| {
            let one = |name: &str| Topic {
                name: Arc::from(name),
                plan,
                function: topic.function.clone(),
                records,
                seen: SeenTopic::default(),
                seats: BTreeMap::new(),
            };
            topic.names().map(one).collect::<Vec<_>>()
        };
        Self { topics: plans.iter().enumerate().flat_map(of).collect() }
    }

    /// The place of the plan that speaks of a topic or retry topic.
    pub(super) fn plan(&self, topic: &str) -> Option<usize> {
        self.topics.iter().find(|known| *known.name == *topic).map(|known| known.plan)
    }

    /// The shared name of a configured topic.
    pub(super) fn name(&self, topic: &str) -> Option<Arc<str>> {
        self.topics.iter().find(|known| *known.name == *topic).map(|known| known.name.clone())
    }

    /// What was seen of a configured topic.
    pub(super) fn seen(&mut self, topic: &str) -> Option<&mut SeenTopic> {
        self.topics.iter_mut().find(|known| *known.name == *topic).map(|known| &mut known.seen)
    }

    pub(super) fn insert(&mut self, mut seat: Seat) {
        let at = seat.held().at.clone();
        if let Some(topic) = self.topics.iter_mut().find(|topic| topic.name == at.topic) {
            seat.limit_batches(topic.records);
            topic.seats.insert(at.partition, seat);
        }
    }

    /// How many records a batch of this function may have from now on.
    pub(super) fn limit_batches(&mut self, function: &str, records: usize) {
        for topic in self.topics.iter_mut().filter(|topic| topic.function == function) {
            topic.records = records;
            topic.seats.values_mut().for_each(|seat| seat.limit_batches(records));
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

    /// Every seat with the place of its plan.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Seat)> {
        self.topics.iter_mut().flat_map(|topic| {
            let plan = topic.plan;
            topic.seats.values_mut().map(move |seat| (plan, seat))
        })
    }

    /// Where the oldest closed batch of a plan waits, of the lanes that may by the number of their outstanding batches.
    pub(super) fn oldest(&self, plan: usize, may: impl Fn(usize) -> bool) -> Option<Place> {
        let topics = self.topics.iter().enumerate().filter(|(_, topic)| topic.plan == plan);
        let seats =
            topics.flat_map(|(topic, of)| of.seats.iter().map(move |(partition, seat)| (topic, *partition, seat)));
        let closed = seats.filter_map(|(topic, partition, seat)| {
            seat.oldest(&may).map(|(at, lane)| (at, Place { topic, partition, lane }))
        });
        closed.min().map(|(_, place)| place)
    }

    /// Takes the next batch of a lane.
    pub(super) fn take(&mut self, Place { topic, partition, lane }: Place) -> Option<Batch> {
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
