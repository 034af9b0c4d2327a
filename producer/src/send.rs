//! Send: hands events to the client's queue, in their order, and waits for room when it is full.
//!
//! *In*: a routed, keyed chunk that the limits let pass. *Out*: every event taken by the client, set aside, or counted as
//! failed. *Never*: offers a later event while an earlier one waits for room (order per key), or drops one in silence.

use crate::answers::Answers;
use crate::chunk::{Chunk, Item};
use crate::client::Offered;
use crate::ledger::Offers;
use crate::tally::{CodeCounts, Pace};
use runtime::clock::SharedClock;
use runtime::health::Beat;
use runtime::shutdown::Shutdown;
use std::sync::Arc;
use std::time::Duration;

/// The way out of the flow; scripted in tests.
pub trait Outlet: Send {
    /// So many events come now.
    fn begin_chunk(&mut self, _events: usize) {}

    /// Hands over an event, or says why not.
    fn offer(&mut self, item: &Item, chunk: &Chunk) -> Offered;

    /// The chunk is through: what was answered with [`Offered::Spooled`] goes to the disk.
    fn end_chunk(&mut self) {}

    /// Does what is due behind the flow's back: another client, the spool. Called often.
    fn tend(&mut self, _draining: bool) {}

    /// Waits until there may be room, or for `at_most`.
    fn wait_for_room(&mut self, at_most: Duration);

    /// True when everything that was handed over has met its end, or (while draining) is on the disk.
    fn settled(&self, _draining: bool) -> bool {
        true
    }

    /// Time is up: what has no answer goes to the spool, or counts as failed without one. Calls `alive` while it waits.
    fn put_away(&mut self, _alive: &dyn Fn()) {}

    /// The way out, however it ended: writes down what has met its end.
    fn close(&mut self) {}
}

/// How long the end may take once a drain was asked for.
#[derive(Clone)]
pub struct Patience {
    shutdown: Shutdown,
    clock: SharedClock,
    deadline: Duration,
    since: Option<Duration>,
}

impl Patience {
    pub fn new(shutdown: Shutdown, clock: SharedClock, deadline: Duration) -> Self {
        Self { shutdown, clock, deadline, since: None }
    }

    /// A drain was asked for: take nothing new.
    pub fn draining(&self) -> bool {
        self.shutdown.draining()
    }

    /// Time is up, or a second signal hurries: leave what is not done. The deadline starts with the first call after a
    /// drain was asked for.
    pub fn is_over(&mut self) -> bool {
        if !self.shutdown.draining() {
            return false;
        }
        let since = *self.since.get_or_insert_with(|| self.clock.now());
        self.shutdown.is_hurried() || self.clock.now().saturating_sub(since) >= self.deadline
    }
}

const TOO_LATE: &str = "not sent before the shutdown deadline";

/// Between two looks whether everything has met its end.
const FINISHING: Duration = Duration::from_millis(2);

/// How long one wait for room may take before the deadline is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The stage.
pub struct Sending<O> {
    pub outlet: O,
    pub answers: Arc<Answers>,
    pub clock: SharedClock,
    pub patience: Patience,
    pub beat: Beat,
    pub books: Books,
}

/// What the flow writes down about the events that it offered.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub pace: Pace,
    pub counts: CodeCounts,
    /// Kept when a ledger is wanted.
    pub offers: Option<Offers>,
}

impl<O: Outlet> Sending<O> {
    /// Sends a whole chunk; false when the rest of the run is pointless. What was not sent then is counted as failed.
    pub fn send(&mut self, chunk: &Chunk) -> bool {
        let tally = self.answers.tally.clone();
        tally.offered.add(chunk.len() as u64);
        self.books.note(chunk.items());
        self.outlet.begin_chunk(chunk.len());
        let mut now = self.elapsed();
        let (mut sent, mut sent_bytes) = (0, 0);
        let mut rest = chunk.items().iter();
        for item in rest.by_ref() {
            match self.send_one(item, chunk, &mut now) {
                Ok(true) => (sent, sent_bytes) = (sent + 1, sent_bytes + item.value.len() as u64),
                Ok(false) => {}
                Err(why) => {
                    self.answers.lost_sight(&why, item.ticket);
                    rest.by_ref().for_each(|item| self.answers.lost_sight(&why, item.ticket));
                    self.outlet.end_chunk();
                    tally.sent.add(sent);
                    tally.sent_bytes.add(sent_bytes);
                    return false;
                }
            }
        }
        self.outlet.end_chunk();
        tally.sent.add(sent);
        tally.sent_bytes.add(sent_bytes);
        tally.lateness.set(chunk.items().last().map_or(0.0, |item| now.saturating_sub(item.due).as_secs_f64()));
        true
    }

    /// True when the client took it, false when the spool did or it was set aside, and why not when nobody ever will.
    fn send_one(&mut self, item: &Item, chunk: &Chunk, now: &mut Duration) -> Result<bool, String> {
        loop {
            match self.outlet.offer(item, chunk) {
                Offered::Taken => {
                    self.books.pace.note(item.due, *now);
                    return Ok(true);
                }
                Offered::Spooled => {
                    self.books.pace.note(item.due, *now);
                    return Ok(false);
                }
                Offered::SetAside => return Ok(false),
                Offered::Full => {
                    self.answers.tally.queue_full.add(1);
                    self.wait_for_room()?;
                }
                Offered::Later => self.wait_for_room()?,
                Offered::Broken(reason) => {
                    self.answers.broken(reason);
                    return Err("not sent: the producer cannot go on".into());
                }
            }
            *now = self.elapsed();
        }
    }

    fn wait_for_room(&mut self) -> Result<(), String> {
        self.tend();
        if self.answers.why_broken().is_some() {
            return Err("not sent: the producer cannot go on".into());
        }
        if self.patience.is_over() {
            return Err(TOO_LATE.into());
        }
        self.outlet.wait_for_room(LOOK_AGAIN);
        Ok(())
    }

    /// Lets the outlet do what is due, and shows that the flow lives.
    pub fn tend(&mut self) {
        self.beat.progress();
        self.outlet.tend(self.patience.draining());
    }

    /// The source has ended: waits until everything has met its end, as long as there is time.
    pub fn finish(&mut self, pause: &mut dyn FnMut(Duration)) {
        loop {
            self.tend();
            if self.outlet.settled(self.patience.draining()) {
                break;
            }
            if self.answers.why_broken().is_some() || self.patience.is_over() {
                self.outlet.put_away(&|| self.beat.progress());
                break;
            }
            pause(FINISHING);
        }
        self.outlet.close();
    }

    /// Counts a chunk that will not be sent any more as failed; always false.
    pub fn give_up(&mut self, chunk: &Chunk) -> bool {
        self.answers.tally.offered.add(chunk.len() as u64);
        self.books.note(chunk.items());
        chunk.items().iter().for_each(|item| self.answers.lost_sight(TOO_LATE, item.ticket));
        false
    }

    /// Time since the start of the run.
    pub fn elapsed(&self) -> Duration {
        self.clock.now().saturating_sub(self.answers.started())
    }
}

impl Books {
    /// A whole chunk at a time and nothing in between, so that the waits for memory overlap.
    fn note(&mut self, items: &[Item]) {
        items.iter().for_each(|item| self.counts.note(item));
        if let Some(offers) = &mut self.offers {
            offers.note(items);
        }
    }
}
