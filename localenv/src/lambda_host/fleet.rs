//! All sandboxes of one function: who is idle, how many may run, who has been idle too long.

use super::answer::Answer;
use super::function::Function;
use super::refusal::{REASON_ACCOUNT, REASON_RESERVED, Refusal};
use super::sandbox::Sandbox;
use super::stats::{Counters, FunctionStats, ProcessEvent};
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The sandboxes of one deployed function. A new deployment is a new fleet.
#[derive(Debug)]
pub struct Fleet {
    pub function: Function,
    pub counters: Arc<Counters>,
    idle: Mutex<Vec<Idle>>,
    /// Its own if it has reserved concurrency, else the account's.
    room: Arc<Semaphore>,
    alive: Arc<AtomicUsize>,
    log: Option<PathBuf>,
    last_success: Mutex<Option<Bytes>>,
}

#[derive(Debug)]
struct Idle {
    sandbox: Sandbox,
    since: Instant,
}

impl Fleet {
    /// An empty fleet. `log` takes what its processes print.
    pub fn new(function: Function, counters: Arc<Counters>, account: &Arc<Semaphore>, log: Option<PathBuf>) -> Self {
        let room = match function.reserved_concurrency {
            Some(reserved) => Arc::new(Semaphore::new(reserved)),
            None => Arc::clone(account),
        };
        let (idle, alive, last_success) = Default::default();
        Self { function, counters, idle, room, alive, log, last_success }
    }

    /// Room for one more invocation, held until the permit is dropped.
    ///
    /// # Errors
    /// The throttle, with AWS's reason for it.
    pub fn room(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let reserved = self.function.reserved_concurrency.is_some();
        let reason = if reserved { REASON_RESERVED } else { REASON_ACCOUNT };
        Arc::clone(&self.room).try_acquire_owned().map_err(|_| Refusal::throttled(reason))
    }

    /// The sandbox that was idle last, or a new one.
    ///
    /// # Errors
    /// When a new process cannot be started.
    pub async fn take(&self) -> anyhow::Result<Sandbox> {
        while let Some(Idle { sandbox, .. }) = self.pop() {
            if !sandbox.is_dead() {
                return Ok(sandbox);
            }
            self.counters.process(ProcessEvent::Exited);
        }
        let sandbox = Sandbox::start(&self.function, self.log.as_deref(), &self.alive).await?;
        self.counters.process(ProcessEvent::Started);
        Ok(sandbox)
    }

    /// Gives a sandbox back that is good for another event.
    pub fn put_back(&self, sandbox: Sandbox) {
        self.idle().push(Idle { sandbox, since: Instant::now() });
    }

    /// Ends what has been idle for longer than `limit`.
    pub fn reap(&self, limit: Duration) {
        let old = {
            let mut idle = self.idle();
            let fresh = idle.iter().position(|one| one.since.elapsed() < limit).unwrap_or(idle.len());
            idle.drain(..fresh).collect::<Vec<_>>()
        };
        for _ in &old {
            self.counters.process(ProcessEvent::Reaped);
        }
    }

    /// The last success before this answer, which is kept if it is one.
    pub fn remember(&self, answer: &Answer) -> Option<Bytes> {
        let mut last = self.last_success.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Answer::Success(body) => last.replace(body.clone()),
            _ => last.clone(),
        }
    }

    pub fn stats(&self) -> FunctionStats {
        let idle = self.idle().len();
        self.counters.snapshot(self.alive.load(Ordering::Relaxed), idle)
    }

    fn pop(&self) -> Option<Idle> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
