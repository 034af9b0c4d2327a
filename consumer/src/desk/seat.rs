//! One owned partition: its lanes, the batches that wait for room, and whether it is paused.

use super::DeskSettings;
use super::outset::Outset;
use super::recent::Recent;
use super::waiting_room::WaitingRoom;
use crate::assignment::{Held, LaneId};
use crate::batch::{Batch, CloseReason};
use crate::collect::{OpenLane, lane_of};
use crate::lag::Trail;
use crate::record::{Lent, OwnedRecord};
use domain::contract::BatchHead;
use domain::headers::topic_of_retry;
use std::collections::VecDeque;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct Seat {
    held: Held,
    pub(super) trail: Trail,
    recent: Recent,
    lanes: Vec<Lane>,
    /// Of a retry topic: what is not due yet.
    room: Option<WaitingRoom>,
    /// A lane or the waiting room had no room, and not all of them have come down far enough since.
    full: bool,
    by_hand: bool,
    /// It is known where the group stands, and what is suspected.
    recalled: bool,
    /// Where reading begins is ours to say, and the client has not been told yet.
    pub(super) outset: Option<Outset>,
    /// What was said last: that it is read no further, and that nothing of it is fetched.
    stopped: bool,
    paused: bool,
    open: bool,
}

#[derive(Debug)]
struct Lane {
    open: OpenLane,
    /// Closed, and without room to be handed over.
    waiting: VecDeque<Batch>,
    /// Handed over and not settled.
    outstanding: usize,
}

impl Seat {
    /// `log` is the id of the topic whose offsets these are, if that is certain.
    pub(super) fn new(held: &Held, settings: &DeskSettings, log: Option<&str>) -> Self {
        let head = |lane| BatchHead {
            group: settings.group.clone(),
            topic: held.at.topic.to_string(),
            partition: held.at.partition,
            lane,
            lanes: settings.lanes,
            epoch: settings.epoch,
            log: log.map(str::to_owned),
            since: None,
        };
        let lane = |lane| Lane {
            open: OpenLane::new(LaneId { held: held.clone(), lane }, head(lane), settings.limits),
            waiting: VecDeque::new(),
            outstanding: 0,
        };
        let lanes = (0..settings.lanes.max(1)).map(lane).collect();
        Self {
            held: held.clone(),
            trail: Trail::new(settings.from_end),
            recent: Recent::default(),
            lanes,
            room: topic_of_retry(&held.at.topic).map(|_| WaitingRoom::default()),
            full: false,
            by_hand: false,
            recalled: true,
            outset: None,
            stopped: false,
            paused: false,
            open: true,
        }
    }

    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the client fetches nothing of it, because somebody has paused it by hand.
    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Whether nothing of it is read, for whichever reason.
    pub(super) fn stands_still(&self) -> bool {
        self.stopped || self.paused
    }

    /// Whether it is paused by hand.
    pub(super) fn is_held(&self) -> bool {
        self.by_hand
    }

    /// Records that were read and are not due.
    pub(super) fn put_off(&self) -> usize {
        self.room.as_ref().map_or(0, WaitingRoom::len)
    }

    pub(super) fn outstanding(&self) -> usize {
        self.lanes.iter().map(|lane| lane.outstanding).sum()
    }

    /// Whether this very record came a moment ago.
    pub(super) fn has_just_read(&self, record: &Lent<'_>) -> bool {
        self.recent.holds(record)
    }

    /// Takes a record; true when it closed a batch, or no more should come.
    pub(super) fn take(&mut self, record: Lent<'_>, now: Duration, wall_ms: i64) -> bool {
        self.trail.received(record.offset.0, record.timestamp);
        self.recent.note(&record);
        match &mut self.room {
            None => self.collect(record, now),
            Some(room) => {
                if room.take(&self.held.at, &record, wall_ms) {
                    return room.is_full();
                }
                self.collect(record, now)
            }
        }
    }

    /// Hands on what became due, as far as nothing waits for room behind it and nobody has paused it by hand.
    pub(super) fn take_due(&mut self, now: Duration, wall_ms: i64) {
        while !self.by_hand && self.lanes.iter().all(|lane| lane.waiting.is_empty()) {
            let Some(record) = self.room.as_mut().and_then(|room| room.next_due(wall_ms)) else { return };
            self.collect_owned(record, now);
        }
    }

    fn collect_owned(&mut self, record: OwnedRecord, now: Duration) {
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        let OwnedRecord { offset, timestamp, .. } = record;
        self.collect(Lent { offset, timestamp, key, value, headers: record.headers.clone() }, now);
    }

