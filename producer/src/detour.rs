//! The outlet of the flow: straight to the client, or by the spool while Kafka does not answer.
//!
//! *In*: events in their order. *Out*: the same events to one client after the other, or to the disk and from there.
//! *Never*: lets an event overtake an earlier one of its key, forgets one that a client gave back, or sends one that the
//! spool holds twice at a time.

mod ending;
mod learning;
mod renewal;
mod resend;
mod telling;

use crate::answers::Answers;
use crate::chunk::{Chunk, Intent, Item, NO_SERIES};
use crate::client::{Client, Offered, Outgoing, Returned};
use crate::in_flight::Flying;
use crate::send::Outlet;
use crate::spool::desk::{Desk, Waiting};
use crate::spool::{Spooled, Trace, process};
use crate::ticket::Fate;
use domain::headers;
use renewal::{Renewal, Then};
use runtime::clock::SharedClock;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// The way out, whichever client is in use.
pub struct Detour<C> {
    client: C,
    /// `None` without a spool: then a client's own delivery timeout ends the wait.
    desk: Option<Desk>,
    /// What a client gave back and the next one must get first, in order.
    again: VecDeque<Returned>,
    renewal: Renewal,
    answers: Arc<Answers>,
    clock: SharedClock,
    /// Tells this process's traces in the spool from those of others.
    process: u64,
    looked: Duration,
    /// When those who wait for a disk that refuses were told last.
    told: Duration,
    /// Events of the spool that the client holds.
    out: u64,
    /// The wall clock at the beginning of the chunk, ms since the epoch.
    wall_ms: i64,
}

/// So many go out at once before the flow has its turn.
const PORTION: usize = 512;
/// While a client is changed the flow looks again this often.
const LOOK_SOON: Duration = Duration::from_millis(1);
/// How often what is oldest is looked for, as a part of the time that it may take.
const LOOKS: u32 = 8;
/// How far an event's time may be ahead of our clock to be its record's time.
const AHEAD_MS: i64 = 60_000;

impl<C: Client> Detour<C> {
    pub fn new(client: C, desk: Option<Desk>, answers: Arc<Answers>, clock: SharedClock) -> Self {
        let elapsed = answers.elapsed().unwrap_or_default();
        let process = process(clock.wall_ms() - elapsed.as_millis() as i64, std::process::id());
        let (again, renewal, wall_ms) = (VecDeque::new(), Renewal::default(), clock.wall_ms());
        Self {
            client,
            desk,
            again,
            renewal,
            answers,
            clock,
            process,
            looked: Duration::ZERO,
            told: Duration::ZERO,
            out: 0,
            wall_ms,
        }
    }

    fn direct(&mut self, item: &Item, chunk: &Chunk) -> Offered {
        let headers = own_headers(item, chunk);
        self.client.offer(&Outgoing {
            key: chunk.text(item.key),
            value: chunk.text(item.value),
            timestamp_ms: self.record_time(item.ts),
            headers: &headers,
            flying: flying(item),
        })
    }

    fn spool(&mut self, item: &Item, chunk: &Chunk) -> Offered {
        let (key, value) = (chunk.text(item.key), chunk.text(item.value));
        let trace = self.trace(&flying(item));
        let timestamp_ms = self.record_time(item.ts);
        let topic = self.client.topic_name(item.topic).to_owned();
        let Some(desk) = self.desk.as_mut().filter(|desk| desk.has_room(key.len() + value.len())) else {
            return Offered::Later;
        };
        let (key, value, headers) = (key.to_vec(), value.to_vec(), own_headers(item, chunk));
        let passes = desk.spool.schedule.passes;
        let spooled = Spooled { topic, key, value, timestamp_ms, headers, passes, trace };
        desk.take(Waiting::New(spooled, item.ticket));
        Offered::Spooled
    }

    /// Kafka refuses the whole batch of a record from the future (`message.timestamp.after.max.ms`), and a truck's clock may be
    /// wrong: such an event travels with our time, and its own stands in its value.
    fn record_time(&self, ts: i64) -> i64 {
        if ts > self.wall_ms.saturating_add(AHEAD_MS) { self.wall_ms } else { ts }
    }

    fn trace(&self, flying: &Flying) -> Trace {
        let due_nanos = flying.due.as_nanos() as u64;
        Trace { process: self.process, series: flying.series, seq: flying.seq, due_nanos }
    }

    /// Puts what waits on the disk and tells who waits for it.
    fn store(&mut self) {
        let Some(desk) = &mut self.desk else { return };
        for event in desk.store() {
            match event {
                Waiting::New(_, ticket) => self.answers.tickets.settle(ticket, Fate::Spooled),
                Waiting::Back(returned, _) => {
                    self.answers.spooled(&returned.flying);
                    self.client.release(returned.slot);
                }
            }
        }
    }

