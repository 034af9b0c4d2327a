//! Partitions whose reading goes back: their log was cut, or the topic made anew.
//!
//! What was read so far may be nowhere else any more, so it is still delivered, but nothing of it is committed: offsets are those of other
//! records now. So it stays with its generation, a new one begins where reading goes on, and the group's offset goes back there.

use super::outset::Outset;
use super::seat::Seat;
use super::{Desk, suspects};
use crate::assignment::{Held, TopicPartition};
use crate::event::Event;
use domain::offset::NextOffset;
use kafka_client::topic_facts::TopicFacts;

/// How long after another topic was seen its log is asked where it begins: every broker knows of it by then, and none answers for the old one.
const SETTLED_MS: i64 = 1_000;

/// A partition went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    pub at: TopicPartition,
    /// Up to where it was read, or committed.
    pub from: i64,
    /// Where reading goes on.
    pub to: i64,
    pub why: Other,
}

/// How it is known that a log is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Other {
    /// It ends before what was read or committed, or has another record there.
    Log,
    /// Another topic stands behind the name.
    Topic,
}

impl Desk {
    /// With what Kafka said of the topics at the start.
    pub fn knowing(mut self, facts: Vec<(String, TopicFacts)>) -> Self {
        for (topic, facts) in facts {
            self.topic_seen(&topic, facts, 0);
        }
        self
    }

    /// A record at `to` came that is not the one which was read there.
    pub(super) fn go_back(&mut self, topic: &str, partition: i32, to: i64) {
        let Some(seat) = self.seats.find(topic, partition).filter(|seat| seat.is_open()) else { return };
        let held = seat.held().clone();
        self.begin_anew(&held, to, Other::Log);
    }

    /// How a topic is now, as asked for at `now_ms`. Another topic than before is read from its beginning, and that goes for partitions on their way
    /// to another owner too: what was read is not of its log.
    pub fn topic_seen(&mut self, topic: &str, facts: TopicFacts, now_ms: i64) {
        if !self.seats.seen(topic).is_some_and(|seen| seen.see(facts)) {
            return;
        }
        let of_it = self.seats.iter().filter(|seat| *seat.held().at.topic == *topic);
        let all: Vec<_> = of_it.map(|seat| (seat.held().clone(), seat.is_open())).collect();
        for (held, open) in all {
            if !open {
                self.ledger.go_back(&held, NextOffset(0));
                continue;
            }
            self.begin_anew(&held, 0, Other::Topic);
            if let Some(seat) = self.seats.find(topic, held.at.partition) {
                seat.outset = Some(Outset::Beginning { from_ms: now_ms + SETTLED_MS });
            }
        }
    }

    /// A look at the log of a partition may have shown that it ends before what was read.
    pub(super) fn check_log(&mut self, held: &Held) {
        let Some(seat) = self.seats.held(held).filter(|seat| seat.is_open()) else { return };
        if let Some(to) = seat.trail.anew() {
            self.begin_anew(held, to, Other::Log);
        }
    }

    /// What there is to tell of partitions that went back, in order.
    pub fn take_returns(&mut self) -> Vec<Return> {
        std::mem::take(&mut self.returns)
    }

    fn begin_anew(&mut self, held: &Held, to: i64, why: Other) {
        let plan = self.seats.plan(&held.at.topic);
        let (Some(plan), Some(mut old)) = (plan, self.seats.remove(held)) else { return };
        // Whatever room there is: it is no more than one partition may hold.
        for mut batch in old.finish(self.now) {
            self.memory.take(plan, batch.bytes);
            batch.suspects = suspects(&self.ledger, &batch);
            self.outbox.push(Event::Closed(Box::new(batch)));
        }
        self.generation.0 += 1;
        let new = Held { at: held.at.clone(), generation: self.generation };
        self.ledger.go_back(&new, NextOffset(to));
        // A log that was cut holds others at the same offsets.
        let log = match why {
            Other::Log => None,
            Other::Topic => self.seats.seen(&held.at.topic).and_then(|seen| seen.id()),
        };
        let mut seat = Seat::new(&new, &self.settings, log.as_deref()).in_place_of(&old);
        seat.trail = match why {
            Other::Log => old.trail.back(to, self.wall_ms),
            Other::Topic => old.trail.of_another_topic(self.wall_ms),
        };
        self.seats.insert(seat);
        self.outbox.push(Event::Assigned(vec![new]));
        let from = old.trail.place().unwrap_or(to);
        self.returns.push(Return { at: held.at.clone(), from, to, why });
    }
}
