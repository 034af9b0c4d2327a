//! One owned partition: its lanes, the batches that wait for room, and whether it is paused.

use super::DeskSettings;
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
    lanes: Vec<Lane>,
    /// Of a retry topic: what is not due yet.
    room: Option<WaitingRoom>,
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
    pub(super) fn new(held: &Held, settings: &DeskSettings) -> Self {
        let head = |lane| BatchHead {
            group: settings.group.clone(),
            topic: held.at.topic.to_string(),
            partition: held.at.partition,
            lane,
            lanes: settings.lanes,
            epoch: settings.epoch,
        };
        let lane = |lane| Lane {
            open: OpenLane::new(LaneId { held: held.clone(), lane }, head(lane), settings.limits),
            waiting: VecDeque::new(),
            outstanding: 0,
        };
        let lanes = (0..settings.lanes.max(1)).map(lane).collect();
        let room = topic_of_retry(&held.at.topic).map(|_| WaitingRoom::default());
        Self { held: held.clone(), trail: Trail::default(), lanes, room, paused: false, open: true }
    }

    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Records that were read and are not due.
    pub(super) fn put_off(&self) -> usize {
        self.room.as_ref().map_or(0, WaitingRoom::len)
    }

    pub(super) fn outstanding(&self) -> usize {
        self.lanes.iter().map(|lane| lane.outstanding).sum()
    }

    /// Takes a record; true when it closed a batch, or no more should come.
    pub(super) fn take(&mut self, record: Lent<'_>, now: Duration, wall_ms: i64) -> bool {
        self.trail.received(record.offset.0, record.timestamp);
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

    /// Hands on what became due, as far as nothing waits for room behind it.
    pub(super) fn take_due(&mut self, now: Duration, wall_ms: i64) {
        while self.lanes.iter().all(|lane| lane.waiting.is_empty()) {
            let Some(record) = self.room.as_mut().and_then(|room| room.next_due(wall_ms)) else { return };
            let (key, value) = (record.key.as_deref(), record.value.as_deref());
            let OwnedRecord { offset, timestamp, .. } = record;
            self.collect(Lent { offset, timestamp, key, value, headers: record.headers.clone() }, now);
        }
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

    /// The next batch that may be handed over.
    pub(super) fn next_batch(&mut self, has_credit: impl Fn(usize) -> bool) -> Option<Batch> {
        let lane = self.lanes.iter_mut().find(|lane| !lane.waiting.is_empty() && has_credit(lane.outstanding))?;
        lane.outstanding += 1;
        lane.waiting.pop_front()
    }

    pub(super) fn settled(&mut self, lane: u32) {
        if let Some(lane) = self.lanes.get_mut(lane as usize) {
            lane.outstanding = lane.outstanding.saturating_sub(1);
        }
    }

    /// True once, when a lane has a closed batch and no room for it, or as much waits to be due as is held here.
    pub(super) fn wants_pause(&mut self) -> bool {
        let waits = self.room.as_ref().is_some_and(WaitingRoom::is_full);
        let full = waits || self.lanes.iter().any(|lane| !lane.waiting.is_empty());
        let pause = full && !self.paused;
        self.paused |= pause;
        pause
    }

    /// True once, when every lane of a paused partition has come down far enough.
    pub(super) fn wants_resume(&mut self, is_easy: impl Fn(usize) -> bool) -> bool {
        let waits = self.room.as_ref().is_some_and(|room| !room.is_easy());
        let easy = !waits && self.lanes.iter().all(|lane| lane.waiting.is_empty() && is_easy(lane.outstanding));
        let resume = easy && self.paused;
        self.paused &= !resume;
        resume
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
