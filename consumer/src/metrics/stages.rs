//! Time in stage: how long batches take from one station to the next. Two records speak for a batch, its oldest and its newest.

use crate::assignment::{Held, TopicPartition};
use crate::times::{Moment, Passed, Times};
use domain::offset::NextOffset;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Histogram;
use runtime::metrics::Metrics;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// From milliseconds to the hours of a standstill.
const BOUNDS: [f64; 18] =
    [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0, 14_400.0];
/// Finished batches of a partition that wait for their commit. More are not measured: something before them is stuck.
const MOST: usize = 1_024;

/// The histograms, and what is finished and not committed.
pub struct Stages {
    broker_to_poll: Histogram<f64>,
    poll_to_close: Histogram<f64>,
    close_to_call: Histogram<f64>,
    finish_to_commit: Histogram<f64>,
    broker_to_commit: Histogram<f64>,
    finished: Mutex<HashMap<TopicPartition, Waiting>>,
}

/// Batches of one partition in one generation.
struct Waiting {
    held: Held,
    batches: VecDeque<(Times, Duration)>,
}

impl Stages {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let histogram = |name, meaning| {
            metrics.meter().f64_histogram(name).with_description(meaning).with_boundaries(BOUNDS.to_vec()).build()
        };
        Self {
            broker_to_poll: histogram("comboio_consumer_poll_from_broker_seconds", "Broker timestamp to poll"),
            poll_to_close: histogram("comboio_consumer_collect_open_seconds", "Poll to the close of the batch"),
            close_to_call: histogram(
                "comboio_consumer_invoke_wait_seconds",
                "Close of the batch to its first invocation",
            ),
            finish_to_commit: histogram("comboio_consumer_commit_wait_seconds", "Batch finished to its commit"),
            broker_to_commit: histogram("comboio_consumer_commit_from_broker_seconds", "Broker timestamp to commit"),
            finished: Mutex::default(),
        }
    }

    /// The first invocation of a batch begins: three stages lie behind it.
    pub fn called(&self, times: &Times, at: Moment) {
        each(times, |passed, labels| {
            record(&self.broker_to_poll, passed.on_the_broker(at), labels);
            record(&self.poll_to_close, Some(times.closed.saturating_sub(passed.polled)), labels);
        });
        record(&self.close_to_call, Some(at.now.saturating_sub(times.closed)), &[]);
    }

    /// Every record of a batch is finished; an older generation of its partition is forgotten.
    pub fn finished(&self, held: &Held, times: Times, now: Duration) {
        let mut finished = self.waiting();
        let new = || Waiting { held: held.clone(), batches: VecDeque::new() };
        let waiting = finished.entry(held.at.clone()).or_insert_with(new);
        if waiting.held.generation < held.generation {
            *waiting = new();
        }
        if waiting.held == *held && waiting.batches.len() < MOST {
            waiting.batches.push_back((times, now));
        }
    }

    /// Kafka confirmed a commit: it ends the way of every batch below it.
    pub fn committed(&self, held: &Held, next: NextOffset, at: Moment) {
        let mut finished = self.waiting();
        let Some(waiting) = finished.get_mut(&held.at).filter(|waiting| waiting.held == *held) else { return };
        waiting.batches.retain(|(times, since)| {
            let done = times.newest.offset.next() <= next;
            if done {
                record(&self.finish_to_commit, Some(at.now.saturating_sub(*since)), &[]);
                each(times, |passed, labels| record(&self.broker_to_commit, passed.age(at), labels));
            }
            !done
        });
    }

    /// These partitions are gone, and what of them was not committed never will be.
    pub fn forget(&self, held: &[Held]) {
        self.waiting().retain(|_, waiting| !held.contains(&waiting.held));
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<TopicPartition, Waiting>> {
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn each(times: &Times, mut tell: impl FnMut(&Passed, &[KeyValue])) {
    tell(&times.oldest, &[KeyValue::new("record", "oldest")]);
    tell(&times.newest, &[KeyValue::new("record", "newest")]);
}

fn record(histogram: &Histogram<f64>, span: Option<Duration>, labels: &[KeyValue]) {
    if let Some(span) = span {
        histogram.record(span.as_secs_f64(), labels);
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Moment, Passed, Stages, Times};
    use crate::assignment::{Generation, Held, TopicPartition};
    use domain::offset::{NextOffset, Offset};
    use runtime::metrics::{Metrics, MetricsConfig};
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    fn held(generation: u64) -> Held {
        Held { at: TopicPartition::new("t", 0), generation: Generation(generation) }
    }

    /// Two records that the broker got at 100 s and 103 s, polled 1 s later each; the batch is closed at 5 s.
    fn times(first: i64, last: i64) -> Times {
        let passed = |offset, broker_s: i64, polled| Passed::new(Offset(offset), broker_s * 1_000, polled);
        Times { oldest: passed(first, 100, SECOND), newest: passed(last, 103, SECOND * 4), closed: SECOND * 5 }
    }

    fn at(seconds: u32) -> Moment {
        Moment { now: SECOND * seconds, wall_ms: (100 + i64::from(seconds)) * 1_000 }
    }

    fn shows(metrics: &Metrics, line: &str) -> bool {
        metrics.render().lines().any(|found| found == line)
    }

    #[test]
    fn a_batch_is_measured_from_the_broker_to_its_commit() {
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        let stages = Stages::new(&metrics);
        stages.called(&times(0, 9), at(7));
        stages.finished(&held(1), times(0, 9), SECOND * 8);
        stages.committed(&held(1), NextOffset(9), at(9));
        assert!(!metrics.render().contains("commit_wait"), "its last record is not committed");
        stages.committed(&held(1), NextOffset(10), at(10));
        stages.committed(&held(1), NextOffset(10), at(11));
        for line in [
            "comboio_consumer_poll_from_broker_seconds_sum{record=\"oldest\"} 1",
            "comboio_consumer_poll_from_broker_seconds_sum{record=\"newest\"} 1",
            "comboio_consumer_collect_open_seconds_sum{record=\"oldest\"} 4",
            "comboio_consumer_collect_open_seconds_sum{record=\"newest\"} 1",
            "comboio_consumer_invoke_wait_seconds_sum 2",
            "comboio_consumer_commit_wait_seconds_sum 2",
            "comboio_consumer_commit_wait_seconds_count 1",
            "comboio_consumer_commit_from_broker_seconds_sum{record=\"oldest\"} 10",
            "comboio_consumer_commit_from_broker_seconds_sum{record=\"newest\"} 7",
        ] {
            assert!(shows(&metrics, line), "{line} is missing in\n{}", metrics.render());
        }
    }

    #[test]
    fn what_waits_for_its_commit_is_bounded_and_goes_with_its_generation() {
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        let stages = Stages::new(&metrics);
        for n in 0..10_000 {
            stages.finished(&held(1), times(n, n), SECOND);
        }
        assert_eq!(stages.waiting()[&held(1).at].batches.len(), MOST);
        stages.finished(&held(2), times(0, 0), SECOND);
        stages.finished(&held(1), times(1, 1), SECOND);
        stages.committed(&held(1), NextOffset(10_000), at(1));
        assert_eq!(stages.waiting()[&held(1).at].batches.len(), 1, "only what the new generation finished");
        stages.forget(&[held(2)]);
        assert!(stages.waiting().is_empty());
    }
}
