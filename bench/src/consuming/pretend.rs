//! Functions that take their time and deliver everything: the answer, and an invoker that gives it without a network.

use bytes::Bytes;
use consumer::invoke::{InvokeFailure, Invoker};
use domain::contract::{Response, VERSION};
use domain::failure::FailureClass;
use runtime::clock::{self, SharedClock};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What was answered so far; clones count together.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    records: AtomicU64,
    /// How long all calls took together.
    micros: AtomicU64,
}

/// A look at a [`Tally`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Answered {
    pub calls: u64,
    pub records: u64,
    pub call_seconds: f64,
}

impl Tally {
    pub fn note(&self, records: u64, took: Duration) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        self.0.records.fetch_add(records, Ordering::Relaxed);
        self.0.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn answered(&self) -> Answered {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let Counts { calls, records, micros } = &*self.0;
        Answered { calls: of(calls), records: of(records), call_seconds: of(micros) as f64 / 1e6 }
    }
}

/// The answer to a request: all records delivered; and how many they are. `None` when it is no request. Looks at the head of the request
/// alone, because whoever answers here must not cost what a function costs.
pub fn answer(request: &[u8]) -> Option<(Vec<u8>, u64)> {
    let batch_id = std::str::from_utf8(between(request, b"\"batch_id\":\"", b'"')?).ok()?;
    let steps = between(request, b"\"offset_steps\":[", b']')?;
    let commas = steps.iter().filter(|byte| **byte == b',').count();
    let records = if steps.is_empty() { 1 } else { commas as u64 + 2 };
    let (batch_id, version) = (batch_id.to_owned(), VERSION);
    let answer = Response { version, batch_id, delivered: records, duplicates: 0, rejected: vec![], retry: vec![] };
    Some((serde_json::to_vec(&answer).ok()?, records))
}

/// What stands behind the first `before`, up to the next `end`.
fn between<'a>(text: &'a [u8], before: &[u8], end: u8) -> Option<&'a [u8]> {
    let start = text.windows(before.len()).position(|window| window == before)? + before.len();
    let length = text[start..].iter().position(|byte| *byte == end)?;
    text.get(start..start + length)
}

/// Answers after a while.
pub struct Pretend {
    latency: Duration,
    tally: Tally,
    clock: SharedClock,
}

impl Pretend {
    pub fn new(latency: Duration, tally: Tally) -> Self {
        Self { latency, tally, clock: clock::system() }
    }
}

impl Invoker for Pretend {
    async fn invoke(&self, _: &str, payload: Bytes) -> Result<Bytes, InvokeFailure> {
        let begun = self.clock.now();
        let no_request = || InvokeFailure::new(FailureClass::Ours, "this is no request");
        let (answer, records) = answer(&payload).ok_or_else(no_request)?;
        tokio::time::sleep(self.latency).await;
        self.tally.note(records, self.clock.now() - begun);
        Ok(answer.into())
    }

    async fn check(&self, _: &str) -> Result<(), InvokeFailure> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::answer;
    use domain::contract::{BatchHead, OpenBatch, Push, judge};
    use domain::offset::Offset;

    #[test]
    fn the_answer_is_one_that_the_consumer_takes() {
        let head = BatchHead {
            group: "g".into(),
            topic: "t".into(),
            partition: 3,
            lane: 0,
            lanes: 1,
            epoch: 0,
            log: None,
            since: None,
        };
        let mut batch = OpenBatch::new(head, 1 << 20);
        for offset in 5..12 {
            assert_eq!(batch.push(Offset(offset), 7, b"{\"batch_id\":\"no\"}"), Push::Taken);
            let (answer, records) = answer(&batch.request(1, None)).unwrap();
            assert_eq!(records, batch.len() as u64);
            assert_eq!(judge(&batch, &answer).unwrap().delivered, records);
        }
        assert_eq!(answer(b"{}"), None);
    }
}
