//! How many records a batch may have: it follows what the function can do. Pure: time is an argument.

use std::time::Duration;

/// Steps up, each with the part of the budget that it may lead to: a large one far from it, a small one near to it.
const STEPS: [(f64, f64); 2] = [(1.25, 0.9), (1.0625, 0.95)];
/// To which part of the budget a step down leads.
const AIM: f64 = 0.9;
/// So many answers over the budget in a row are no accident.
const SLOW: u32 = 2;
/// How long a size that timed out is kept away from, at first and at most.
const HOLD: Duration = Duration::from_secs(10);
const LONGEST_HOLD: Duration = Duration::from_secs(600);

/// Between which bounds a batch may have how many records, and how long its call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SizeSettings {
    /// Otherwise the limit is always `most`.
    pub adaptive: bool,
    /// From 1 to `most`.
    pub least: usize,
    pub most: usize,
    pub budget: Duration,
}

/// How a call ended, as far as its size can have to do with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Answered after so long.
    Answered(Duration),
    /// Not in time; it may have run.
    TimedOut,
    /// Throttled, failed, refused: fewer records would not help.
    Otherwise,
}

/// A call that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub records: usize,
    /// Its batch was closed because it was full: there are more records than fit.
    pub full: bool,
    pub round: Round,
}

/// What the limit was like when a call began; calls of another round say nothing about what is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Round {
    shrinks: u64,
    changes: u64,
}

/// A size that timed out.
#[derive(Debug, Clone, Copy)]
struct Wall {
    records: usize,
    hold: Duration,
    until: Duration,
}

/// The limit starts at `most`. A call that is not answered in time halves it, from the size of that call. Two answers in a row that took
/// longer than the budget shrink it in proportion, but only calls of at least half the limit count there, and not any more once two of
/// different size say that a call without any record would be over the budget too. While batches are full it grows by a
/// quarter per round trip, and by a sixteenth near to the budget, as long as an answer that takes longer in proportion would still be
/// within it.
///
/// What timed out is a wall: the limit stays well below it for a while, and twice as long each time that it is found to be still there.
/// A call of that size that is answered in time takes the wall away.
///
/// Calls that began before the limit last shrank do not shrink it again, and those that began before it last changed do not make it grow.
#[derive(Debug, Clone)]
pub struct Size {
    settings: SizeSettings,
    limit: usize,
    round: Round,
    slow: u32,
    /// Size and time of the first answer over the budget since one was within it.
    first_slow: Option<(usize, Duration)>,
    wall: Option<Wall>,
}

impl Wall {
    /// How far the limit may grow while the wall holds.
    fn reach(&self) -> usize {
        self.records * 3 / 4
    }
}

impl Size {
    pub fn new(settings: SizeSettings) -> Self {
        let round = Round { shrinks: 0, changes: 0 };
        Self { limit: settings.most, settings, round, slow: 0, first_slow: None, wall: None }
    }

    pub fn settings(&self) -> &SizeSettings {
        &self.settings
    }

    /// How many records a batch may have now.
    pub fn limit(&self) -> usize {
        self.limit
    }

    /// How many of `records` that were closed together go into one call. A limit that moved a little because of latency is no reason to
    /// send a batch in two: half of what it was then is, and so is anything that may time out.
    pub fn part_of(&self, records: usize) -> usize {
        let most = if self.wall.is_some() { self.limit } else { self.limit.saturating_mul(2) - 1 };
        if records <= most { records } else { records.div_ceil(records.div_ceil(self.limit)) }
    }

    /// For a call that begins.
    pub fn round(&self) -> Round {
        self.round
    }

    /// A call ended, `now`.
    pub fn ended(&mut self, call: Call, end: End, now: Duration) {
        if !self.settings.adaptive || call.round.shrinks != self.round.shrinks || call.records == 0 {
            return;
        }
        match end {
            End::Answered(latency) if latency > self.settings.budget => self.too_slow(call, latency),
            End::Answered(latency) => self.in_time(call, latency, now),
            End::TimedOut => self.timed_out(call.records, now),
            End::Otherwise => {}
        }
    }

    /// A call of the least size says nothing about the size.
    fn timed_out(&mut self, records: usize, now: Duration) {
        if records <= self.settings.least {
            return;
        }
        let hold = match self.wall {
            Some(wall) if records > wall.reach() => (wall.hold * 2).min(LONGEST_HOLD),
            _ => HOLD,
        };
        self.wall = Some(Wall { records, hold, until: now + hold });
        self.shrink(records.min(self.limit) / 2);
    }

    fn too_slow(&mut self, call: Call, latency: Duration) {
        if call.records * 2 < self.limit {
            return;
        }
        self.slow += 1;
        let first = *self.first_slow.get_or_insert((call.records, latency));
        if self.slow < SLOW || self.is_futile(first, (call.records, latency)) {
            return;
        }
        let share = AIM * self.settings.budget.as_secs_f64() / latency.as_secs_f64();
        self.shrink((self.limit as f64 * share.max(0.5)) as usize);
    }

    /// Whether a call without any record would be over the budget too, by two answers of different size.
    fn is_futile(&self, (more, longer): (usize, Duration), (fewer, shorter): (usize, Duration)) -> bool {
        if fewer * 10 > more * 7 {
            return false;
        }
        let per_record = (longer.as_secs_f64() - shorter.as_secs_f64()) / (more - fewer) as f64;
        let without = shorter.as_secs_f64() - per_record.max(0.0) * fewer as f64;
        without >= self.settings.budget.as_secs_f64()
    }

    fn in_time(&mut self, call: Call, latency: Duration, now: Duration) {
        (self.slow, self.first_slow) = (0, None);
        self.wall = self.wall.filter(|wall| call.records < wall.records);
        if !call.full || call.round != self.round {
            return;
        }
        let step = STEPS.into_iter().find_map(|(factor, part)| {
            let to = self.held_back((self.limit as f64 * factor).ceil() as usize, now);
            let expected = latency.as_secs_f64() * to as f64 / call.records as f64;
            (to > self.limit && expected <= part * self.settings.budget.as_secs_f64()).then_some(to)
        });
        if let Some(to) = step {
            self.limit = to;
            self.round.changes += 1;
        }
    }

    /// As far as the limit may grow now on its way to `to`.
    fn held_back(&self, to: usize, now: Duration) -> usize {
        let wall = self.wall.filter(|wall| now < wall.until);
        to.min(self.settings.most).min(wall.map_or(usize::MAX, |wall| wall.reach()))
    }

    fn shrink(&mut self, to: usize) {
        let to = to.max(self.settings.least);
        self.slow = 0;
        if to < self.limit {
            self.limit = to;
            self.round = Round { shrinks: self.round.shrinks + 1, changes: self.round.changes + 1 };
        }
    }
}

#[cfg(test)]
mod tests;
