//! SIGTERM or SIGINT asks to drain, the second one hurries.

use std::sync::{Arc, OnceLock};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Linux's number, the same on x86-64 and arm64.
const SIGXFSZ: i32 = 25;

/// A request to end, shared by all parts of a process. Goes one way only: running, draining, hurried.
#[derive(Clone, Debug)]
pub struct Shutdown {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stage: watch::Sender<Stage>,
    reason: OnceLock<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    Draining,
    Hurried,
}

/// The process may not listen to its signals.
#[derive(Debug, thiserror::Error)]
#[error("SIGTERM and SIGINT cannot be handled")]
pub struct SignalError(#[source] std::io::Error);

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// One that only [`Shutdown::trigger`] and [`Shutdown::hurry`] move: for tests and for parts without signals.
    pub fn new() -> Self {
        let (stage, _) = watch::channel(Stage::Running);
        Self { shared: Arc::new(Shared { stage, reason: OnceLock::new() }) }
    }

    /// One that SIGTERM and SIGINT move: the first drains, the second hurries. Call inside a tokio runtime.
    ///
    /// From here on a file that reaches its size limit is an error of the write, as on a full disk, and does not end the process.
    ///
    /// # Errors
    /// The operating system refuses the handlers.
    pub fn on_signals() -> Result<Self, SignalError> {
        let terminate = signal(SignalKind::terminate()).map_err(SignalError)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(SignalError)?;
        // The handler stays when its stream is dropped.
        drop(signal(SignalKind::from_raw(SIGXFSZ)).map_err(SignalError)?);
        let shutdown = Self::new();
        tokio::spawn(listen(shutdown.clone(), terminate, interrupt));
        Ok(shutdown)
    }

    /// Asks to drain, with the reason for the log; only the first reason counts, and a second call does not hurry.
    pub fn trigger(&self, reason: &str) {
        // The first reason is the one that matters.
        let _ = self.shared.reason.set(reason.to_owned());
        self.raise(Stage::Draining);
    }

    /// Asks to drop what is left instead of finishing it.
    pub fn hurry(&self) {
        self.raise(Stage::Hurried);
    }

    /// True once a drain was asked for.
    pub fn draining(&self) -> bool {
        *self.shared.stage.borrow() >= Stage::Draining
    }

    /// True once a hurry was asked for.
    pub fn is_hurried(&self) -> bool {
        *self.shared.stage.borrow() >= Stage::Hurried
    }

    /// Waits until a drain is asked for.
    pub async fn drain(&self) {
        self.reached(Stage::Draining).await;
    }

    /// Waits until a hurry is asked for.
    pub async fn hurried(&self) {
        self.reached(Stage::Hurried).await;
    }

    /// Why the drain was asked for: `SIGTERM`, `SIGINT`, or what [`Shutdown::trigger`] was given.
    pub fn reason(&self) -> Option<&str> {
        self.shared.reason.get().map(String::as_str)
    }

    fn raise(&self, to: Stage) {
        self.shared.stage.send_if_modified(|stage| {
            let raised = *stage < to;
            *stage = to.max(*stage);
            raised
        });
    }

    async fn reached(&self, at: Stage) {
        let mut stages = self.shared.stage.subscribe();
        // The sender lives as long as `self`, so this ends only when the stage is reached.
        let _ = stages.wait_for(|stage| *stage >= at).await;
    }
}

async fn listen(shutdown: Shutdown, mut terminate: Signal, mut interrupt: Signal) {
    loop {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        if shutdown.draining() {
            tracing::warn!(signal = name, "told to hurry");
            shutdown.hurry();
        } else {
            tracing::info!(signal = name, "told to drain");
            shutdown.trigger(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_goes_one_way_and_wakes_all_who_wait() {
        let shutdown = Shutdown::new();
        let waiting = tokio::spawn({
            let shutdown = shutdown.clone();
            async move {
                shutdown.drain().await;
                shutdown.hurried().await;
            }
        });
        assert!(!shutdown.draining());
        shutdown.trigger("all sent");
        shutdown.trigger("late");
        assert!(shutdown.draining() && !shutdown.is_hurried());
        assert_eq!(shutdown.reason(), Some("all sent"));
        shutdown.drain().await;
        shutdown.hurry();
        shutdown.trigger("too late");
        assert!(shutdown.is_hurried());
        tokio::time::timeout(std::time::Duration::from_secs(10), waiting).await.unwrap().unwrap();
    }
}
