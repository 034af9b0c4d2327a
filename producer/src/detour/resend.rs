//! What goes to a client once more: records that the one before gave back, and events from the spool.

use super::{Detour, NO_SERIES, PORTION};
use crate::client::{Client, Offered, Outgoing, Returned};
use crate::in_flight::Flying;
use crate::spool::Spooled;
use crate::spool::desk::{Desk, Waiting};
use crate::ticket::Ticket;
use crate::why::Why;
use domain::failure::FailureClass;
use std::time::Duration;

impl<C: Client> Detour<C> {
    /// Sorts what a client gave back in with what waits already: first what was offered first, whether the spool holds it
    /// or not, for later events of a key may have gone straight behind those of the spool.
    pub(super) fn keep(&mut self, returned: impl IntoIterator<Item = Returned>) {
        self.again.extend(returned);
        self.again.make_contiguous().sort_by_key(|record| record.order);
    }

    /// Hands the next client what the last one gave back.
    pub(super) fn send_again(&mut self) {
        if self.renewal.holds() || self.renewal.retires() {
            return;
        }
        while let Some(record) = self.again.front() {
            match self.client.offer_again(record) {
                Offered::Full | Offered::Later => return,
                Offered::Broken(reason) => return self.answers.broken(reason),
                Offered::Taken | Offered::SetAside | Offered::Spooled => drop(self.again.pop_front()),
            }
        }
    }

    /// Everything that waits to be sent again goes to the disk instead, or what is there already goes out anew from there.
    /// A disk that refuses holds nothing up that a client can still send. Events whose dead letters are on their way stay out.
    pub(super) fn again_to_spool(&mut self, letters: &[u64]) {
        let learned = self.learn();
        let again = std::mem::take(&mut self.again).into_iter();
        let (spooled, direct): (Vec<_>, Vec<_>) = again.partition(|record| record.flying.spooled != 0);
        self.take_back_to_spool(direct);
        self.store();
        let Some(desk) = &mut self.desk else { return };
        if desk.is_unwell() {
            let kept = desk.hand_back();
            return self.keep(spooled.into_iter().chain(kept));
        }
        desk.begin_pass(letters);
        self.out = 0;
        self.keep_learned(learned);
        spooled.iter().for_each(|record| self.client.release(record.slot));
    }

    fn take_back_to_spool(&mut self, records: Vec<Returned>) {
        for record in records {
            let topic = self.client.topic_name(record.flying.topic).to_owned();
            let trace = self.trace(&record.flying);
            let Some(desk) = &mut self.desk else { return };
            let Returned { key, value, timestamp_ms, headers, .. } = record.clone();
            let passes = desk.spool.schedule.passes;
            let spooled = Spooled { topic, key, value, timestamp_ms, headers, passes, trace };
            desk.take(Waiting::Back(Box::new(record), spooled));
        }
    }

    /// Sends what the spool holds, oldest first, a portion at a time.
    pub(super) fn send_spooled(&mut self) {
        if !self.again.is_empty() {
            return;
        }
        for _ in 0..PORTION {
            let Self { desk: Some(desk), client, .. } = self else { return };
            if desk.is_probed(self.out) {
                return;
            }
            let Some((number, event)) = desk.next_due(|name| client.topic_number(name)) else { return };
            match self.send_from_spool(number, &event) {
                Offered::Taken => {
                    self.count_sent(number, event.value.len() as u64);
                    self.out += 1;
                }
                Offered::SetAside | Offered::Spooled => self.out += 1,
                Offered::Full | Offered::Later => return self.put_back(number, event),
                Offered::Broken(reason) => {
                    self.put_back(number, event);
                    return self.answers.broken(reason);
                }
            }
        }
    }

    /// An event counts once, however many attempts it takes.
    fn count_sent(&mut self, number: u64, bytes: u64) {
        if self.desk.as_mut().is_some_and(|desk| desk.took(number)) {
            self.answers.tally.sent.add(1);
            self.answers.tally.sent_bytes.add(bytes);
        }
    }

    /// Tries letters once more that found no place.
    pub(super) fn send_letters(&mut self) {
        for _ in 0..PORTION {
            let Some((letter, event)) = self.desk.as_mut().and_then(Desk::next_letter) else { return };
            let topic = self.client.topic_number(&event.topic);
            let outgoing = self.outgoing(letter.number, &event, topic);
            let offered = self.client.give_up_on(&outgoing, letter.why.clone(), letter.attempts);
            if matches!(offered, Offered::Taken | Offered::SetAside | Offered::Spooled) {
                self.out += 1;
                continue;
            }
            if let Some(desk) = &mut self.desk {
                desk.letter_waits(letter);
            }
            if let Offered::Broken(reason) = offered {
                self.answers.broken(reason);
            }
            return;
        }
    }

    fn put_back(&mut self, number: u64, event: Spooled) {
        if let Some(desk) = &mut self.desk {
            desk.spool.put_back(number, event);
        }
    }

    fn send_from_spool(&mut self, number: u64, event: &Spooled) -> Offered {
        let topic = self.client.topic_number(&event.topic);
        let outgoing = self.outgoing(number, event, topic);
        let Some(attempts) = self.desk.as_ref().and_then(|desk| desk.too_many_attempts(number)) else {
            return self.client.offer(&outgoing);
        };
        let detail =
            format!("no acknowledgement in {attempts} attempts, while later records of its partition got theirs");
        let why = Why { class: FailureClass::Transient, reason: "attempts".into(), detail };
        self.client.give_up_on(&outgoing, why, attempts)
    }

    fn outgoing<'a>(&self, number: u64, event: &'a Spooled, topic: u16) -> Outgoing<'a> {
        let Spooled { key, value, timestamp_ms, headers, .. } = event;
        Outgoing { key, value, timestamp_ms: *timestamp_ms, headers, flying: self.flying_again(number, event, topic) }
    }

    /// Another process's place in its ledger means nothing here; its event has waited since before our start.
    fn flying_again(&self, number: u64, event: &Spooled, topic: u16) -> Flying {
        let trace = event.trace;
        let (series, due, waited) = if trace.process == self.process {
            (trace.series, Duration::from_nanos(trace.due_nanos), Duration::ZERO)
        } else {
            let waited_ms = self.answers.started_ms().saturating_sub(trace.due_ms());
            (NO_SERIES, Duration::ZERO, Duration::from_millis(u64::try_from(waited_ms).unwrap_or_default()))
        };
        Flying { due, waited, series, seq: trace.seq, topic, ticket: Ticket::NONE, spooled: number }
    }
}
