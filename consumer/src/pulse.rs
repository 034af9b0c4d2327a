//! Pulse: what a function does for others, so that no record is blamed for what the function does to everybody.
//!
//! In: how the calls of all lanes ended. Out: what happened since a record's last failure, and the moment at which the function is well again.
//! Never: decides what becomes of a record, waits, or lets one function's calls say anything about another's.

/// The signs of one function. Pure.
mod signs;

use runtime::clock::SharedClock;
pub use signs::{Heard, Mark, Signs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The pulses of all functions; clones are the same ones.
#[derive(Clone)]
pub struct Pulses {
    all: Arc<[Pulse]>,
}

/// The pulse of one function; clones are the same one.
#[derive(Clone)]
pub struct Pulse {
    shared: Arc<Shared>,
}

struct Shared {
    function: String,
    clock: SharedClock,
    signs: Mutex<Signs>,
    /// Changes whenever the function is well again.
    recovered: watch::Sender<()>,
}

impl Pulses {
    pub fn new(functions: &[&str], clock: &SharedClock) -> Self {
        let pulse = |function: &&str| {
            let (signs, recovered) = (Mutex::default(), watch::Sender::new(()));
            Pulse {
                shared: Arc::new(Shared { function: (*function).to_owned(), clock: clock.clone(), signs, recovered }),
            }
        };
        Self { all: functions.iter().map(pulse).collect() }
    }

    /// `None` when there is no such function.
    pub fn of(&self, function: &str) -> Option<Pulse> {
        self.all.iter().find(|pulse| *pulse.shared.function == *function).cloned()
    }
}

impl Pulse {
    /// A call was answered and records met their fate by that. Before it the function had failed `errors` times at these very records.
    pub fn answered(&self, errors: u32) {
        let recovered = self.signs().answered(errors, self.shared.clock.now());
        if recovered {
            self.shared.recovered.send_replace(());
        }
    }

    /// A call did not reach the function, or was not answered in time.
    pub fn failed(&self) {
        self.signs().failed(self.shared.clock.now());
    }

    /// The function failed at records at which it failed at `before`, if ever; `known` says that they are known to be at fault. Gives what
    /// happened to others in between, and what to come back with the next time.
    pub fn failed_at(&self, before: Option<Mark>, known: bool) -> (Heard, Mark) {
        self.signs().failed_at(before, known, self.shared.clock.now())
    }

    /// Whether the function fails only where records are at fault.
    pub fn is_steady(&self) -> bool {
        self.signs().is_steady()
    }

    /// Changes whenever the function is well again from now on.
    pub fn recoveries(&self) -> watch::Receiver<()> {
        self.shared.recovered.subscribe()
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.shared.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
