//! The spool at work: what goes in at the end of a chunk, what comes out when it is due, and how it fares with its disk.

mod letters;
mod pass;

pub use super::door::SpoolDoor;

use super::disk::{Disk, TRY_EVERY};
use super::{Silent, Spool, SpoolError, Spooled, key_hash};
use crate::client::Returned;
use crate::disk_pulse::DiskPulse;
use crate::tally::Tally;
use crate::ticket::Ticket;
use letters::Letters;
use runtime::clock::SharedClock;
use runtime::health::Beat;
use std::collections::HashMap;
use std::time::Duration;

/// Section `[spool]`, as meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolRules {
    /// An event without an answer for so long goes to the spool.
    pub after: Duration,
    /// Attempts that failed for an event alone, after which it becomes a dead letter; 0 is never.
    pub attempts: u64,
}

/// An event that must go to the disk at the end of the chunk.
#[derive(Debug)]
pub enum Waiting {
    /// It queues behind others of its key.
    New(Spooled, Ticket),
    /// A client gave it back; it still has its slot.
    Back(Box<Returned>, Spooled),
}

/// The spool, and what is about to go into it.
pub struct Desk {
    pub spool: Spool,
    pub rules: SpoolRules,
    /// False from the moment when Kafka was too long without an answer until the next acknowledgement.
    pub healthy: bool,
    /// Partitions that do not answer.
    pub silent: Silent,
    /// Events of the spool that a client has taken once, by their numbers: how often each has failed alone since.
    taken: HashMap<u64, u64>,
    /// Dead letters that found no place.
    letters: Letters,
    waiting: Vec<Waiting>,
    keys_waiting: Vec<u64>,
    bytes_waiting: u64,
    finished: Vec<u64>,
    removed_at: Duration,
    disk: Disk,
    pulse: DiskPulse,
    /// When it was last looked whether the file is still there.
    looked: Duration,
    tally: Tally,
    clock: SharedClock,
    beat: Beat,
    state: SpoolDoor,
}

/// Removals are collected for so long: each is a write to the disk.
const REMOVE_EVERY: Duration = Duration::from_millis(200);
const REMOVE_AT: usize = 2_000;
/// The last ones go sooner: the spool is empty as soon as it can be.
const REMOVE_LAST: Duration = Duration::from_millis(20);
/// What the disk holds of an event beside its key and value, roughly.
const AROUND: u64 = 128;
/// The door closes while there is still room for what has passed it.
const DOOR_ROOM: u64 = 10;

impl Desk {
    pub fn new(spool: Spool, rules: SpoolRules, (tally, clock, beat): (Tally, SharedClock, Beat)) -> Self {
        tally.recovered.add(spool.len());
        beat.ready(true, "");
        let desk = Self {
            spool,
            rules,
            healthy: true,
            silent: Silent::default(),
            taken: HashMap::new(),
            letters: Letters::default(),
            waiting: Vec::new(),
            keys_waiting: Vec::new(),
            bytes_waiting: 0,
            finished: Vec::new(),
            removed_at: Duration::ZERO,
            disk: Disk::default(),
            pulse: DiskPulse::new("the spool's disk", clock.clone()),
            looked: Duration::ZERO,
            tally,
            clock,
            beat,
            state: SpoolDoor::default(),
        };
        desk.publish();
        desk
    }

    pub fn door(&self) -> SpoolDoor {
        self.state.clone()
    }

    pub fn pulse(&self) -> DiskPulse {
        self.pulse.clone()
    }

    /// True when an event of this key must not go straight to the client.
    pub fn detours(&self, topic: u16, key: &[u8]) -> bool {
        // A disk that refuses takes nothing: what waits for it, and what is on it, comes first, and all else has the client.
        if !self.disk.refuses() && (!self.healthy || self.silent.holds(topic, key)) {
            return true;
        }
        if self.spool.is_empty() && self.waiting.is_empty() {
            return false;
        }
        let key = key_hash(key);
        self.spool.queues(key) || self.keys_waiting.contains(&key)
    }

    /// True when one more event of so many bytes can be taken.
    pub fn has_room(&self, bytes: usize) -> bool {
        !self.disk.refuses() && !self.spool.is_full(self.bytes_waiting + bytes as u64)
    }

    pub fn take(&mut self, event: Waiting) {
        let (Waiting::New(spooled, _) | Waiting::Back(_, spooled)) = &event;
        self.keys_waiting.push(key_hash(&spooled.key));
        self.bytes_waiting += (spooled.key.len() + spooled.value.len()) as u64;
        self.waiting.push(event);
    }

    /// Puts what waits on the disk; it is safe when it comes back from here. After an error it keeps waiting.
    pub fn store(&mut self) -> Vec<Waiting> {
        if self.waiting.is_empty() || self.disk.refuses() || !self.stays() {
            return Vec::new();
        }
        let events: Vec<Spooled> =
            self.waiting.iter().map(|(Waiting::New(event, _) | Waiting::Back(_, event))| event.clone()).collect();
        let stored = self.pulse.during(|| self.spool.append(&events));
        let bytes = self.bytes_waiting + events.len() as u64 * AROUND;
        let Some(first) = self.note_of(bytes, stored) else { return Vec::new() };
        let numbered = (first..).zip(&self.waiting);
        let back = numbered.filter(|(_, event)| matches!(event, Waiting::Back(..)));
        self.taken.extend(back.map(|(number, _)| (number, 0)));
        self.tally.spooled.add(events.len() as u64);
        self.publish();
        self.abandon()
    }

