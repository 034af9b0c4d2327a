//! Flood: when too much becomes dead letters, the partition stops instead of emptying into them.
//!
//! In: what was delivered, what is about to be set aside, and records at which a function fails that nothing proves to be at fault.
//! Out: leave to set aside, or the word to wait for people.
//! Never: lets a record become a dead letter after it has closed, until somebody opens it again.

/// One partition: counts in a row, in a window, and their share. Pure.
mod gauge;
/// Records that keep their place although the function fails at them.
mod hold;

use crate::assignment::TopicPartition;
use crate::condition::{Condition, Part};
use domain::offset::Offset;
use gauge::Gauge;
pub use gauge::{Cause, FloodLimits};
pub use hold::Hold;
use hold::Holds;
use runtime::clock::SharedClock;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The guard of all partitions of this process; clones are the same one.
#[derive(Clone)]
pub struct Flood {
    parts: Arc<Parts>,
}

struct Parts {
    limits: FloodLimits,
    clock: SharedClock,
    condition: Condition,
    partitions: Mutex<HashMap<TopicPartition, Gauge>>,
    holds: Holds,
    /// Changes whenever somebody opens what is stopped.
    opened: watch::Sender<()>,
}

/// What became of letters that are about to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// So many may be, from the first on.
    Granted(u64),
    /// None of them: the partition was stopped, and somebody has opened it meanwhile.
    Opened,
}

impl Flood {
    pub fn new(limits: FloodLimits, clock: SharedClock, condition: Condition) -> Self {
        let (partitions, holds, opened) = (Mutex::default(), Holds::new(condition.clone()), watch::Sender::new(()));
        Self { parts: Arc::new(Parts { limits, clock, condition, partitions, holds, opened }) }
    }

    /// Records were delivered.
    pub fn delivered(&self, at: &TopicPartition, records: u64) {
        if records > 0 {
            let now = self.parts.clock.now();
            self.gauges().entry(at.clone()).or_default().delivered(records, now, &self.parts.limits);
        }
    }

    /// Leave to set letters aside, the first of which stands at `first`; `rows` are how many they are, parted where something was delivered
    /// between them. Waits as long as the partition is stopped. May be dropped at any time.
    pub async fn leave(&self, at: &TopicPartition, first: Offset, rows: &[u64]) -> Leave {
        // Before the look, so that an opening between look and wait is not missed.
        let mut opened = self.parts.opened.subscribe();
        let cause = match self.ask(at, rows) {
            Ok(granted) => return Leave::Granted(granted),
            Err(cause) => cause,
        };
        self.show();
        tracing::error!(
            topic = &*at.topic,
            partition = at.partition,
            offset = first.0,
            records = rows.iter().sum::<u64>(),
            "dead letters flood: {cause}; the partition is stopped with its offsets intact"
        );
        // The other end lives as long as this.
        let _ = opened.changed().await;
        Leave::Opened
    }

    /// The record at `offset` fails by itself, and so does everything else that `function` gets: it keeps its place until that is over, or
    /// somebody opens the partition. Its partition counts as stopped as long as what this gives lives.
    pub fn hold(&self, at: &TopicPartition, offset: Offset, function: &str) -> Hold {
        self.parts.holds.begin(at, offset, function, self.parts.opened.subscribe())
    }

    /// What is granted counts as set aside.
    fn ask(&self, at: &TopicPartition, rows: &[u64]) -> Result<u64, Cause> {
        let now = self.parts.clock.now();
        self.gauges().entry(at.clone()).or_default().set_aside(rows, now, &self.parts.limits)
    }

    /// The partitions that are stopped, and why.
    pub fn stopped(&self) -> BTreeMap<TopicPartition, String> {
        let mut stopped = self.parts.holds.all();
        stopped.extend(self.closed().into_iter().map(|(at, cause)| (at, cause.to_string())));
        stopped
    }

    fn closed(&self) -> BTreeMap<TopicPartition, Cause> {
        self.gauges().iter().filter_map(|(at, gauge)| Some((at.clone(), gauge.cause()?))).collect()
    }

