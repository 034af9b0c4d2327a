//! Step 5, deliver: hands every entry to its destination, and gathers one verdict per record.
//!
//! In: entries per destination. Out: verdicts on the board. Destinations work side by side; each gets its entries in order.
//! Never: outlives the deadline; lets an entry pass an earlier one of its key; lets an optional destination change a verdict.

mod shipment;
mod tally;

pub use shipment::Policy;

use crate::board::{Board, reason};
use crate::contain;
use crate::deadline::Deadline;
use crate::destinations::{Failure, Named, Outcome, Parcel};
use crate::laps::{Lap, Laps};
use crate::metrics::Metrics;
use crate::record::{Entry, Head};
use crate::together::{self, BoxFuture};
use domain::failure::FailureClass;
use serde::{Deserialize, Serialize};
use shipment::{Fate, Shipment, Then};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// `[deliver]` as written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliverRaw {
    /// Attempts per call within one invocation, 1 to 100; after that the records come again.
    pub attempts: u32,
    /// First wait between attempts; it doubles, with full jitter.
    pub backoff: runtime::config::Span,
    /// Longest wait between attempts.
    pub backoff_cap: runtime::config::Span,
    /// Time kept back for the answer at the end of an invocation.
    pub margin: runtime::config::Span,
}

impl Default for DeliverRaw {
    fn default() -> Self {
        use runtime::config::Span;
        let (backoff, backoff_cap) = (Span::from_millis(50), Span::from_secs(2));
        Self { attempts: 3, backoff, backoff_cap, margin: Span::from_millis(500) }
    }
}

/// What all shipments of one request share.
#[derive(Clone, Copy)]
pub struct Trip<'a> {
    pub head: &'a Head<'a>,
    pub policy: &'a Policy,
    pub deadline: Deadline,
    pub metrics: &'a Metrics,
    pub laps: &'a Laps,
}

/// Settles every record that stands in a parcel; `parcels` has one list of entries per destination.
pub async fn deliver(destinations: &[Named], parcels: &[Vec<Entry<'_>>], trip: Trip<'_>, board: &mut Board) {
    let busy = destinations.iter().zip(parcels).filter(|(_, entries)| !entries.is_empty());
    let shipments = busy.clone().map(|(to, entries)| Box::pin(ship(to, entries, trip)) as BoxFuture<'_, _>);
    let fates: Vec<Vec<Fate>> = together::all(shipments.collect()).await;
    let mut tally = tally::Tally::default();
    for ((to, entries), fates) in busy.zip(fates) {
        tally.add(&to.name, entries, fates, trip.metrics);
    }
    tally.settle(board);
}

/// Everything for one destination, call by call; ends by itself when time is up.
async fn ship(to: &Named, entries: &[Entry<'_>], trip: Trip<'_>) -> Vec<Fate> {
    let from = trip.laps.so_far();
    let mut shipment = Shipment::new(entries, to.destination.limits(), trip.policy.attempts);
    while let Some(call) = shipment.next() {
        match attempt(to, entries, &call, trip).await {
            Answer::Late => shipment.give_up(reason::DEADLINE, "the invocation's time was up"),
            Answer::Told(outcome) => {
                if let Then::Wait { failures, at_least } = shipment.record(call, outcome) {
                    wait(&mut shipment, trip.policy.backoff.delay(failures, rand::random(), at_least), trip).await;
                }
            }
        }
    }
    let fates = shipment.into_fates();
    let missed = fates.iter().filter(|fate| **fate != Fate::Delivered).count();
    let (took, destination, records) = (trip.laps.so_far() - from, Some(to.name.clone()), entries.len());
    trip.laps.note(Lap { step: "deliver", destination, from, took, records, missed });
    fates
}

async fn wait(shipment: &mut Shipment<'_>, pause: Duration, trip: Trip<'_>) {
    if pause >= trip.deadline.left() {
        shipment.give_up(reason::DEADLINE, "no time was left for another attempt");
    } else {
        sleep(pause).await;
    }
}

enum Answer {
    Told(Outcome),
    /// The invocation ends; the call, if there was one, may or may not have worked.
    Late,
}

/// One call, within the destination's timeout and the invocation's deadline. A panic in it is a failure like any other.
async fn attempt(to: &Named, entries: &[Entry<'_>], call: &[usize], trip: Trip<'_>) -> Answer {
    let left = trip.deadline.left();
    if left.is_zero() {
        return Answer::Late;
    }
    let allowed = to.destination.limits().timeout.min(left);
    let entries: Vec<Entry<'_>> = call.iter().filter_map(|entry| entries.get(*entry)).copied().collect();
    let parcel = Parcel { head: trip.head, entries: &entries, deadline: trip.deadline };
    // Inside the block, so that a panic before the first await is contained too.
    let step = contain::future(async { to.destination.deliver(parcel).await });
    let transient = |detail: String| Answer::Told(Outcome::Failed(Failure::new(FailureClass::Transient, detail)));
    match timeout(allowed, step).await {
        Ok(Ok(outcome)) => Answer::Told(outcome),
        Ok(Err(panicked)) => transient(panicked.to_string()),
        Err(_) if allowed == left => Answer::Late,
        Err(_) => transient(format!("no answer within {allowed:?}")),
    }
}
