//! What follows when records of a log are gone, or the log is another one: a line, a count, and an alarm for a while.

use crate::assignment::TopicPartition;
use crate::condition::{Condition, Part};
use crate::desk::{Other, Return};
use crate::lag::{Lost, Why};
use crate::metrics::Meters;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long this consumer shows an alarm and is not ready; the counts stay.
const ALARM: Duration = Duration::from_secs(60);

/// The alarms, and when they are over.
pub(super) struct Mishaps {
    meters: Arc<Meters>,
    condition: Condition,
    alarms: Mutex<Vec<(Part, Duration)>>,
}

impl Mishaps {
    pub(super) fn new(meters: Arc<Meters>, condition: Condition) -> Self {
        Self { meters, condition, alarms: Mutex::default() }
    }

    /// Records of `at` are lost for good.
    pub(super) fn lost(&self, at: &TopicPartition, lost: Lost, now: Duration) {
        let Lost { from, to, why } = lost;
        let (topic, partition, records) = (&*at.topic, at.partition, lost.records());
        self.meters.lost_by_retention.add(records);
        let last = to - 1;
        let sentence = match why {
            Why::Deleted => {
                tracing::error!(
                    topic,
                    partition,
                    offset = from,
                    available_from = to,
                    records,
                    "retention deleted records before they were read: they are lost to this group"
                );
                format!("retention deleted {records} records of {at} before they were read: offsets {from} to {last}")
            }
            Why::Skipped => {
                tracing::error!(
                    topic,
                    partition,
                    offset = from,
                    read_from = to,
                    records,
                    "records are skipped: the offset to go on from was gone, and consumer.start is \"latest\""
                );
                format!("up to {records} records of {at} are skipped (consumer.start): offsets {from} to {last}")
            }
        };
        self.alarm(Part::Retention, sentence, now);
    }

    /// Reading of a partition went back.
    pub(super) fn went_back(&self, back: &Return, now: Duration) {
        let Return { at, from, to, why } = back;
        let (topic, partition, offset) = (&*at.topic, at.partition, *to);
        self.meters.log_resets.add(1);
        let sentence = match why {
            Other::Log => {
                tracing::error!(
                    topic,
                    partition,
                    offset,
                    read_up_to = from,
                    "the log ends before what was read or committed: it was cut, or the topic made anew; the group's offset goes back to where reading goes on"
                );
                format!(
                    "the log of {at} ends before offset {from}, up to which it was read or committed: it was cut, or the topic made anew; reading goes on at {to}"
                )
            }
            Other::Topic => {
                tracing::error!(
                    topic,
                    partition,
                    offset,
                    read_up_to = from,
                    "the topic was deleted and made anew: it is read from its beginning, and the group's offset goes back there"
                );
                format!(
                    "topic {topic} was deleted and made anew: {at} was read or committed up to {from}, and is read from its beginning"
                )
            }
        };
        self.alarm(Part::Log, sentence, now);
    }

    /// Ends alarms when it is time.
    pub(super) fn tick(&self, now: Duration) {
        for (part, _) in self.alarms().extract_if(.., |(_, until)| now >= *until) {
            self.condition.clear(part);
        }
    }

    fn alarm(&self, part: Part, sentence: String, now: Duration) {
        self.condition.complain(part, sentence);
        let mut alarms = self.alarms();
        alarms.retain(|(known, _)| *known != part);
        alarms.push((part, now + ALARM));
    }

    fn alarms(&self) -> MutexGuard<'_, Vec<(Part, Duration)>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{ALARM, Arc, Condition, Lost, Meters, Mishaps, Other, Return, TopicPartition, Why};
    use runtime::metrics::{Metrics, MetricsConfig};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn mishaps() -> (Mishaps, Arc<Meters>, Condition) {
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        let (meters, condition) = (Arc::new(Meters::new(&metrics)), Condition::default());
        (Mishaps::new(meters.clone(), condition.clone()), meters, condition)
    }

    #[test]
    fn a_loss_is_counted_for_good_and_shown_for_a_while() {
        let (mishaps, meters, condition) = mishaps();
        mishaps.lost(&TopicPartition::new("t", 3), Lost { from: 10, to: 50, why: Why::Deleted }, SECOND);
        assert_eq!(
            condition.why().unwrap(),
            "retention deleted 40 records of t/3 before they were read: offsets 10 to 49"
        );
        mishaps.tick(SECOND);
        assert!(condition.why().is_some());
        mishaps.tick(SECOND + ALARM);
        assert_eq!((condition.why(), meters.lost_by_retention.get()), (None, 40));
    }

    #[test]
    fn another_log_is_an_alarm_of_its_own() {
        let (mishaps, meters, condition) = mishaps();
        mishaps.went_back(&Return { at: TopicPartition::new("t", 3), from: 900, to: 0, why: Other::Log }, SECOND);
        mishaps.lost(&TopicPartition::new("t", 4), Lost { from: 0, to: 9, why: Why::Skipped }, SECOND * 2);
        let said = condition.why().unwrap();
        assert!(
            said.contains("up to 9 records of t/4 are skipped") && said.contains("ends before offset 900"),
            "{said}"
        );
        mishaps.tick(SECOND + ALARM);
        assert!(condition.why().unwrap().contains("t/4"), "each ends by itself");
        mishaps.tick(SECOND * 2 + ALARM);
        assert_eq!((condition.why(), meters.log_resets.get()), (None, 1));
    }
}
