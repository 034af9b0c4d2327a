//! Partitions that an error of Kafka's client has stopped: what is said of each, and when it is tried again.
//!
//! Nothing is read of such a partition until then, and then from the very place where reading stood. An error that goes on is said once a minute.

use crate::assignment::TopicPartition;
use crate::condition::{Condition, Part};
use domain::failure::FailureClass;
use kafka_client::failure::classify;
use kafka_client::partition_queues::Fault;
use rdkafka::error::RDKafkaErrorCode as Code;
use std::collections::HashMap;
use std::time::Duration;

/// How long a partition stands still after an error: it may come again at once.
const HOLD: Duration = Duration::from_secs(1);
/// Without another error for so long it is over, also when no record came.
const QUIET: Duration = Duration::from_secs(5);
/// How often the same error of a partition is said.
const AGAIN: Duration = Duration::from_secs(60);

/// See the head of the file.
pub(super) struct Faults {
    condition: Condition,
    known: HashMap<TopicPartition, Known>,
}

struct Known {
    code: Option<Code>,
    came: Duration,
    said: Duration,
    /// It was not tried again yet.
    waits: bool,
}

impl Faults {
    pub(super) fn new(condition: Condition) -> Self {
        Self { condition, known: HashMap::new() }
    }

    /// An error stopped a partition.
    pub(super) fn note(&mut self, at: &TopicPartition, fault: &Fault, now: Duration) {
        let code = fault.error.rdkafka_error_code();
        let before = self.known.get(at).filter(|known| known.code == code).map(|known| known.said);
        let said = before.filter(|said| now.saturating_sub(*said) < AGAIN).unwrap_or_else(|| {
            self.say(at, code, fault);
            now
        });
        self.known.insert(at.clone(), Known { code, came: now, said, waits: true });
    }

    /// Which partitions are tried again now; those whose errors are over, or that are not `owned` any more, are forgotten.
    pub(super) fn take_due(&mut self, now: Duration, owned: impl Fn(&TopicPartition) -> bool) -> Vec<TopicPartition> {
        let mut due = Vec::new();
        for (at, known) in &mut self.known {
            if known.waits && now >= known.came + HOLD {
                known.waits = false;
                due.push(at.clone());
            }
        }
        let condition = &self.condition;
        self.known.retain(|at, known| {
            let keep = owned(at) && (known.waits || now < known.came + QUIET);
            if !keep {
                condition.clear_about(Part::Poll, &at.to_string());
            }
            keep
        });
        due
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// A record of this partition came.
    pub(super) fn over(&mut self, topic: &str, partition: i32) {
        if self.known.is_empty() {
            return;
        }
        let at = TopicPartition::new(topic, partition);
        if self.known.remove(&at).is_some() {
            self.condition.clear_about(Part::Poll, &at.to_string());
        }
    }

    /// Most errors pass by themselves. The others need somebody, and show until then.
    fn say(&self, at: &TopicPartition, code: Option<Code>, fault: &Fault) {
        let (topic, partition, offset, error) = (&*at.topic, at.partition, fault.offset, &fault.error);
        let complain = |why: String| self.condition.complain_about(Part::Poll, &at.to_string(), why);
        if code.is_some_and(is_unreadable) {
            tracing::error!(
                topic,
                partition,
                offset,
                %error,
                "records cannot be read: the partition stands still there, until they can or somebody moves the group's offset"
            );
            complain(format!("records of {at} cannot be read: {error}"));
        } else if code.map_or(FailureClass::Transient, classify) == FailureClass::Ours {
            tracing::error!(topic, partition, offset, %error, "a partition is refused: Kafka does not let us read it");
            complain(format!("Kafka refuses us {at}: {error}"));
        } else {
            tracing::warn!(topic, partition, offset, %error, "a partition cannot be read for now");
        }
    }
}

/// What lies there is damaged, or nothing that this client knows.
fn is_unreadable(code: Code) -> bool {
    matches!(
        code,
        Code::BadMessage
            | Code::BadCompression
            | Code::InvalidMessage
            | Code::InvalidMessageSize
            | Code::MessageSizeTooLarge
            | Code::NotImplemented
    )
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, Code, Condition, Fault, Faults, HOLD, QUIET, TopicPartition};
    use rdkafka::error::KafkaError;
    use std::time::Duration;

    fn fault(code: Code) -> Fault {
        Fault { error: KafkaError::MessageConsumption(code), offset: Some(7) }
    }

    fn one() -> (Faults, Condition, TopicPartition) {
        let condition = Condition::default();
        (Faults::new(condition.clone()), condition, TopicPartition::new("t", 3))
    }

    #[test]
    fn a_partition_is_tried_again_once_after_each_error_and_complained_of_until_a_record_comes() {
        let (mut faults, condition, at) = one();
        faults.note(&at, &fault(Code::TopicAuthorizationFailed), Duration::ZERO);
        assert!(condition.why().unwrap().contains("t/3"));
        assert_eq!(faults.take_due(HOLD / 2, |_| true), []);
        assert_eq!(faults.take_due(HOLD, |_| true), std::slice::from_ref(&at));
        assert_eq!(faults.take_due(HOLD, |_| true), []);
        faults.note(&at, &fault(Code::TopicAuthorizationFailed), HOLD);
        assert_eq!(faults.take_due(HOLD * 2, |_| true), std::slice::from_ref(&at));
        faults.over("t", 2);
        assert!(condition.why().is_some());
        faults.over("t", 3);
        assert_eq!(condition.why(), None);
    }

    #[test]
    fn what_is_quiet_or_gone_is_over() {
        let (mut faults, condition, at) = one();
        faults.note(&at, &fault(Code::BadMessage), Duration::ZERO);
        assert_eq!(faults.take_due(QUIET, |_| true), std::slice::from_ref(&at), "nobody looked meanwhile");
        assert_eq!(condition.why(), None);
        faults.note(&at, &fault(Code::BadMessage), QUIET);
        assert_eq!((faults.take_due(QUIET, |_| false).len(), condition.why()), (0, None));
    }

    #[test]
    fn an_error_that_goes_on_is_said_once_a_minute() {
        let (mut faults, _, at) = one();
        let said = |faults: &Faults| faults.known[&at].said;
        for second in 0..120 {
            faults.note(&at, &fault(Code::TopicAuthorizationFailed), HOLD * second);
            assert_eq!(said(&faults), if HOLD * second < AGAIN { Duration::ZERO } else { AGAIN });
        }
        faults.note(&at, &fault(Code::BadMessage), HOLD * 119);
        assert_eq!(said(&faults), HOLD * 119, "another error is news");
    }
}
