//! The way in for the calls of one topic: who waits here waits in the topic's row.

use super::Shared;
use super::permit::Permit;
use super::rows::Place;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Timers are no finer.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// See the head of the file. Clones are the same one.
#[derive(Clone)]
pub struct Entry {
    shared: Arc<Shared>,
    /// The place of the topic's plan.
    topic: usize,
    function: Arc<str>,
}

/// Somebody who waits; stops waiting when dropped.
struct Waiter {
    shared: Arc<Shared>,
    topic: usize,
    place: Place,
    given: oneshot::Receiver<Permit>,
}

impl Entry {
    pub(super) fn new(shared: Arc<Shared>, topic: usize) -> Self {
        let function = shared.book().function_of(topic).name.clone();
        Self { shared, topic, function }
    }

    /// The function that takes the topic's batches.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// Waits until a call may begin. Within the topic, who asked first goes first; may be dropped at any time.
    pub async fn acquire(&self) -> Permit {
        let shared = &self.shared;
        let _waiting = shared.meters.guard.waits();
        let mut waiter = Waiter::join(shared, self.topic);
        let _turn = tokio::select! {
            biased;
            permit = waiter.given() => return permit,
            turn = shared.turn.lock() => turn,
        };
        loop {
            let span = shared.serve();
            tokio::select! {
                biased;
                permit = waiter.given() => return permit,
                () = shared.changed.notified() => {}
                () = over(span) => {}
            }
        }
    }
}

impl Waiter {
    fn join(shared: &Arc<Shared>, topic: usize) -> Self {
        let (asker, given) = oneshot::channel();
        let place = shared.book().join(topic, asker);
        shared.serve();
        // Whoever keeps the time learns what to wait for now.
        shared.changed.notify_one();
        Self { shared: shared.clone(), topic, place, given }
    }

    /// The permit, when its turn comes.
    async fn given(&mut self) -> Permit {
        match (&mut self.given).await {
            Ok(permit) => permit,
            // The row keeps the other end until it is used.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        self.shared.book().leave(self.topic, self.place);
    }
}

async fn over(span: Option<Duration>) {
    match span {
        Some(span) => tokio::time::sleep(span.max(LEAST_WAIT)).await,
        None => std::future::pending().await,
    }
}
