//! A parcel becomes several requests: for services that take only a few entries in one, and answer for each.
//!
//! Entries are dealt out to *lines* by their group, so that a group is always on one line. A line sends its requests one after
//! the other, the lines work side by side. What happens inside a line is decided in [`Line`], without clock or network.

mod line;

use super::batching::Limits;
use super::{Destination, Failure, Outcome, Parcel};
use crate::deadline::Deadline;
use crate::record::Entry;
use crate::together::{self, BoxFuture};
use domain::failure::FailureClass;
use line::Line;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use tokio::time::timeout;

/// Kept back at the end of an invocation to sort the answers: what was delivered must not be said to come again.
const SORTING: Duration = Duration::from_millis(50);
/// The deadline of the parcel ends it, and each request has a timeout of its own.
const NEVER: Duration = Duration::from_secs(3_600);

/// What one request may hold, and how many may be under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    pub entries: usize,
    /// The sum of the entries; a larger one goes alone, and the service says what it thinks of it.
    pub bytes: usize,
    /// At most one entry of a group in a request: nothing of a group is sent before its earlier entries are held.
    pub one_of_a_group: bool,
    /// Requests under way at once.
    pub at_once: usize,
    /// How long one request may take.
    pub timeout: Duration,
}

/// One service as it takes one request.
pub trait Request: Send + Sync {
    fn room(&self) -> Room;

    /// Whose entries must go in order; the record's key unless the service has another idea.
    fn group<'a>(&self, entry: &Entry<'a>) -> Cow<'a, [u8]> {
        Cow::Borrowed(entry.key)
    }

    /// What an entry weighs in a request.
    fn bytes(&self, entry: &Entry<'_>) -> usize {
        entry.value.len()
    }

    /// Sends one request; `parcel` is within `room`. No retries.
    fn send<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome>;
}

/// A destination made of such a service.
pub struct Requests<R> {
    service: R,
    /// Entries of one parcel, and their bytes.
    records: usize,
    bytes: usize,
}

impl<R: Request> Requests<R> {
    /// Parcels as large as `limits` says, requests as large as the service says.
    pub fn new(service: R, limits: Limits) -> Self {
        Self { service, records: limits.records, bytes: limits.bytes }
    }

    #[cfg(test)]
    pub fn service(&self) -> &R {
        &self.service
    }

    async fn deliver_all(&self, parcel: Parcel<'_>) -> Outcome {
        let lines = self.lines(parcel.entries).into_iter();
        let lines = lines.map(|line| Box::pin(self.run(line, parcel)) as BoxFuture<'_, _>).collect();
        let mut failed: Vec<(usize, Failure)> = together::all(lines).await.into_iter().flatten().collect();
        failed.sort_by_key(|(index, _)| *index);
        outcome_of(parcel.entries.len(), failed)
    }

    fn lines(&self, entries: &[Entry<'_>]) -> Vec<Line> {
        let room = self.service.room();
        let count = entries.len().div_ceil(room.entries).clamp(1, room.at_once);
        let mut lines: Vec<Line> = (0..count).map(|_| Line::new(room)).collect();
        for (index, entry) in entries.iter().enumerate() {
            let group = self.service.group(entry);
            let mut hasher = DefaultHasher::new();
            group.hash(&mut hasher);
            let line = usize::try_from(hasher.finish() % count as u64).unwrap_or_default();
            lines[line].push(index, &group, self.service.bytes(entry));
        }
        lines
    }

    /// One line to its end; gives what failed, by index in the parcel.
    async fn run(&self, mut line: Line, parcel: Parcel<'_>) -> Vec<(usize, Failure)> {
        let limit = self.service.room().timeout;
        while let Some(call) = line.next() {
            let entries: Vec<Entry<'_>> = call.iter().map(|index| parcel.entries[*index]).collect();
            let request = Parcel { entries: &entries, ..parcel };
            let outcome = match allowed(parcel.deadline, limit) {
                None => late(),
                Some(allowed) => match timeout(allowed, self.service.send(request)).await {
                    Ok(outcome) => outcome,
                    Err(_) if allowed < limit => late(),
                    Err(_) => transient(format!("no answer within {allowed:?}")),
                },
            };
            line.answered(&call, outcome);
        }
        line.into_failed()
    }
}

impl<R: Request> Destination for Requests<R> {
    fn limits(&self) -> Limits {
        Limits { records: self.records, bytes: self.bytes, timeout: NEVER }
    }

    fn deliver<'a>(&'a self, parcel: Parcel<'a>) -> BoxFuture<'a, Outcome> {
        Box::pin(self.deliver_all(parcel))
    }
}

/// A parcel of which nothing was taken, for one and the same reason, failed as a whole.
fn outcome_of(entries: usize, failed: Vec<(usize, Failure)>) -> Outcome {
    let Some((_, first)) = failed.first() else { return Outcome::Delivered };
    let all = failed.len() == entries && failed.iter().all(|(_, failure)| failure.class == first.class);
    if all && !first.is_for_good() { Outcome::Failed(first.clone()) } else { Outcome::Partial(failed) }
}

/// `None` when there is no time for another request.
fn allowed(deadline: Deadline, limit: Duration) -> Option<Duration> {
    let left = deadline.left().saturating_sub(SORTING);
    (!left.is_zero()).then(|| left.min(limit))
}

fn late() -> Outcome {
    transient("the invocation's time was up".to_owned())
}

fn transient(detail: String) -> Outcome {
    Outcome::Failed(Failure::new(FailureClass::Transient, detail))
}

#[cfg(test)]
mod tests;
