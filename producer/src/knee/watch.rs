//! Measures the steps of a climb while they run, and ends the source when a limit is passed.
//!
//! It stands between the pipeline and the source, which says when events are due: the pipeline asks it all the time, so it
//! sees the end of a step within milliseconds. What a late look adds to a step is part of its measured time.

use super::{Knee, Measured, Next};
use crate::answers::Answers;
use crate::chunk::{Chunk, Room};
use crate::instance::Instance;
use crate::profile::Profile;
use crate::source::{BadLine, Fill, Load, ReplayError, SeriesName, Source};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The climb's result, shared between the flow and the report.
pub type SharedKnee = Arc<Mutex<Knee>>;

/// The result so far.
pub fn taken(knee: &SharedKnee) -> Knee {
    knee.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Puts a watch on `source` when it generates `profile` and its shape is a climb. An instance of several climbs its part of
/// every rate; the limits are those of each.
pub fn watch(
    source: Box<dyn Source>,
    profile: Option<&Profile>,
    instance: Instance,
    answers: &Arc<Answers>,
) -> (Box<dyn Source>, Option<SharedKnee>) {
    let climbing = profile.and_then(|profile| Some((profile, profile.shape.climb()?)));
    let Some((profile, climb)) = climbing else { return (source, None) };
    let part = part(profile, instance);
    let knee = Arc::new(Mutex::new(Knee::new(climb)));
    answers.lap();
    let watched = Watched {
        source,
        answers: answers.clone(),
        knee: knee.clone(),
        rates: climb.rates().map(|rate| rate * part).collect(),
        every: climb.every.get(),
        settle: climb.settle.get(),
        duration: profile.duration,
        step: 0,
        since: Duration::ZERO,
        settled: false,
        ended: None,
    };
    (Box::new(watched), Some(knee))
}

/// The part of the load that an instance has.
fn part(profile: &Profile, instance: Instance) -> f64 {
    if instance.is_alone() {
        return 1.0;
    }
    // A profile that makes no distribution would not run.
    Load::new(profile, instance).map_or(1.0, |load| load.whole)
}

struct Watched {
    source: Box<dyn Source>,
    answers: Arc<Answers>,
    knee: SharedKnee,
    rates: Vec<f64>,
    every: Duration,
    settle: Duration,
    /// Of the whole run.
    duration: Duration,
    /// The step that runs, and since when it is measured.
    step: usize,
    since: Duration,
    settled: bool,
    /// The climb is over, and the plan with it.
    ended: Option<Duration>,
}

impl Watched {
    fn look(&mut self, now: Duration) {
        if now >= self.end() {
            self.close(now);
        } else if !self.settled && now >= self.start() + self.settle {
            self.measure_from(now);
            self.settled = true;
        }
    }

    fn start(&self) -> Duration {
        self.every * self.step as u32
    }

    fn end(&self) -> Duration {
        self.start() + self.every
    }

    /// Whether the run lasts until the end of the step.
    fn is_whole(&self) -> bool {
        self.end() <= self.duration
    }

    fn measure_from(&mut self, now: Duration) {
        self.answers.lap();
        self.since = now;
    }

    /// The step is over. A flow that was held up for longer than a step finds itself in a later one.
    fn close(&mut self, now: Duration) {
        let measured = self.measured(now);
        let next = self.knee.lock().unwrap_or_else(PoisonError::into_inner).add(measured);
        tracing::info!(
            wanted = measured.wanted,
            reached = measured.reached.round(),
            ack_p99_ms = measured.ack_p99_ms,
            queue = measured.queue,
            "step ended"
        );
        self.step = (now.as_nanos() / self.every.as_nanos().max(1)) as usize;
        self.ended = (next == Next::Stop || self.step >= self.rates.len()).then_some(now);
        self.settled = false;
        self.since = now;
    }

    fn measured(&self, now: Duration) -> Measured {
        let lap = self.answers.lap();
        let seconds = now.saturating_sub(self.since).as_secs_f64().max(f64::MIN_POSITIVE);
        let due = |until| self.source.planned(until).unwrap_or_default();
        Measured {
            wanted: self.rates.get(self.step).copied().unwrap_or_default(),
            planned: due(now).saturating_sub(due(self.since)) as f64 / seconds,
            reached: lap.acknowledged as f64 / seconds,
            ack_p99_ms: lap.p99.map(|p99| p99.as_secs_f64() * 1_000.0),
            queue: self.answers.tally.unanswered(),
            seconds,
        }
    }
}

impl Source for Watched {
    fn fill(&mut self, now: Duration, room: Room, chunk: &mut Chunk) -> Result<Fill, ReplayError> {
        self.look(now);
        if self.ended.is_some() {
            return Ok(Fill::End);
        }
        match self.source.fill(now, room, chunk)? {
            // The last event of a whole step is out, and the step still has to end.
            Fill::End if self.is_whole() => Ok(Fill::Wait(self.end())),
            fill => Ok(fill),
        }
    }

    fn bad_lines(&mut self) -> Vec<BadLine> {
        self.source.bad_lines()
    }

    fn series(&self, number: u32) -> Option<SeriesName> {
        self.source.series(number)
    }

    fn planned(&self, until: Duration) -> Option<u64> {
        self.source.planned(self.ended.map_or(until, |end| until.min(end)))
    }

    fn drain(&mut self) -> bool {
        self.source.drain()
    }
}
