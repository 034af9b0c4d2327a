//! One execution environment: a `bootstrap` process with a Runtime API of its own, which runs one event at a time.
//!
//! *In*: a function and events. *Out*: how each event ended. *Never*: decides what the caller is told, or is used again after a bad end.
//!
//! Life: starting (until the process asks for its first event) -> warm, idle -> running -> warm, idle -> ... -> ended. Every process
//! gets its own port, because `AWS_LAMBDA_RUNTIME_API` is a plain `host:port` in AWS.

mod child;
mod environment;
mod runtime_api;
mod slot;

pub use slot::{Event, Report};

use super::function::Function;
use crate::listener::Server;
use anyhow::Context;
use bytes::Bytes;
use child::Child;
use slot::{Sent, Slot};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};

/// How long the last words of a process that has ended may still be on their way through the socket.
const LAST_WORDS: Duration = Duration::from_millis(50);

/// A process and what belongs to it; the process is killed when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    slot: Arc<Slot>,
    child: Child,
    started: Instant,
    warm: AtomicBool,
    _server: Server,
    _counted: Counted,
}

/// How an event ended in a sandbox. After anything but `Reported` the sandbox is of no more use.
#[derive(Debug)]
pub enum Ending {
    Reported(Report),
    /// The event has run, or cannot run.
    Broken(Broken),
    /// The process had ended before; the event has not run and may run elsewhere.
    NeverTaken(Event),
}

/// What was wrong with the process.
#[derive(Debug)]
pub enum Broken {
    /// The event ran longer than its timeout.
    TimedOut,
    /// The process ended while it ran: "exit status 3", "signal: killed", or `None` for a clean exit.
    Exited(Option<String>),
    /// The process never asked for its first event; what it reported, and how it ended.
    InitFailed(Option<Bytes>, Option<String>),
    /// A new process was still starting when its time was over.
    InitTimedOut,
}

impl Sandbox {
    /// Starts the process; it is not waited for. `alive` counts it for as long as it exists.
    ///
    /// # Errors
    /// When no port is free or the bootstrap cannot be executed.
    pub async fn start(function: &Function, log: Option<&Path>, alive: &Arc<AtomicUsize>) -> anyhow::Result<Self> {
        let slot = Arc::new(Slot::default());
        let server = Server::start(0, runtime_api::router(Arc::clone(&slot))).await.context("runtime API port")?;
        let command = environment::command(function, server.address());
        let child = Child::spawn(&function.name, command, log)?;
        let (started, warm) = (Instant::now(), AtomicBool::new(false));
        Ok(Self { slot, child, started, warm, _server: server, _counted: Counted::new(alive) })
    }

    /// Runs one event to its end. `taken` is told when the process has it, with the time since its start if it is the first.
    pub async fn run(&self, event: Event, init_limit: Duration, taken: impl FnOnce(Option<Duration>)) -> Ending {
        let limit = event.timeout;
        let Sent { taken: when, mut report } = self.slot.offer(event);
        tokio::select! {
            biased;
            at = when => taken(self.first_time(at.unwrap_or_else(|_| Instant::now()))),
            how = self.child.exited() => return self.not_taken(how),
            () = sleep(init_limit) => return self.stuck(),
        }
        tokio::select! {
            biased;
            said = &mut report => said.map_or(Ending::Broken(Broken::Exited(None)), Ending::Reported),
            how = self.child.exited() => last_words(report, how).await,
            () = sleep(limit) => Ending::Broken(Broken::TimedOut),
        }
    }

    /// Whether its process has ended.
    pub fn is_dead(&self) -> bool {
        self.child.has_exited()
    }

    /// Its process, for measuring.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    fn first_time(&self, at: Instant) -> Option<Duration> {
        let first = !self.warm.swap(true, Ordering::Relaxed);
        first.then(|| at.saturating_duration_since(self.started))
    }

    fn not_taken(&self, how: Option<String>) -> Ending {
        if !self.warm.load(Ordering::Relaxed) {
            return Ending::Broken(Broken::InitFailed(self.slot.init_error(), how));
        }
        self.slot.withdraw().map_or(Ending::Broken(Broken::Exited(how)), Ending::NeverTaken)
    }

    fn stuck(&self) -> Ending {
        match self.slot.withdraw() {
            Some(event) if self.warm.load(Ordering::Relaxed) => Ending::NeverTaken(event),
            _ => Ending::Broken(Broken::InitTimedOut),
        }
    }
}

async fn last_words(report: oneshot::Receiver<Report>, how: Option<String>) -> Ending {
    match timeout(LAST_WORDS, report).await {
        Ok(Ok(said)) => Ending::Reported(said),
        _ => Ending::Broken(Broken::Exited(how)),
    }
}

/// Adds one to the number of living processes for as long as it exists.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
