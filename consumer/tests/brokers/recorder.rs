//! A function that remembers what it was given.

use crate::DEADLINE;
use bytes::Bytes;
use consumer::invoke::{InvokeFailure, Invoker};
use domain::contract::{Request, Response};
use domain::fence::{Fence, Passed};
use domain::offset::Offset;
use domain::verdict::Verdict;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// By partition and lane.
pub type Fences = Arc<Mutex<HashMap<(i32, u32), Fence>>>;

/// A function that remembers every record it was given, in order. Values are `{"key":K,"seq":S}`; seq 0 modulo 1000 is rejected.
#[derive(Clone, Default)]
pub struct Recorder {
    /// Shared by the instances of one test.
    pub seen: watch::Sender<Vec<Seen>>,
    pub latency: Duration,
    pub instance: u32,
    /// What it knows of each partition and lane, when it keeps fences.
    pub fences: Option<Fences>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub instance: u32,
    pub partition: i32,
    pub offset: i64,
    pub key: i64,
    pub seq: i64,
}

impl Invoker for Recorder {
    async fn invoke(&self, _: &str, payload: Bytes) -> Result<Bytes, InvokeFailure> {
        // The function is busy for so long.
        let _ = tokio::time::timeout(self.latency, std::future::pending::<()>()).await;
        let request = Request::decode(&payload).unwrap();
        let mut verdicts = Vec::new();
        let known = self.fence(&request);
        let log = request.log.as_deref().unwrap_or_default();
        for record in request.records() {
            if known.as_ref().is_some_and(|known| known.holds(log, record.offset)) {
                verdicts.push((record.offset, Verdict::Duplicate));
                continue;
            }
            let value: serde_json::Value = serde_json::from_str(record.value).unwrap();
            let (key, seq) = (value["key"].as_i64().unwrap(), value["seq"].as_i64().unwrap());
            let rejected = Verdict::Rejected { reason: "schema".into(), detail: "on purpose".into() };
            verdicts.push((record.offset, if seq % 1_000 == 0 { rejected } else { Verdict::Delivered }));
            self.seen.send_modify(|seen| {
                seen.push(Seen {
                    instance: self.instance,
                    partition: request.partition,
                    offset: record.offset.0,
                    key,
                    seq,
                })
            });
        }
        self.raise_fence(&request, &verdicts);
        Ok(Bytes::from(serde_json::to_vec(&Response::from_verdicts(&request.batch_id, verdicts)).unwrap()))
    }

    async fn check(&self, _: &str) -> Result<(), InvokeFailure> {
        Ok(())
    }
}

impl Recorder {
    /// Delivers nothing again that its fences hold.
    pub fn fenced() -> Self {
        Self { fences: Some(Arc::default()), ..Self::default() }
    }

    fn fence(&self, request: &Request<'_>) -> Option<Fence> {
        self.fences.as_ref()?.lock().unwrap().get(&(request.partition, request.lane)).cloned()
    }

    fn raise_fence(&self, request: &Request<'_>, verdicts: &[(Offset, Verdict)]) {
        let Some(fences) = &self.fences else { return };
        let (mut fences, lane) = (fences.lock().unwrap(), (request.partition, request.lane));
        let (log, since) = (request.log.as_deref().expect("which log it is"), Offset(request.since.unwrap()));
        let open = verdicts.iter().find(|(_, verdict)| matches!(verdict, Verdict::Rejected { .. }));
        let end = Offset(verdicts.last().unwrap().0.0 + 1);
        let passed = Passed { log, since, open: open.map_or(end, |(offset, _)| *offset) };
        if let Some(after) = Fence::after(fences.get(&lane), passed) {
            fences.insert(lane, after);
        }
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    pub async fn wait_for(&self, records: usize) {
        self.wait_until(|seen| seen.len() >= records).await;
    }

    pub async fn wait_until(&self, enough: impl FnMut(&Vec<Seen>) -> bool) {
        let mut seen = self.seen.subscribe();
        let in_time = tokio::time::timeout(DEADLINE, seen.wait_for(enough)).await.is_ok();
        assert!(in_time, "{} records after {DEADLINE:?}", self.seen().len());
    }

    pub fn of_instance(&self, instance: u32) -> Self {
        Self { instance, ..self.clone() }
    }
}
