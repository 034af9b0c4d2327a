//! The orders in force: of all that speak of a partition the newest decides. Pure: time is an argument.

use crate::assignment::TopicPartition;
use domain::headers::topic_of_retry;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt;

/// What an order is about: one partition, all of one topic with its retry topics, or everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// `None`: all topics, those that come later too.
    topic: Option<String>,
    /// `None`: all partitions. Never without a topic.
    partition: Option<i32>,
}

/// One order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Order {
    #[serde(flatten)]
    scope: Scope,
    #[serde(skip)]
    pause: bool,
    /// Wall clock, milliseconds since the epoch.
    since_ms: i64,
}

/// An order takes the place of all older ones about nothing but its own part, so memory is bounded by the number of partitions. An
/// order to go on is kept only while an older one would stop a part of what it is about.
#[derive(Debug, Clone, Default)]
pub struct Orders(Vec<Order>);

impl Scope {
    pub const ALL: Self = Self { topic: None, partition: None };

    pub fn topic(topic: impl Into<String>) -> Self {
        Self { topic: Some(topic.into()), partition: None }
    }

    pub fn partition(topic: impl Into<String>, partition: i32) -> Self {
        Self { topic: Some(topic.into()), partition: Some(partition) }
    }

    fn names(&self, at: &TopicPartition) -> bool {
        self.covers(Some(&at.topic), Some(at.partition))
    }

    /// Whether everything of `other` is a part of this.
    fn holds_all_of(&self, other: &Self) -> bool {
        self.covers(other.topic.as_deref(), other.partition)
    }

    fn covers(&self, topic: Option<&str>, partition: Option<i32>) -> bool {
        let (Some(own), Some(topic)) = (self.topic.as_deref(), topic) else { return self.topic.is_none() };
        match self.partition {
            Some(_) => own == topic && self.partition == partition,
            None => own == topic || topic_of_retry(topic).is_some_and(|(first, _)| first == own),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.topic, self.partition) {
            (None, _) => f.write_str("everything"),
            (Some(topic), None) => f.write_str(topic),
            (Some(topic), Some(partition)) => write!(f, "{topic}/{partition}"),
        }
    }
}

impl Orders {
    pub fn pause(&mut self, scope: Scope, now_ms: i64) {
        self.put(Order { scope, pause: true, since_ms: now_ms });
    }

    pub fn resume(&mut self, scope: Scope, now_ms: i64) {
        self.put(Order { scope, pause: false, since_ms: now_ms });
    }

    /// Whether the newest order about this partition stops it.
    pub fn holds(&self, at: &TopicPartition) -> bool {
        self.0.iter().rfind(|order| order.scope.names(at)).is_some_and(|order| order.pause)
    }

    /// What is paused since when, and what of it is not.
    pub fn json(&self) -> Value {
        let of = |pause: bool| self.0.iter().filter(|order| order.pause == pause).collect::<Vec<_>>();
        json!({ "paused": of(true), "but_not": of(false) })
    }

    fn put(&mut self, order: Order) {
        self.0.retain(|older| !order.scope.holds_all_of(&older.scope));
        let stopped = self.0.iter().any(|older| older.pause && older.scope.holds_all_of(&order.scope));
        if order.pause || stopped {
            self.0.push(order);
        }
    }
}

#[cfg(test)]
mod tests;
