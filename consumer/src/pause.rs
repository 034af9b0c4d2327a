//! Pause: what an operator has stopped by hand, and what of it he lets go on.
//!
//! In: orders to pause and to resume. Out: whether a partition is paused by hand; the desk asks, and does it with Kafka's client.
//! Never: knows of backpressure, which pauses and resumes for itself, or of who owns a partition now.

/// The orders that are in force. Pure.
mod orders;

use crate::assignment::TopicPartition;
pub use orders::{Order, Orders, Scope};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The orders of this process, forgotten with it; clones are the same ones.
#[derive(Debug, Clone, Default)]
pub struct Pauses {
    orders: Arc<Mutex<Orders>>,
}

impl Pauses {
    /// Stops a part; `now_ms` is wall clock.
    pub fn pause(&self, scope: Scope, now_ms: i64) {
        self.orders().pause(scope, now_ms);
    }

    /// Lets a part go on.
    pub fn resume(&self, scope: Scope, now_ms: i64) {
        self.orders().resume(scope, now_ms);
    }

    /// Whether this partition is paused by hand.
    pub fn holds(&self, at: &TopicPartition) -> bool {
        self.orders().holds(at)
    }

    /// The orders in force.
    pub fn json(&self) -> Value {
        self.orders().json()
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
