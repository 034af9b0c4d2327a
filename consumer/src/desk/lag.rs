//! What the desk knows of the lag of its partitions, and what it is told of their logs.

use super::Desk;
use super::outset::Outset;
use super::seat::Seat;
use crate::assignment::{Held, TopicPartition};
use crate::lag::{Committed, Found, Lag, Look, Lost};
use domain::offset::NextOffset;

impl Desk {
    /// An assigned partition begins where the group stood in it; `now_ms` is the wall clock, as in all of this.
    pub fn begin_trail(&mut self, held: &Held, committed: Committed, now_ms: i64) {
        if let Some(seat) = self.seats.held(held) {
            seat.trail.begin(committed, now_ms);
        }
        if self.settings.from_end && committed == Committed::Nothing {
            self.begin_unknown(held, now_ms);
        }
    }

    /// How the log of a partition stands; gives what of it is lost to this group.
    pub fn looked(&mut self, at: &TopicPartition, look: Look) -> Vec<Lost> {
        let Some(seat) = self.seats.find(&at.topic, at.partition) else { return Vec::new() };
        seat.trail.forget(self.ledger.next(seat.held()).map(|next| next.0));
        let paused = seat.is_paused();
        let (mut lost, held) = (seat.trail.looked(look, paused), seat.held().clone());
        if self.settings.from_end && seat.is_open() && !seat.stands_still() {
            let leap = seat.trail.leap(look);
            if !leap.is_empty() {
                seat.outset = Some(Outset::At(look.end));
                self.ledger.reach(&held, NextOffset(look.end));
            }
            lost.extend(leap);
        }
        self.check_log(&held);
        self.find_outset(&held, look);
        lost
    }

    /// Whether a look showed a log that ends before what was read: it may be another topic's.
    pub fn doubts(&self) -> bool {
        self.seats.iter().any(|seat| seat.trail.is_in_doubt())
    }

    /// Where reading of a partition goes on, as far as it is certain.
    pub fn place(&mut self, at: &TopicPartition) -> Option<i64> {
        self.seats.find(&at.topic, at.partition)?.trail.place()
    }

    /// Unfinished records that were not polled and whose time is not known.
    pub fn wanted_times(&self, now_ms: i64) -> Vec<(TopicPartition, i64)> {
        let wanted = |seat: &Seat| {
            let at = &seat.held().at;
            seat.trail.wanted(self.next_of(seat), now_ms).map(|offset| (at.clone(), offset))
        };
        self.seats.iter().filter_map(wanted).collect()
    }

    /// What Kafka said of the first record from `from` on.
    pub fn found_time(&mut self, at: &TopicPartition, from: i64, found: Found) {
        if let Some(seat) = self.seats.find(&at.topic, at.partition) {
            seat.trail.found(from, found);
        }
    }

    /// The lag of a partition in this generation; `committed` and `end` as far as others know more than the desk.
    pub fn lag(&self, held: &Held, committed: Option<i64>, end: Option<i64>, now_ms: i64) -> Option<Lag> {
        let seat = self.seats.see(held)?;
        Some(seat.trail.lag(self.next_of(seat), committed, end, now_ms))
    }

    /// The next offset to be read in every partition; `None` where nothing was committed and nothing was read yet.
    pub fn positions(&self) -> Vec<(TopicPartition, Option<i64>)> {
        self.seats.iter().map(|seat| (seat.held().at.clone(), seat.trail.position())).collect()
    }

    /// The first unfinished record that was polled, or one past the last.
    fn next_of(&self, seat: &Seat) -> Option<i64> {
        self.ledger.next(seat.held()).map(|next| next.0)
    }
}