    fn collect(&mut self, record: Lent<'_>, now: Duration) -> bool {
        let lanes = u32::try_from(self.lanes.len()).unwrap_or(1);
        let lane = lane_of(record.key, record.offset, lanes) as usize;
        let closed = self.lanes[lane].open.take(record, now);
        if closed.is_empty() {
            return false;
        }
        self.lanes[lane].waiting.extend(closed);
        true
    }

    /// How many records a batch may have from now on, the open ones included.
    pub(super) fn limit_batches(&mut self, records: usize) {
        self.lanes.iter_mut().for_each(|lane| lane.open.limit_records(records));
    }

    /// Closes open batches that are old enough. Without credit an open batch goes on growing: a fuller batch later.
    pub(super) fn close_old(&mut self, now: Duration, has_credit: impl Fn(usize) -> bool) {
        for lane in &mut self.lanes {
            let old = lane.open.due().is_some_and(|due| due <= now);
            if old && lane.waiting.is_empty() && has_credit(lane.outstanding) {
                lane.waiting.extend(lane.open.close(CloseReason::Age, now));
            }
        }
    }

    /// The lane whose next batch was closed first, of those that may by the number of their outstanding batches.
    pub(super) fn oldest(&self, may: impl Fn(usize) -> bool) -> Option<(Duration, usize)> {
        let lanes = self.lanes.iter().enumerate().filter(|(_, lane)| may(lane.outstanding));
        lanes.filter_map(|(nth, lane)| Some((lane.waiting.front()?.times.closed, nth))).min()
    }

    /// Hands over the next batch of a lane.
    pub(super) fn next_batch(&mut self, lane: usize) -> Option<Batch> {
        let lane = self.lanes.get_mut(lane)?;
        let batch = lane.waiting.pop_front()?;
        lane.outstanding += 1;
        Some(batch)
    }

    pub(super) fn settled(&mut self, lane: u32) {
        if let Some(lane) = self.lanes.get_mut(lane as usize) {
            lane.outstanding = lane.outstanding.saturating_sub(1);
        }
    }

    /// Looks whether it is full: it is from when a lane has a closed batch and no room for it, or as much waits to be due as is held here,
    /// until all of it has come down far enough. True when it has just become full.
    pub(super) fn fill(&mut self, is_easy: impl Fn(usize) -> bool) -> bool {
        let before = self.full;
        let nothing_waits = self.lanes.iter().all(|lane| lane.waiting.is_empty());
        self.full = if before {
            let easy = self.room.as_ref().is_none_or(WaitingRoom::is_easy);
            !(easy && nothing_waits && self.lanes.iter().all(|lane| is_easy(lane.outstanding)))
        } else {
            !nothing_waits || self.room.as_ref().is_some_and(WaitingRoom::is_full)
        };
        self.full && !before
    }

    /// Whether somebody has paused it by hand.
    pub(super) fn hold(&mut self, by_hand: bool) {
        self.by_hand = by_hand;
    }

    pub(super) fn is_recalled(&self) -> bool {
        self.recalled
    }

    pub(super) fn set_recalled(&mut self, recalled: bool) {
        self.recalled = recalled;
    }

    /// What to say, if anything: that it must not be read, or may be again.
    pub(super) fn tell_stop(&mut self) -> Option<bool> {
        let stop = self.full || !self.recalled || self.outset.is_some();
        let before = std::mem::replace(&mut self.stopped, stop);
        (before != stop).then_some(stop)
    }

    /// The same of a pause by hand.
    pub(super) fn tell_pause(&mut self) -> Option<bool> {
        let before = std::mem::replace(&mut self.paused, self.by_hand);
        (before != self.by_hand).then_some(self.by_hand)
    }

    /// Everything that was read and not handed over, what is put off too, as batches in order.
    pub(super) fn finish(&mut self, now: Duration) -> Vec<Batch> {
        while let Some(record) = self.room.as_mut().and_then(|room| room.next_due(i64::MAX)) {
            self.collect_owned(record, now);
        }
        let all = self.lanes.iter_mut().flat_map(|lane| {
            let open = lane.open.close(CloseReason::Order, now);
            lane.waiting.drain(..).chain(open).collect::<Vec<_>>()
        });
        all.collect()
    }

    /// A new generation of the same partition: Kafka's client was told the same of it.
    pub(super) fn in_place_of(mut self, before: &Self) -> Self {
        (self.by_hand, self.stopped, self.paused) = (before.by_hand, before.stopped, before.paused);
        self
    }

    /// Takes no more records, and drops what was not handed over: it will be read again.
    pub(super) fn shut(&mut self) {
        self.open = false;
        self.room.iter_mut().for_each(WaitingRoom::clear);
        for lane in &mut self.lanes {
            lane.open.drop_open();
            lane.waiting.clear();
        }
    }
}
