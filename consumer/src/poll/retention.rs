//! What follows from records that retention deleted before they were read: a line, a count, and an alarm for a while.

use crate::assignment::TopicPartition;
use crate::condition::{Condition, Part};
use crate::lag::Lost;
use crate::metrics::Meters;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long this consumer shows the alarm and is not ready; the count stays.
const ALARM: Duration = Duration::from_secs(60);

/// The alarm, and when it is over.
pub(super) struct Retention {
    meters: Arc<Meters>,
    condition: Condition,
    until: Mutex<Option<Duration>>,
}

impl Retention {
    pub(super) fn new(meters: Arc<Meters>, condition: Condition) -> Self {
        Self { meters, condition, until: Mutex::default() }
    }

    /// Records of `at` are lost for good.
    pub(super) fn tell(&self, at: &TopicPartition, lost: Lost, now: Duration) {
        let Lost { from, to } = lost;
        let records = lost.records();
        self.meters.lost_by_retention.add(records);
        tracing::error!(
            topic = &*at.topic,
            partition = at.partition,
            offset = from,
            available_from = to,
            records,
            "retention deleted records before they were read: they are lost to this group"
        );
        let why =
            format!("retention deleted {records} records of {at} before they were read: offsets {from} to {}", to - 1);
        self.condition.complain(Part::Retention, why);
        *self.until() = Some(now + ALARM);
    }

    /// Ends the alarm when it is time.
    pub(super) fn tick(&self, now: Duration) {
        let mut until = self.until();
        if until.is_some_and(|until| now >= until) {
            *until = None;
            self.condition.clear(Part::Retention);
        }
    }

    fn until(&self) -> MutexGuard<'_, Option<Duration>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{ALARM, Arc, Condition, Lost, Meters, Retention, TopicPartition};
    use runtime::metrics::{Metrics, MetricsConfig};
    use std::time::Duration;

    #[test]
    fn a_loss_is_counted_for_good_and_shown_for_a_while() {
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        let (meters, condition) = (Arc::new(Meters::new(&metrics)), Condition::default());
        let retention = Retention::new(meters.clone(), condition.clone());
        let (at, second) = (TopicPartition::new("t", 3), Duration::from_secs(1));
        retention.tell(&at, Lost { from: 10, to: 50 }, second);
        assert_eq!(
            condition.why().unwrap(),
            "retention deleted 40 records of t/3 before they were read: offsets 10 to 49"
        );
        retention.tick(second);
        assert!(condition.why().is_some());
        retention.tick(second + ALARM);
        assert_eq!((condition.why(), meters.lost_by_retention.get()), (None, 40));
    }
}