    /// Events that waited for a disk that refuses: those that a client can be given again.
    pub fn hand_back(&mut self) -> Vec<Returned> {
        let (back, new): (Vec<_>, Vec<_>) =
            self.abandon().into_iter().partition(|event| matches!(event, Waiting::Back(..)));
        new.into_iter().for_each(|event| self.take(event));
        back.into_iter()
            .filter_map(|event| if let Waiting::Back(back, _) = event { Some(*back) } else { None })
            .collect()
    }

    /// What waits for the disk, which it does no more.
    pub fn abandon(&mut self) -> Vec<Waiting> {
        self.keys_waiting.clear();
        self.bytes_waiting = 0;
        std::mem::take(&mut self.waiting)
    }

    pub fn nothing_waits(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The run ends: takes what is finished off the disk.
    pub fn close(&mut self) {
        self.sweep(true);
        self.count();
    }

    /// Takes what is finished off the disk, not too often.
    pub fn sweep(&mut self, at_once: bool) {
        if at_once && !self.disk.refuses() {
            self.stays();
        }
        let now = self.clock.now();
        let every = if self.spool.len() <= REMOVE_AT as u64 { REMOVE_LAST } else { REMOVE_EVERY };
        let due = at_once || self.finished.len() >= REMOVE_AT || now.saturating_sub(self.removed_at) >= every;
        if self.finished.is_empty() || !due || self.disk.refuses() {
            return;
        }
        self.removed_at = now;
        let removed = self.pulse.during(|| self.spool.remove(&self.finished));
        if self.note(removed).is_some() {
            self.finished.clear();
            self.publish();
        }
    }

    /// Tries a disk that refused once more, from time to time: it works when it takes more than it refused.
    pub fn mend(&mut self) {
        self.beat.progress();
        let now = self.clock.now();
        self.state.look(now);
        if !self.disk.refuses() {
            if now.saturating_sub(self.looked) >= TRY_EVERY {
                self.looked = now;
                self.stays();
            }
            return;
        }
        let Some(bytes) = self.disk.trial(now) else { return };
        let tried = self.pulse.during(|| self.spool.reopen().and_then(|()| self.spool.trial(bytes)));
        if let Err(error) = tried {
            return self.unready(&error);
        }
        let refused_ms = self.disk.works(now).as_millis() as u64;
        tracing::info!(refused_ms, "the spool's disk works again");
        // The client has what the disk refused; later events of its keys would be ahead of it in the spool.
        self.healthy = true;
        self.silent = Silent::default();
        self.spool.look_again();
        self.publish();
    }

    /// Whether the file is where it was put, if need be again.
    fn stays(&mut self) -> bool {
        let stays = self.pulse.during(|| self.spool.stay());
        let stays = self.note(stays);
        if stays == Some(true) {
            let events = self.spool.len();
            tracing::warn!(
                events,
                "the spool's file was removed while it was in use: it was written anew with all it held"
            );
        }
        stays.is_some()
    }

    pub fn is_unwell(&self) -> bool {
        self.disk.refuses()
    }

    /// True when the disk has refused for so long.
    pub fn is_unwell_for(&self, long: Duration) -> bool {
        self.disk.refuses_for(long, self.clock.now())
    }

    /// Who waits for events that wait for the disk; they go on waiting, and nobody for them.
    pub fn forget_tickets(&mut self) -> Vec<Ticket> {
        let tickets = self.waiting.iter_mut().filter_map(|event| match event {
            Waiting::New(_, ticket) => Some(std::mem::take(ticket)),
            Waiting::Back(..) => None,
        });
        tickets.filter(|ticket| *ticket != Ticket::NONE).collect()
    }

    /// The value, or `None` and a spool that is not well until its disk works again.
    fn note<T>(&mut self, result: Result<T, SpoolError>) -> Option<T> {
        self.note_of(0, result)
    }

    /// The same for a write of about so many bytes.
    fn note_of<T>(&mut self, bytes: u64, result: Result<T, SpoolError>) -> Option<T> {
        let error = match result {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        // What a closed file says after the first refusal says less.
        if self.disk.refused(bytes, self.clock.now()) {
            tracing::error!(%error, "the spool's disk refuses; what it holds is safe, nothing more is taken");
            self.unready(&error);
        }
        None
    }

    fn unready(&self, error: &SpoolError) {
        self.beat.ready(false, &error.to_string());
        self.state.close(error.to_string());
    }

    /// What has met its end counts no more, whether or not the disk could let it go.
    fn count(&self) {
        self.tally.in_spool.set(self.spool.len().saturating_sub(self.finished.len() as u64) as f64);
        self.tally.spool_bytes.set(self.spool.bytes() as f64);
    }

    /// Only when the disk has just shown that it works.
    fn publish(&self) {
        self.count();
        let reason = || format!("the spool is full ({} events, {} bytes)", self.spool.len(), self.spool.bytes());
        let reason = self.spool.is_full(self.spool.limit / DOOR_ROOM).then(reason);
        self.beat.ready(reason.is_none(), reason.as_deref().unwrap_or_default());
        self.state.full(reason);
    }
}
