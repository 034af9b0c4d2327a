//! The flow: source -> route -> key -> rate limit -> send, chunk by chunk, on one thread.
//!
//! Knows the stages and their order; they do not know each other. It alone waits, and only when it is ahead of its time.

use crate::chunk::Chunk;
use crate::key;
use crate::limit::Limiter;
use crate::route::Router;
use crate::send::{Books, Outlet, Sending};
use crate::set_aside::{Bytes, SetAside, SetAsideFile};
use crate::source::{BadLine, Fill, Source};
use crate::tally::Tally;
use crate::ticket::Fate;
use domain::key::KeyStrategy;
use std::sync::Arc;
use std::time::Duration;

/// Waits, or moves a clock by hand.
pub type Pause = Box<dyn FnMut(Duration) + Send>;

/// The parts of a flow.
pub struct Pipeline<O> {
    pub source: Box<dyn Source>,
    pub router: Router,
    pub strategy: KeyStrategy,
    pub limiter: Limiter,
    pub sending: Sending<O>,
    pub set_aside: Arc<SetAsideFile>,
    pub pause: Pause,
}

/// Why a flow ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The source has no more.
    Complete,
    /// A drain was asked for.
    Stopped,
    /// The source failed.
    SourceFailed(String),
}

/// What is left of a flow that ended.
pub struct Flown {
    pub end: End,
    pub source: Box<dyn Source>,
    pub books: Books,
    /// From the start of the run to the last event sent.
    pub elapsed: Duration,
}

/// Short sleeps cost more than they give: every wake-up finds a cold cache. The next events are this late at most.
const SHORTEST_SLEEP: Duration = Duration::from_millis(4);
/// The flow looks once more what is due, so long before a second of the run is over.
const LAST_LOOK: Duration = Duration::from_millis(1);
/// A sleep is cut here, so that a drain or a new limit is seen soon.
const LONGEST_SLEEP: Duration = Duration::from_millis(50);
/// So many bad lines are logged one by one; all of them are in the local file.
const LOGGED_BAD_LINES: u64 = 20;

impl<O: Outlet> Pipeline<O> {
    /// Runs until the source ends, a drain is asked for, or nothing more can be sent. Gives the outlet back, whose end may take a while.
    pub fn run(mut self) -> (Flown, O) {
        let mut chunk = Chunk::default();
        self.sending.answers.started();
        let end = loop {
            self.sending.tend();
            if self.sending.patience.draining() && (!self.source.drain() || self.sending.patience.is_over()) {
                break End::Stopped;
            }
            match self.turn(&mut chunk) {
                Ok(None) => {}
                Ok(Some(end)) => break end,
                Err(error) => break End::SourceFailed(error),
            }
        };
        let elapsed = self.sending.elapsed();
        self.sending.finish(&mut *self.pause);
        let Sending { beat, books, outlet, .. } = self.sending;
        beat.retire();
        (Flown { end, source: self.source, books, elapsed }, outlet)
    }

    fn turn(&mut self, chunk: &mut Chunk) -> Result<Option<End>, String> {
        chunk.clear();
        let now = self.sending.elapsed();
        let room = self.limiter.room();
        let fill = self.source.fill(now, room, chunk).map_err(|error| error.to_string())?;
        self.tell_bad_lines();
        match fill {
            Fill::End if self.sending.patience.draining() => return Ok(Some(End::Stopped)),
            Fill::End => return Ok(Some(End::Complete)),
            Fill::Wait(until) if until > now => (self.pause)(sleep(now, until)),
            Fill::Wait(_) => {}
            Fill::Taken => {
                self.route(chunk);
                key::key(self.strategy, chunk);
                if !self.pass_limits(chunk) || !self.sending.send(chunk) {
                    return Ok(Some(End::Stopped));
                }
            }
        }
        Ok(None)
    }

    fn route(&mut self, chunk: &mut Chunk) {
        let (sending, set_aside) = (&self.sending, &self.set_aside);
        self.router.route(chunk, |item, value| {
            sending.answers.tally.unroutable.add(1);
            let detail = format!("no route holds codigo {}", item.codigo);
            let line = SetAside {
                at_ms: sending.clock.wall_ms(),
                class: "rejected",
                reason: "no-route",
                detail: &detail,
                timestamp_ms: Some(item.ts),
                value: Bytes(value),
                ..SetAside::default()
            };
            let kept = write(set_aside, &line, &sending.answers.tally);
            let fate = if kept { Fate::DeadLettered } else { Fate::Failed };
            sending.answers.tickets.settle(item.ticket, fate);
        });
    }

    /// Waits until the limits let the chunk pass; false when time is up meanwhile; then it counts as failed.
    fn pass_limits(&mut self, chunk: &Chunk) -> bool {
        let mut ask = self.limiter.ask(chunk.len(), chunk.value_bytes());
        while let Some(wait) = self.limiter.pay(&mut ask) {
            self.sending.tend();
            // Events that the source has made but the limits hold back still go out within the shutdown deadline.
            if self.sending.patience.is_over() {
                return self.sending.give_up(chunk);
            }
            (self.pause)(wait.clamp(Duration::from_micros(50), LONGEST_SLEEP));
        }
        true
    }

    fn tell_bad_lines(&mut self) {
        for bad in self.source.bad_lines() {
            let tally = &self.sending.answers.tally;
            tally.bad_lines.add(1);
            let BadLine { file, line, reason, detail, value } = &bad;
            if tally.bad_lines.get() <= LOGGED_BAD_LINES {
                tracing::warn!(file, line, reason, detail, "bad line");
            }
            let at_ms = self.sending.clock.wall_ms();
            let aside = SetAside {
                at_ms,
                class: "rejected",
                reason,
                detail,
                file: Some(file),
                line: Some(*line),
                value: Bytes(value),
                ..SetAside::default()
            };
            write(&self.set_aside, &aside, tally);
        }
    }
}

/// How long to sleep at `now` when the next event is due at `until`. A second sends what is due in it: a sleep that would pass its
/// last look ends there.
fn sleep(now: Duration, until: Duration) -> Duration {
    let wanted = (until - now).clamp(SHORTEST_SLEEP, LONGEST_SLEEP);
    let last_look = Duration::from_secs(now.as_secs() + 1) - LAST_LOOK;
    if now < last_look && until <= last_look { wanted.min(last_look - now) } else { wanted }
}

/// False when the file took nothing.
fn write(file: &SetAsideFile, line: &SetAside<'_>, tally: &Tally) -> bool {
    let written = file.write(line);
    if written.is_err() {
        tally.not_set_aside.add(1);
    }
    written.is_ok()
}