    /// Nobody has answered the oldest record for too long: the client is replaced, and the spool has what it held.
    fn look_for_stuck(&mut self, draining: bool) {
        if self.renewal.retires() {
            return;
        }
        let Some(after) = self.desk.as_ref().map(|desk| desk.rules.after) else { return };
        let now = self.clock.now();
        if now.saturating_sub(self.looked) < after / LOOKS {
            return;
        }
        self.looked = now;
        let more_time =
            |number| self.desk.as_ref().filter(|_| !draining).map_or(Duration::ZERO, |desk| desk.more_time(number));
        if self.client.oldest_sent(&more_time).is_none_or(|sent| now.saturating_sub(sent) < after) {
            return;
        }
        if self.desk.as_ref().is_some_and(Desk::is_unwell) {
            return;
        }
        let after_ms = after.as_millis() as u64;
        if self.desk.as_ref().is_some_and(|desk| desk.healthy) {
            tracing::warn!(after_ms, "Kafka does not answer, events go to the spool");
        } else {
            tracing::debug!(after_ms, "Kafka still does not answer");
        }
        self.replace(Then::Spool);
    }

    /// Events of the spool that are on their way as dead letters, or were so a moment ago; nothing has ended unheard beside them.
    fn letters(&mut self) -> Vec<u64> {
        // Looked at first: one that finds its place in between is in both.
        let letters = self.answers.in_flight.letters();
        self.hear_ended();
        letters
    }

    fn hear_ended(&mut self) {
        let Some(desk) = &mut self.desk else { return };
        let ended = self.answers.ended();
        self.out = self.out.saturating_sub(ended.back());
        desk.hear(ended);
    }
}

impl<C: Client> Outlet for Detour<C> {
    fn offer(&mut self, item: &Item, chunk: &Chunk) -> Offered {
        let offered = if self.renewal.holds() || !self.again.is_empty() {
            Offered::Later
        } else if self.desk.as_ref().is_some_and(|desk| desk.detours(item.topic, chunk.text(item.key))) {
            // Nothing on its way back is overtaken: what has a later event of its key detour is on the disk itself.
            self.spool(item, chunk)
        } else if self.renewal.retires() {
            Offered::Later
        } else {
            self.direct(item, chunk)
        };
        self.or_told(offered, item.ticket)
    }

    fn begin_chunk(&mut self, events: usize) {
        self.wall_ms = self.clock.wall_ms();
        self.client.begin_chunk(events);
    }

    fn end_chunk(&mut self) {
        self.store();
    }

    fn tend(&mut self, draining: bool) {
        self.client.turn(self.clock.now());
        if let Some(desk) = &mut self.desk {
            desk.mend();
        }
        self.store();
        self.hear_ended();
        self.take_back();
        self.follow_client();
        self.send_again();
        if self.desk.is_none() {
            return;
        }
        self.look_for_stuck(draining);
        self.tell_who_waits();
        if let Some(desk) = &mut self.desk {
            desk.sweep(false);
        }
        if !draining && !self.renewal.holds() && !self.renewal.retires() {
            self.send_letters();
            self.send_spooled();
        }
    }

    fn wait_for_room(&mut self, at_most: Duration) {
        let soon = self.renewal.holds() || self.renewal.retires();
        self.client.wait_for_room(if soon { at_most.min(LOOK_SOON) } else { at_most });
    }

    fn settled(&self, draining: bool) -> bool {
        let spool_done =
            self.desk.as_ref().is_none_or(|desk| desk.nothing_waits() && (draining || desk.spool.is_empty()));
        spool_done && self.again.is_empty() && !self.renewal.retires() && self.client.all_answered()
    }

    fn put_away(&mut self, alive: &dyn Fn()) {
        self.hear_ended();
        if let Some(desk) = &mut self.desk {
            desk.sweep(true);
            self.all_to_spool(alive);
        } else {
            self.take_what_came_back();
            self.client.give_up();
        }
        self.fail_the_rest();
        self.wait_for_last_answers(alive);
    }

    fn close(&mut self) {
        self.hear_ended();
        if let Some(desk) = &mut self.desk {
            desk.close();
        }
    }
}

fn flying(item: &Item) -> Flying {
    let Item { due, series, seq, topic, ticket, .. } = *item;
    Flying { due, waited: Duration::ZERO, series, seq, topic, ticket, spooled: 0 }
}

/// Headers are rare (events that are meant to fail), so they may allocate.
fn own_headers(item: &Item, chunk: &Chunk) -> Vec<(String, Vec<u8>)> {
    let fate = match item.intent {
        Intent::DeadLetter => "dead-letter",
        _ => "rejected",
    };
    item.invalid_id.map_or_else(Vec::new, |id| {
        vec![
            (headers::EXPECTED_FATE.to_owned(), fate.as_bytes().to_vec()),
            (headers::EVENT_ID.to_owned(), chunk.text(id).to_vec()),
        ]
    })
}
