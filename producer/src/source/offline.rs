//! Trucks that are offline for a while: whose turns are kept, and when they come back with all of them.
//!
//! A late truck is offline once in every interval, at a time of its own, and only if it comes back before the run ends. What
//! is kept of an event is its time; the event itself is made when the truck is back, from the truck's own stream, so it is
//! the same as if it had been sent at once. Times are nanoseconds since the start of the run.

use super::stream::hash;
use super::walk::Turn;
use crate::profile::Profile;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

/// Multiples of this spread evenly over 32 bits (the golden ratio), so any share of the trucks is met nearly exactly.
const EVEN: u32 = 0x9e37_79b9;

/// Who is late, and the turns that are kept.
#[derive(Clone)]
pub(super) struct Offline {
    seed: u64,
    /// Below this a truck is late.
    late: u64,
    offline: u64,
    every: u64,
    end: u64,
    kept: HashMap<u32, Vec<Turn>>,
    /// When trucks with kept turns come back, the earliest first.
    backs: BinaryHeap<Reverse<(u64, u32)>>,
    /// The turns of the truck that is back, the earliest last.
    sending: Vec<Turn>,
}

impl Offline {
    pub(super) fn new(profile: &Profile) -> Option<Self> {
        let late = profile.mix.late.filter(|late| late.share > 0.0)?;
        Some(Self {
            seed: profile.seed,
            late: (late.share * 2f64.powi(32)) as u64,
            offline: nanos(late.offline.get()),
            every: nanos(late.every.get()),
            end: nanos(profile.duration),
            kept: HashMap::new(),
            backs: BinaryHeap::new(),
            sending: Vec::new(),
        })
    }

    /// When `truck` is offline, from and until.
    pub(super) fn windows(&self, truck: u32) -> impl Iterator<Item = (u64, u64)> + '_ {
        let first = self.is_late(truck).then(|| self.first(truck));
        let starts = first.into_iter().flat_map(|first| (first..self.end).step_by(self.every.max(1) as usize));
        starts.map(|start| (start, start.saturating_add(self.offline))).filter(|(_, until)| *until <= self.end)
    }

    fn is_late(&self, truck: u32) -> bool {
        u64::from(truck.wrapping_add(1).wrapping_mul(EVEN)) < self.late
    }

    /// When a late truck goes offline for the first time.
    fn first(&self, truck: u32) -> u64 {
        hash(!self.seed, truck) % self.every
    }

    /// When a truck that is offline at `at` comes back.
    fn back(&self, truck: u32, at: u64) -> Option<u64> {
        if !self.is_late(truck) {
            return None;
        }
        let since_first = at.checked_sub(self.first(truck))?;
        let into_window = since_first % self.every;
        let until = at - into_window + self.offline;
        (into_window < self.offline && until <= self.end).then_some(until)
    }

    /// Keeps the turn if its truck is offline; else gives it back.
    pub(super) fn keep(&mut self, turn: Turn) -> Option<Turn> {
        let Some(due) = self.back(turn.truck, turn.at) else { return Some(turn) };
        let kept = self.kept.entry(turn.truck).or_default();
        if kept.is_empty() {
            self.backs.push(Reverse((due, turn.truck)));
        }
        kept.push(Turn { due, ..turn });
        None
    }

    /// When the next kept turn is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        let back = || self.backs.peek().map(|Reverse((back, _))| *back);
        self.sending.last().map(|turn| turn.due).or_else(back)
    }

    /// Takes the next kept turn, those of a truck in the order of their times.
    pub(super) fn take(&mut self) -> Option<Turn> {
        if self.sending.is_empty() {
            let Reverse((_, truck)) = self.backs.pop()?;
            if let Some(kept) = self.kept.get_mut(&truck) {
                // Both keep their memory; the truck will be offline again.
                std::mem::swap(kept, &mut self.sending);
                self.sending.reverse();
            }
        }
        self.sending.pop()
    }
}

/// A time in nanoseconds; 584 years at most.
pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