    /// Opens what is stopped, and says what that was: people have looked at it. Counting starts anew, and what is held is set aside.
    pub fn open(&self) -> Vec<TopicPartition> {
        let opened: Vec<TopicPartition> = self.stopped().into_keys().collect();
        self.gauges().retain(|at, _| !opened.contains(at));
        self.show();
        self.parts.opened.send_replace(());
        opened
    }

    /// Partitions that are not ours any more are somebody else's to judge.
    pub fn forget(&self, at: &TopicPartition) {
        self.gauges().remove(at);
        self.show();
    }

    /// Readiness names every partition that is stopped by its dead letters.
    fn show(&self) {
        let each = |(at, cause): (TopicPartition, Cause)| format!("{at} is stopped: {cause}");
        let stopped: Vec<String> = self.closed().into_iter().map(each).collect();
        if stopped.is_empty() {
            return self.parts.condition.clear(Part::Flood);
        }
        self.parts.condition.complain(
            Part::Flood,
            format!("{}; nothing more of it is set aside until it is opened", stopped.join("; ")),
        );
    }

    /// Topic, partition and reason of what is stopped.
    pub fn json(&self) -> Value {
        let one =
            |(at, why): (TopicPartition, String)| json!({ "topic": &*at.topic, "partition": at.partition, "why": why });
        self.stopped().into_iter().map(one).collect()
    }

    fn gauges(&self) -> MutexGuard<'_, HashMap<TopicPartition, Gauge>> {
        self.parts.partitions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Flood, FloodLimits, Leave};
    use crate::assignment::TopicPartition;
    use crate::condition::Condition;
    use domain::offset::Offset;
    use runtime::clock::ManualClock;
    use std::sync::Arc;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_stopped_partition_waits_alone_until_it_is_opened_and_counts_anew() {
        let limits = FloodLimits { in_a_row: 3, ..FloodLimits::default() };
        let condition = Condition::default();
        let flood = Arc::new(Flood::new(limits, Arc::new(ManualClock::default()), condition.clone()));
        let (stopped, other) = (TopicPartition::new("t", 1), TopicPartition::new("t", 2));
        assert_eq!(flood.leave(&stopped, Offset(7), &[5]).await, Leave::Granted(3));
        let waiting = tokio::spawn({
            let (flood, at) = (flood.clone(), stopped.clone());
            async move { flood.leave(&at, Offset(10), &[2]).await }
        });
        assert_eq!(flood.leave(&other, Offset(7), &[3]).await, Leave::Granted(3));
        tokio::select! {
            biased;
            _ = flood.leave(&other, Offset(8), &[1]) => panic!("the other one had as many"),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        assert!(condition.why().unwrap().contains("t/2"), "both are named: {:?}", condition.why());
        flood.forget(&other);
        assert!(!condition.why().unwrap().contains("t/2"), "it is somebody else's now");
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert!(!waiting.is_finished());
        assert!(condition.why().unwrap().contains("t/1"), "{:?}", condition.why());
        assert_eq!(flood.open(), std::slice::from_ref(&stopped));
        assert_eq!(waiting.await.unwrap(), Leave::Opened);
        assert_eq!((condition.why(), flood.stopped().len()), (None, 0));
        assert_eq!(flood.leave(&stopped, Offset(10), &[2]).await, Leave::Granted(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_is_held_stops_its_partition_until_it_is_let_go_or_somebody_opens_it() {
        let condition = Condition::default();
        let flood = Flood::new(FloodLimits::default(), Arc::new(ManualClock::default()), condition.clone());
        let at = TopicPartition::new("t", 1);
        let (first, mut second) = (flood.hold(&at, Offset(7), "f"), flood.hold(&at, Offset(9), "f"));
        assert_eq!(flood.stopped().len(), 1, "two lanes of one partition");
        let why = condition.why().unwrap();
        assert!(why.contains("t/1 is stopped: function f fails at offset 7 alone"), "{why}");
        tokio::select! {
            biased;
            () = second.opened() => panic!("nobody opened it"),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        drop(first);
        assert!(condition.why().unwrap().contains("offset 9"), "{:?}", condition.why());
        assert_eq!(flood.open(), [at]);
        second.opened().await;
        drop(second);
        assert_eq!((condition.why(), flood.stopped().len()), (None, 0));
    }
}
