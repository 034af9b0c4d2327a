//! One client of Lambda and the connection it holds, until nothing comes out of that any more.
//!
//! A connection that a firewall forgets stays open on our side until TCP gives up, a quarter of an hour later; calls that are given up do not
//! close it, because HTTP/2 carries others beside them.

use super::InvokeFailure;
use aws_sdk_lambda::Client;
use domain::failure::FailureClass;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// See the head of the file.
pub(super) struct Line {
    make: Box<dyn Fn() -> Client + Send + Sync>,
    open: Mutex<Open>,
    /// How many calls were answered, by whatever.
    answered: AtomicU64,
}

#[derive(Clone)]
struct Open {
    client: Client,
    /// How many clients there were before.
    number: u64,
}

/// A call that begins on a line.
pub(super) struct Begun {
    pub(super) client: Client,
    number: u64,
    answered: u64,
}

impl Line {
    /// With clients that `make` makes, each with connections of its own.
    pub(super) fn new(make: impl Fn() -> Client + Send + Sync + 'static) -> Self {
        let open = Mutex::new(Open { client: make(), number: 0 });
        Self { make: Box::new(make), open, answered: AtomicU64::new(0) }
    }

    pub(super) fn begin(&self) -> Begun {
        let answered = self.answered.load(Ordering::Relaxed);
        let Open { client, number } = self.open().clone();
        Begun { client, number, answered }
    }

    /// The call is over. When it was given up, and nothing at all was answered since it began, the next calls go by another connection.
    pub(super) fn end(&self, begun: &Begun, failure: Option<&InvokeFailure>) {
        // A function that ran out of its own time is an answer.
        let given_up = |failure: &InvokeFailure| failure.timed_out && failure.class == FailureClass::Transient;
        if !failure.is_some_and(given_up) {
            self.answered.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let mut open = self.open();
        if open.number == begun.number && self.answered.load(Ordering::Relaxed) == begun.answered {
            *open = Open { client: (self.make)(), number: begun.number + 1 };
            tracing::warn!(
                "nothing was answered while a call waited for its whole time: the next calls open another connection to Lambda"
            );
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}
