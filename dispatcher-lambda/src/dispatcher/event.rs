//! An event of AWS's event source mapping: each topic-partition is a batch of its own and goes through the same six steps.
//!
//! They go side by side, within the same deadline. There is no consumer to write dead letters: a rejected record is a failure,
//! or a destination holds it.

use super::Dispatcher;
use crate::board::{Board, reason};
use crate::contain;
use crate::deadline::Deadline;
use crate::decode::BadRequest;
use crate::deliver::{Trip, deliver};
use crate::event_source::{self, BatchItemFailures, Carried, Failures, Item, Partition, letter};
use crate::laps::Laps;
use crate::record::{Entry, Head, Need, Record};
use crate::together::{self, BoxFuture};
use crate::verdicts::verdicts;
use domain::contract::{Listed, Response};
use domain::offset::Offset;
use std::collections::BTreeSet;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The verdicts, topic-partition by topic-partition; the records that were set aside stand there as rejected.
    pub responses: Vec<Response>,
    pub failures: BatchItemFailures,
    /// Where it stood and why, for people.
    pub first_failure: Option<String>,
}

/// Whose verdicts are in.
struct Batch {
    response: Response,
    /// In offset order.
    failed: Vec<Listed>,
}

impl Dispatcher {
    /// Whether an event with failed records fails as a whole.
    pub fn fails_whole_events(&self) -> bool {
        self.config.event_source.failures == Failures::Error
    }

    /// One verdict for every record of an event, before the deadline; what has neither been delivered nor set aside failed.
    ///
    /// # Errors
    /// When the payload is no event of a Kafka event source mapping; nothing was delivered then.
    pub async fn dispatch_event(&self, payload: &[u8], deadline: Deadline) -> Result<Settled, BadRequest> {
        let partitions = event_source::decode(payload).inspect_err(|_| self.metrics.bad_request())?;
        let batches = partitions.iter().map(|one| Box::pin(self.partition(one, deadline)) as BoxFuture<'_, Batch>);
        let batches = together::all(batches.collect()).await;
        let named = || partitions.iter().zip(&batches);
        let failed = || named().flat_map(|(one, batch)| batch.failed.iter().map(move |listed| (&one.name, listed)));
        let items = failed().map(|(name, listed)| Item::new(name, listed.offset.0));
        let failures = BatchItemFailures { batch_item_failures: items.collect() };
        let first = failed().next();
        let tell = |(name, listed): (_, &Listed)| {
            format!("{name} offset {}: {}: {}", listed.offset, listed.reason, listed.detail)
        };
        let first_failure = first.map(tell);
        let responses = batches.into_iter().map(|batch| batch.response).collect();
        Ok(Settled { responses, failures, first_failure })
    }

    async fn partition(&self, partition: &Partition<'_>, deadline: Deadline) -> Batch {
        let batch_id = partition.batch_id();
        let (head, laps) = (head(&batch_id, partition), Laps::begin());
        let mut board = Board::new(partition.records.len());
        let records = records(partition, &mut board);
        let readable = records.iter().zip(&partition.records).filter(|(_, carried)| carried.text.is_ok());
        let readable: Vec<Record<'_>> = readable.map(|(record, _)| *record).collect();
        let trip = self.trip(&head, deadline, &laps);
        self.work(trip, &readable, &mut board).await;
        let response = verdicts(&head, &records, &board);
        let held = self.set_aside(trip, partition, &response.rejected).await;
        self.tell(&head, &response, &laps);
        let rejected = response.rejected.iter().filter(|listed| !held.contains(&listed.offset));
        let mut failed: Vec<Listed> = rejected.chain(&response.retry).cloned().collect();
        failed.sort_by_key(|listed| listed.offset);
        Batch { response, failed }
    }

    /// Hands rejected records over to the destination for them; gives those that it holds.
    async fn set_aside(&self, trip: Trip<'_>, partition: &Partition<'_>, rejected: &[Listed]) -> BTreeSet<Offset> {
        let Some(to) = self.config.event_source.set_aside.filter(|_| !rejected.is_empty()) else {
            return BTreeSet::new();
        };
        let letters: Vec<Letter> = rejected.iter().filter_map(|listed| Letter::new(partition, listed)).collect();
        let group = format!("{}/{}", partition.topic, partition.number);
        let entries = letters.iter().enumerate().map(|(place, letter)| letter.entry(place, &group)).collect();
        let mut parcels = vec![Vec::new(); to];
        parcels.push(entries);
        let mut board = Board::new(letters.len());
        let delivered = contain::future(deliver(&self.config.destinations, &parcels, trip, &mut board)).await;
        if let Err(panicked) = delivered {
            board.close(reason::PANIC, &panicked.to_string());
        }
        let held = letters.iter().enumerate().filter(|(place, _)| board.is_delivered(*place));
        held.map(|(_, letter)| letter.offset).collect()
    }
}

/// A rejected record on its way to the destination for such.
struct Letter {
    offset: Offset,
    id: String,
    text: String,
}

impl Letter {
    /// `None` leaves the record a failure.
    fn new(partition: &Partition<'_>, listed: &Listed) -> Option<Self> {
        let (topic, number, offset) = (&partition.topic, partition.number, listed.offset);
        let place = partition.records.binary_search_by_key(&offset, |record| record.offset).ok()?;
        let id = format!("{topic}/{number}/{offset}");
        let why = (listed.reason.as_str(), listed.detail.as_str());
        let text = letter(&id, topic, number, partition.records.get(place)?, why).ok()?;
        Some(Self { offset, id, text })
    }

    /// All of a topic-partition are one group, so that they keep their order.
    fn entry<'a>(&'a self, place: usize, group: &'a str) -> Entry<'a> {
        let (key, need) = (group.as_bytes(), Need::Required);
        Entry { place, offset: self.offset, id: &self.id, key, value: &self.text, need }
    }
}

/// As the consumer would send it the first time.
fn head<'a>(batch_id: &'a str, partition: &'a Partition<'_>) -> Head<'a> {
    Head { batch_id, topic: &partition.topic, partition: partition.number, attempt: 1, traceparent: None, lane: None }
}

/// All records; those without a text are rejected on the board.
fn records<'a>(partition: &'a Partition<'_>, board: &mut Board) -> Vec<Record<'a>> {
    let mut record = |(place, record): (usize, &'a Carried<'_>)| {
        let value = record.text.as_deref().unwrap_or_else(|why| {
            board.reject(place, why.reason(), &why.to_string());
            ""
        });
        Record { place, offset: record.offset, value }
    };
    partition.records.iter().enumerate().map(&mut record).collect()
}
