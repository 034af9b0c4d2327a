//! The scout: asks Kafka how the logs of our partitions stand, on a thread and a client of its own, beside the group.
//!
//! In: which partitions are owned, and which times are wanted. Out: looks and times for the desk, so that the lag is right also while the
//! poll thread stands in a rebalance and whatever the interval of statistics is; and which topics stand behind the names.
//! Never: commits, subscribes, or holds anything up.

/// Which topics stand behind the names, asked now and then.
mod census;

use super::shared::Shared;
use crate::assignment::TopicPartition;
use crate::lag::{Found, Look};
use census::Census;
use crossbeam_channel::{Receiver, Sender, bounded};
use kafka_client::context::ObservedContext;
use kafka_client::main_queue;
use kafka_client::settings::ClientSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often it looks; the lag of what came since may be missing for so long.
const PERIOD: Duration = Duration::from_millis(500);
/// For one answer.
const DEADLINE: Duration = Duration::from_secs(2);
/// For one record.
const FETCH: Duration = Duration::from_secs(1);
/// How long one wait for a record may be.
const STEP: Duration = Duration::from_millis(50);

/// Wakes the scout, and ends it.
pub(super) struct Bell {
    ring: Sender<()>,
    heard: Receiver<()>,
    over: AtomicBool,
    next: Mutex<Option<ClientSettings>>,
}

struct Scout {
    client: BaseConsumer<ObservedContext>,
    settings: ClientSettings,
    shared: Arc<Shared>,
    census: Census,
    failures: u32,
}

/// Starts the thread; it ends by itself soon after the bell says so.
pub(super) fn spawn(
    (client, settings): (BaseConsumer<ObservedContext>, ClientSettings),
    shared: Arc<Shared>,
    topics: &[String],
) -> std::io::Result<JoinHandle<()>> {
    let scout = Scout { client, settings, shared, census: Census::new(topics), failures: 0 };
    std::thread::Builder::new().name("scout".to_owned()).spawn(move || scout.run())
}

impl Default for Bell {
    fn default() -> Self {
        let (ring, heard) = bounded(1);
        Self { ring, heard, over: AtomicBool::new(false), next: Mutex::default() }
    }
}

impl Bell {
    /// There is something new to look at.
    pub(super) fn ring(&self) {
        // It rings already.
        let _ = self.ring.try_send(());
    }

    /// From now on with a client of these settings.
    pub(super) fn renew(&self, settings: ClientSettings) {
        *self.next() = Some(settings);
        self.ring();
    }

    fn next(&self) -> MutexGuard<'_, Option<ClientSettings>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.ring();
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

impl Scout {
    fn run(mut self) {
        while !self.shared.bell.is_over() {
            self.renew();
            self.listen();
            self.census.take(&self.client, &self.shared);
            let outcome = self.look().and_then(|()| self.fetch_wanted());
            self.census.heed(outcome.as_ref().err());
            self.tell(outcome.err());
            self.shared.silence.tick(self.shared.clock.now());
            self.shared.mishaps.tick(self.shared.clock.now());
            // Rung or not: it is time for the next look.
            let _ = self.shared.bell.heard.recv_timeout(PERIOD);
        }
    }

    /// Log lines and errors come only while a client is polled, one at a time.
    fn listen(&self) {
        for _ in 0..=main_queue::waiting(&self.client) {
            let _ = self.client.poll(Duration::ZERO);
        }
        let (client, now) = (self.client.client(), self.shared.clock.now());
        client.context().0.lead_back(client, &self.settings, now);
    }

    fn renew(&mut self) {
        let Some(settings) = self.shared.bell.next().take() else { return };
        let settings = settings.to_scout();
        match settings.create_with_context(ObservedContext::default()) {
            Ok(client) => (self.client, self.settings) = (client, settings),
            Err(error) => {
                tracing::warn!(%error, "no other client can be made to look at the logs, the one in use goes on")
            }
        }
    }

    fn look(&self) -> KafkaResult<()> {
        let owned = self.shared.owned();
        if owned.is_empty() {
            return Ok(());
        }
        // A topic that is gone spoils the answer about all.
        self.look_at(&owned).inspect_err(|error| {
            if census::is_gone(error) {
                let topics = owned.chunk_by(|one, other| one.topic == other.topic);
                topics.filter(|topic| topic.len() < owned.len()).for_each(|topic| drop(self.look_at(topic)));
            }
        })
    }

    fn look_at(&self, owned: &[TopicPartition]) -> KafkaResult<()> {
        let at_ms = self.shared.clock.wall_ms();
        let ends = self.marks(owned, Offset::End)?;
        // The beginning is asked for after the end: records that come meanwhile lie above both.
        let lows = self.marks(owned, Offset::Beginning)?;
        for at in owned {
            if let (Some(low), Some(end)) = (lows.get(at), ends.get(at)) {
                self.shared.looked(at, Look { low: *low, end: *end, at_ms });
            }
        }
        Ok(())
    }

    /// One end of each log: one request for each broker.
    fn marks(&self, owned: &[TopicPartition], which: Offset) -> KafkaResult<HashMap<TopicPartition, i64>> {
        let mut list = TopicPartitionList::with_capacity(owned.len());
        for at in owned {
            list.add_partition_offset(&at.topic, at.partition, which)?;
        }
        let answer = self.client.offsets_for_times(list, DEADLINE)?;
        self.shared.heard();
        let mark = |at: &TopicPartition| match answer.find_partition(&at.topic, at.partition)?.offset() {
            Offset::Offset(mark) => Some((at.clone(), mark)),
            _ => None,
        };
        Ok(owned.iter().filter_map(mark).collect())
    }

    /// Fetches records for their times. They are few: the poll thread brings what it may bring.
    fn fetch_wanted(&self) -> KafkaResult<()> {
        for (at, offset) in self.shared.wanted_times() {
            if self.shared.bell.is_over() {
                break;
            }
            if let Some(found) = self.fetch(&at, offset)? {
                self.shared.desk().found_time(&at, offset, found);
            }
        }
        Ok(())
    }

    /// The first record from `offset` on; `None` when there was no answer in time.
    fn fetch(&self, at: &TopicPartition, offset: i64) -> KafkaResult<Option<Found>> {
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition_offset(&at.topic, at.partition, Offset::Offset(offset))?;
        self.client.assign(&list)?;
        let until = self.shared.clock.now() + FETCH;
        let mut found = None;
        while found.is_none() && self.shared.clock.now() < until {
            found = match self.client.poll(STEP) {
                Some(Ok(record)) if record.topic() == &*at.topic && record.partition() == at.partition => {
                    record.timestamp().to_millis().map(|timestamp_ms| Found::Record { timestamp_ms })
                }
                Some(Err(KafkaError::PartitionEOF(partition))) if partition == at.partition => Some(Found::Nothing),
                _ => None,
            };
        }
        self.client.unassign()?;
        Ok(found)
    }

    /// The first failure is worth a line, and then fewer and fewer.
    fn tell(&mut self, error: Option<KafkaError>) {
        let Some(error) = error else {
            self.failures = 0;
            return;
        };
        self.failures = self.failures.saturating_add(1);
        if self.failures.is_power_of_two() {
            tracing::warn!(%error, failures = self.failures, "the ends of our partitions are not known now: the lag is as of before");
        }
    }
}
