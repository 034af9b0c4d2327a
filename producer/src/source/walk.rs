//! The schedule of all instances, walked through by each: whose turn it is, and when.
//!
//! Every instance draws the same trucks in the same order (same profile, same draws) and passes over the turns of trucks that
//! are not its own; passing over costs one draw. So the instances together do exactly what one alone would do.

use super::offline::Offline;
use super::totals::Totals;
use super::trucks::TruckMix;
use crate::instance::Instance;
use crate::profile::Profile;
use crate::shape::Curve;
use rand::SeedableRng;
use rand::rngs::Xoshiro256PlusPlus;
use std::time::Duration;

/// The turn of a truck to make an event. Times are nanoseconds since the start of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub truck: u32,
    /// It is an event of the hot key.
    pub is_hot: bool,
    /// The event's time.
    pub at: u64,
    /// When it should go out: at its time, or when the truck is back.
    pub due: u64,
}

/// What a step of the walk comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Turn(Turn),
    /// Nothing is due before this time.
    Wait(u64),
    /// Only turns of other instances so far: ask again.
    Passed,
    End,
}

/// Nanoseconds in a second.
pub(super) const SECOND: u64 = 1_000_000_000;

/// After so many turns of others the pipeline gets its turn.
const PASSED_AT_ONCE: u32 = 100_000;

/// A place in the schedule.
#[derive(Clone)]
pub(super) struct Walk {
    curve: Curve,
    instance: Instance,
    trucks: TruckMix,
    rng: Xoshiro256PlusPlus,
    /// How many turns the schedule has, and the next to be drawn.
    total: u64,
    next: u64,
    /// Our next turn that is not kept, already drawn.
    drawn: Option<Turn>,
    offline: Option<Offline>,
    /// Kept when the curve alone does not say what is due.
    totals: Option<Totals>,
}

impl Walk {
    /// # Errors
    /// As [`TruckMix::new`].
    pub(super) fn new(profile: &Profile, instance: Instance) -> Result<Self, String> {
        let offline = Offline::new(profile);
        let totals = (!instance.is_alone() || offline.is_some()).then(Totals::default);
        Ok(Self {
            curve: profile.shape.curve(),
            instance,
            trucks: TruckMix::new(profile)?,
            rng: Xoshiro256PlusPlus::seed_from_u64(profile.seed),
            total: profile.events(),
            next: 0,
            drawn: None,
            offline,
            totals,
        })
    }

    /// The next turn that is due at `now` (nanoseconds), in the order of due times.
    #[inline]
    pub(super) fn next(&mut self, now: u64) -> Next {
        loop {
            if self.drawn.is_none() && !self.draw() {
                return Next::Passed;
            }
            let kept = self.offline.as_ref().and_then(Offline::next_due);
            let due = match (kept, &self.drawn) {
                (None, None) => return Next::End,
                (Some(due), None) => due,
                (None, Some(turn)) => turn.due,
                (Some(due), Some(turn)) => due.min(turn.due),
            };
            if due > now {
                return Next::Wait(due);
            }
            // A truck that comes back sends what it kept before anything new.
            let turn = if kept == Some(due) { self.offline.as_mut().and_then(Offline::take) } else { self.own() };
            if let Some(turn) = turn {
                if let Some(totals) = &mut self.totals {
                    totals.note(turn.due);
                }
                return Next::Turn(turn);
            }
        }
    }

    /// The turn that was drawn, unless its truck is offline.
    fn own(&mut self) -> Option<Turn> {
        let turn = self.drawn.take()?;
        match &mut self.offline {
            None => Some(turn),
            Some(offline) => offline.keep(turn),
        }
    }

    /// Goes on to our next turn, or to the end; false when it is too far away for one go.
    fn draw(&mut self) -> bool {
        for _ in 0..PASSED_AT_ONCE {
            if self.next >= self.total {
                return true;
            }
            let (truck, is_hot) = self.trucks.draw(&mut self.rng);
            self.next += 1;
            if self.instance.owns(truck) {
                let at = self.curve.due_nanos(self.next - 1);
                self.drawn = Some(Turn { truck, is_hot, at, due: at });
                return true;
            }
        }
        false
    }

    /// How many of our turns are due before `until`; between two full seconds of a run with other instances or late trucks
    /// in proportion to the load.
    pub(super) fn planned(&self, until: Duration) -> u64 {
        let Some(totals) = &self.totals else { return self.curve.count(until).min(self.total) };
        let (second, whole) = (until.as_secs(), Duration::from_secs(until.as_secs()));
        let before = self.before(totals, second);
        if until == whole {
            return before;
        }
        let load = |time| self.curve.count(time).min(self.total) as f64;
        let (start, end) = (load(whole), load(whole + Duration::from_secs(1)));
        let part = (load(until) - start) / (end - start).max(1.0);
        before + ((self.before(totals, second + 1) - before) as f64 * part).round() as u64
    }

    fn before(&self, totals: &Totals, second: u64) -> u64 {
        totals.before(second).unwrap_or_else(|| {
            // Not walked so far (the run was stopped, or is behind): a copy walks on.
            let mut ahead = self.clone();
            let end = second.saturating_mul(SECOND);
            loop {
                match ahead.next(end) {
                    Next::Turn(turn) if turn.due < end => {}
                    Next::Passed => {}
                    Next::Turn(_) | Next::Wait(_) | Next::End => break,
                }
            }
            let totals = ahead.totals.unwrap_or_default();
            totals.before(second).unwrap_or(totals.all())
        })
    }
}
