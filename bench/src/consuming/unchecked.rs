//! What the desk does without its look at each value: batches, keys, ledger, commits and requests, made of the desk's own parts.
//!
//! The product cannot be told to leave the check out, so this rival puts the parts together itself: one open batch a partition, closed
//! by its count alone, and one thread that makes the requests.

use crate::consuming::no_op::Told;
use crate::consuming::queued::{Queued, QueuedClient};
use anyhow::{Context, Result, ensure};
use consumer::assignment::{Generation, Held, TopicPartition};
use consumer::commit::CommitLedger;
use consumer::config::Config;
use consumer::record::{Kept, Lent};
use crossbeam_channel::{Receiver, Sender};
use domain::contract::{BatchHead, Extent, OpenBatch, Push};
use domain::offset::Offset;
use kafka_client::partition_queues::Record;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};
use runtime::clock;
use std::collections::BTreeMap;
use std::time::Duration;

/// As the poll thread waits, and turns its wheel.
const WAIT: Duration = Duration::from_millis(20);
const TURN: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(60);

struct Filling {
    held: Held,
    records: OpenBatch,
    kept: Kept,
}

struct Parts<'a> {
    config: &'a Config,
    topic: String,
    ledger: CommitLedger,
    filling: BTreeMap<i32, Filling>,
    /// What the last batch took, as the desk remembers it.
    last: (Extent, usize),
    closed: Sender<Filling>,
    finished: Receiver<(Held, Vec<Offset>)>,
}

/// Takes `records` records in batches; the time begins with the first of them.
///
/// # Errors
/// The client cannot be made, or records do not come.
pub fn run(config: &Config, records: u64) -> Result<Told> {
    let clock = clock::system();
    let topic = config.poll.topics.first().context("no topic")?.clone();
    let client = QueuedClient::start(&config.kafka.consumer(&config.tuning), &[&topic])?;
    let (closed, encoder) = crossbeam_channel::unbounded();
    let (done, finished) = crossbeam_channel::unbounded();
    std::thread::Builder::new().name("encode".into()).spawn(move || encode(&encoder, &done))?;
    let (ledger, filling) = (CommitLedger::new(config.desk.lanes), BTreeMap::new());
    let last = (Extent::default(), 0);
    let mut parts = Parts { config, topic, ledger, filling, last, closed, finished };
    let (mut seen, mut start) = (0, clock.now());
    let (mut turn, mut commit) = (clock.now(), clock.now());
    while seen < records {
        let chunk = client.queues.take();
        let (idle, now) = (chunk.is_none(), clock.now());
        if let Some(chunk) = chunk {
            if seen == 0 {
                start = now;
            }
            for record in chunk.records() {
                parts.take(chunk.partition(), &record)?;
                seen += 1;
            }
            ensure!(chunk.fault().is_none(), "no record, but {:?}", chunk.fault());
        }
        // As the poll thread does it.
        if idle || now >= turn {
            turn = now + TURN;
            if let Some(Err(error)) = client.consumer.poll(Duration::ZERO) {
                eprintln!("unchecked: {error}");
            }
            client.queues.look_at_all();
            parts.serve();
            if now >= commit {
                commit = now + config.poll.commit_interval;
                parts.commit(&client.consumer)?;
            }
        }
        if idle {
            ensure!(seen > 0 || now - start < PATIENCE, "no record came");
            client.queues.wait(WAIT);
        }
    }
    Ok(Told { records: seen, seconds: (clock.now() - start).as_secs_f64() })
}

impl Parts<'_> {
    fn take(&mut self, partition: i32, record: &Record<'_>) -> Result<()> {
        let offset = Offset(record.offset());
        let filling = match self.filling.entry(partition) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let fresh = fresh(self.config, &self.topic, partition, self.last);
                if self.ledger.next(&fresh.held).is_none() && self.ledger.end(&fresh.held).is_none() {
                    self.ledger.assign(&fresh.held);
                }
                entry.insert(fresh)
            }
        };
        let (timestamp, value) = (record.timestamp_ms().unwrap_or(0), record.value().unwrap_or_default());
        self.ledger.received(&filling.held, offset);
        ensure!(filling.records.push(offset, timestamp, value) == Push::Taken, "a batch is full before its time");
        filling.kept.push(Lent { offset, timestamp, key: record.key(), value: Some(value), headers: record.headers() });
        if filling.records.len() >= self.config.desk.limits.records
            && let Some(full) = self.filling.remove(&partition)
        {
            self.last = (full.records.extent(), full.kept.bytes());
            self.closed.send(full)?;
        }
        Ok(())
    }

    fn serve(&mut self) {
        while let Ok((held, offsets)) = self.finished.try_recv() {
            self.ledger.finished(&held, &offsets);
        }
    }

    fn commit(&mut self, consumer: &BaseConsumer<Queued>) -> Result<()> {
        let due = self.ledger.due();
        if due.is_empty() {
            return Ok(());
        }
        let mut list = TopicPartitionList::with_capacity(due.len());
        for commit in &due {
            let at = &commit.held.at;
            list.add_partition_offset(&at.topic, at.partition, KafkaOffset::Offset(commit.next.0))?;
            self.ledger.confirmed(commit);
        }
        Ok(consumer.commit(&list, CommitMode::Async)?)
    }
}

fn fresh(config: &Config, topic: &str, partition: i32, (extent, keys): (Extent, usize)) -> Filling {
    let head = BatchHead {
        group: config.desk.group.clone(),
        topic: topic.to_owned(),
        partition,
        lane: 0,
        lanes: config.desk.lanes,
        epoch: config.desk.epoch,
        log: None,
        since: None,
    };
    let held = Held { at: TopicPartition::new(topic, partition), generation: Generation(1) };
    let records = OpenBatch::with_extent(head, config.desk.limits.bytes, extent);
    Filling { held, records, kept: Kept::with_room(extent.records, keys) }
}

fn encode(closed: &Receiver<Filling>, done: &Sender<(Held, Vec<Offset>)>) {
    while let Ok(mut filling) = closed.recv() {
        std::hint::black_box(filling.records.send(1, None));
        std::hint::black_box(filling.kept.bytes());
        if done.send((filling.held, filling.records.offsets().collect())).is_err() {
            return;
        }
    }
}
