//! Rate limit: events/s and bytes/s together, over every source, changeable while running.
//!
//! *In*: what a chunk or a request costs. *Out*: pass, or how long to wait. *Never*: waits itself, drops or reorders anything.
//!
//! governor's cells are events, and KiB for bytes (its integer nanoseconds per cell would make a byte rate badly wrong). A
//! chunk asks once, is let through as a whole, and is small against the rate, so a second never holds much more than its rate.

mod admission;
mod gate;

pub use admission::Admission;

use crate::chunk::Room;
use crate::instance::Instance;
use gate::Gate;
use runtime::clock::SharedClock;
use runtime::config::Size;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Section `[limits]`, and what the admin port takes: 0 is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub events_per_second: f64,
    /// Bytes of values per second, with a unit: `"10MB"`.
    pub bytes_per_second: Size,
}

/// The slowest limits that still move: an event in 10 s, a KiB in a second.
const SLOWEST_EVENTS: f64 = 0.1;
const SLOWEST_BYTES: u64 = 1024;
const CHUNK_EVENTS: usize = 256;
const CHUNK_BYTES: usize = 256 * 1024;

impl Limits {
    /// The setting that is out of range, and what is allowed.
    ///
    /// # Errors
    /// One of the two rates is not 0 and outside what can be kept.
    pub fn validate(&self) -> Result<(), (&'static str, &'static str)> {
        let events = self.events_per_second;
        if events != 0.0 && !(SLOWEST_EVENTS..=1e7).contains(&events) {
            return Err(("events_per_second", "allowed is 0 (no limit) or 0.1 to 10000000"));
        }
        let bytes = self.bytes_per_second.bytes();
        if bytes != 0 && !(SLOWEST_BYTES..=10_000_000_000).contains(&bytes) {
            return Err(("bytes_per_second", "allowed is 0 (no limit) or \"1KiB\" to \"10GB\""));
        }
        Ok(())
    }
}

impl Limits {
    /// The part of the limits that is `instance`'s; the parts of all instances add up to the whole.
    pub fn part(&self, instance: Instance) -> Self {
        Self {
            events_per_second: self.events_per_second / f64::from(instance.of()),
            bytes_per_second: Size::from_bytes(instance.part(self.bytes_per_second.bytes())),
        }
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = |unlimited: bool, text: String| if unlimited { "any number of".to_owned() } else { text };
        let events = none(self.events_per_second == 0.0, format!("{:.1}", self.events_per_second));
        let bytes = none(self.bytes_per_second.bytes() == 0, self.bytes_per_second.bytes().to_string());
        write!(f, "{events} events/s, {bytes} bytes/s")
    }
}

/// The limits that are wanted now; clones look at the same.
#[derive(Debug, Clone, Default)]
pub struct LimitControl {
    wanted: Arc<Mutex<Limits>>,
    version: Arc<AtomicU64>,
}

impl LimitControl {
    pub fn new(limits: Limits) -> Self {
        let control = Self::default();
        control.set(limits);
        control
    }

    /// Changes the limits of the running producer, from its next chunk on.
    pub fn set(&self, limits: Limits) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = limits;
        self.version.fetch_add(1, Ordering::Release);
    }

    pub fn get(&self) -> Limits {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a chunk still has to pay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ask {
    events: u32,
    kib: u32,
}

/// The two gates in front of send.
pub struct Limiter {
    control: LimitControl,
    version: u64,
    clock: SharedClock,
    events: Option<Gate>,
    kib: Option<Gate>,
    room: Room,
    /// Bytes that did not fill a KiB yet.
    carried: usize,
}

impl Limiter {
    pub fn new(control: LimitControl, clock: SharedClock) -> Self {
        let room = Room { events: CHUNK_EVENTS, bytes: CHUNK_BYTES };
        let mut limiter = Self { control, version: 0, clock, events: None, kib: None, room, carried: 0 };
        limiter.follow();
        limiter
    }

    /// Takes over limits that were changed.
    fn follow(&mut self) {
        let version = self.control.version.load(Ordering::Acquire);
        if version == self.version {
            return;
        }
        self.version = version;
        let limits = self.control.get();
        let kib_rate = limits.bytes_per_second.bytes() as f64 / 1024.0;
        self.events = Gate::new(limits.events_per_second, CHUNK_EVENTS as u32, &self.clock);
        self.kib = Gate::new(kib_rate, (CHUNK_BYTES / 1024) as u32, &self.clock);
        self.room = Room {
            events: self.events.as_ref().map_or(CHUNK_EVENTS, Gate::burst),
            bytes: self.kib.as_ref().map_or(CHUNK_BYTES, |gate| gate.burst() * 1024),
        };
    }

    /// How large a chunk may be so that the limits stay smooth: a hundredth of a second of them.
    pub fn room(&mut self) -> Room {
        self.follow();
        self.room
    }

    /// The price of a chunk.
    pub fn ask(&mut self, events: usize, bytes: usize) -> Ask {
        self.carried += bytes;
        let kib = self.carried / 1024;
        self.carried %= 1024;
        Ask { events: events as u32, kib: kib as u32 }
    }

    /// Pays what can be paid now; `None` when all is paid, else how long until more can be paid.
    pub fn pay(&mut self, ask: &mut Ask) -> Option<Duration> {
        self.follow();
        let events = self.events.as_ref().and_then(|gate| gate.pay(&mut ask.events));
        events.or_else(|| self.kib.as_ref().and_then(|gate| gate.pay(&mut ask.kib)))
    }
}

#[cfg(test)]
mod tests;
