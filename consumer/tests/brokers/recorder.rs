//! A function that remembers what it was given.

use crate::DEADLINE;
use bytes::Bytes;
use consumer::invoke::{InvokeFailure, Invoker};
use domain::contract::{Request, Response};
use domain::verdict::Verdict;
use std::time::Duration;
use tokio::sync::watch;

/// A function that remembers every record it was given, in order. Values are `{"key":K,"seq":S}`; seq 0 modulo 1000 is rejected.
#[derive(Clone, Default)]
pub struct Recorder {
    /// Shared by the instances of one test.
    pub seen: watch::Sender<Vec<Seen>>,
    pub latency: Duration,
    pub instance: u32,
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
        for record in request.records() {
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
        Ok(Bytes::from(serde_json::to_vec(&Response::from_verdicts(&request.batch_id, verdicts)).unwrap()))
    }

    async fn check(&self, _: &str) -> Result<(), InvokeFailure> {
        Ok(())
    }
}

impl Recorder {
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
