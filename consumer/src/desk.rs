//! The desk of the poll thread: collects records into batches, keeps the commit ledger, and says when to pause.
//!
//! In: records, commands, time. Out: events for the coordinator, partitions to pause and resume, offsets to commit.
//! Never: calls Kafka, waits, or reads a clock; the poll thread does that around it.

/// How much may be outstanding, and who must wait.
mod flow;
/// What of it the batches of each topic may hold.
mod memory;
/// What the desk knows of the lag of its partitions.
mod lag;
/// One owned partition: its lanes and what they have outstanding.
mod seat;
/// All owned partitions.
mod seats;
/// Which batches are handed over, and in which order.
mod handover;
/// Which partitions are not read now.
mod brake;
/// Which topic stands behind a name, as far as it was seen.
mod seen_topic;
/// Partitions whose reading goes back.
mod back;
/// Partitions that begin where we say, and not where Kafka's client stands.
mod outset;
/// The records that a partition read last.
mod recent;
/// Partitions of which Kafka must say first where the group stands.
mod recall;
/// How owned partitions stand.
mod standing;
/// What of a retry topic is not due yet.
mod waiting_room;

use crate::assignment::{Generation, Held, TopicPartition};
use crate::batch::Batch;
use crate::collect::Limits;
use crate::commit::{Commit, CommitLedger};
use crate::event::{Command, Event, Ticket};
use crate::pause::Pauses;
use crate::record::Lent;
use crate::share::Shares;
use crate::suspect::Suspect;
use crate::topic::TopicPlan;
pub use back::{Other, Return};
pub use brake::Brake;
pub use flow::Room;
use memory::Memory;
use seat::Seat;
use seats::Seats;
pub use standing::Standing;
use std::collections::HashSet;
use std::time::Duration;

/// What the desk must know, immutable.
#[derive(Debug, Clone)]
pub struct DeskSettings {
    pub group: String,
    /// Nothing but these and their retry topics is taken up.
    pub topics: Vec<TopicPlan>,
    pub lanes: u32,
    /// Raised by an intended replay; part of the dedupe fence's identity.
    pub epoch: u32,
    /// At the start; how many records a batch may have changes by function.
    pub limits: Limits,
    pub room: Room,
    /// Without a usable offset reading begins at the end of a log, not where it begins.
    pub from_end: bool,
}

/// See the head of the file.
#[derive(Debug)]
pub struct Desk {
    settings: DeskSettings,
    seats: Seats,
    generation: Generation,
    tickets: Ticket,
    ledger: CommitLedger,
    outbox: Vec<Event>,
    returns: Vec<Return>,
    memory: Memory,
    /// Whose turn at the common memory it is; in the order of the topics, as in `memory`.
    shares: Shares,
    pauses: Pauses,
    drained: HashSet<Ticket>,
    stop_wanted: bool,
    /// Nothing is taken up any more.
    closing: bool,
    hurry: bool,
    /// A batch was closed since the brake was last looked at.
    full: bool,
    filled: u64,
    not_ours: u64,
    /// Records that Kafka's client brought twice.
    repeats: u64,
    /// The clocks as of the last tick, for what is due.
    now: Duration,
    wall_ms: i64,
}

impl Desk {
    pub fn new(settings: DeskSettings) -> Self {
        let ledger = CommitLedger::new(settings.lanes.max(1));
        let weights: Vec<u32> = settings.topics.iter().map(|topic| topic.weight).collect();
        let memory = Memory::new(settings.room.bytes, &weights);
        Self {
            seats: Seats::new(&settings.topics, settings.limits.records),
            settings,
            generation: Generation::default(),
            tickets: Ticket::default(),
            ledger,
            outbox: Vec::new(),
            returns: Vec::new(),
            memory,
            shares: Shares::new(weights),
            pauses: Pauses::default(),
            drained: HashSet::new(),
            stop_wanted: false,
            closing: false,
            hurry: false,
            full: false,
            filled: 0,
            not_ours: 0,
            repeats: 0,
            now: Duration::ZERO,
            wall_ms: 0,
        }
    }

    /// Partitions were assigned: they get a new generation and empty lanes.
    pub fn assign(&mut self, partitions: &[(String, i32)]) -> Vec<Held> {
        self.generation.0 += 1;
        let mut all = Vec::new();
        for (name, partition) in partitions {
            let Some(topic) = self.seats.name(name).filter(|_| !self.closing) else { continue };
            let held = Held { at: TopicPartition { topic, partition: *partition }, generation: self.generation };
            self.ledger.assign(&held);
            let log = self.seats.seen(name).and_then(|seen| seen.id());
            self.seats.insert(Seat::new(&held, &self.settings, log.as_deref()));
            all.push(held);
        }
        self.outbox.push(Event::Assigned(all.clone()));
        all
    }

    /// A record arrived.
    pub fn receive(&mut self, topic: &str, partition: i32, record: Lent<'_>, now: Duration) {
        let Some(seat) = self.seats.find(topic, partition).filter(|seat| seat.is_open()) else {
            self.not_ours += 1;
            return;
        };
        if seat.outset.is_some() {
            return; // It comes again, or lies before where reading begins.
        }
        if seat.trail.goes_back(record.offset.0) {
            if seat.has_just_read(&record) {
                self.repeats += 1;
                return;
            }
            self.now = now;
            self.go_back(topic, partition, record.offset.0);
            return self.receive(topic, partition, record, now);
        }
        self.ledger.received(seat.held(), record.offset);
        if seat.take(record, now, self.wall_ms) {
            self.full = true;
            self.forward();
        }
    }

    /// Serves one command.
    pub fn apply(&mut self, command: Command) {
        match command {
            Command::Finished { held, offsets } => {
                self.ledger.finished(&held, &offsets);
            }
            Command::Suspected(suspicion) => self.ledger.suspect(&suspicion),
            Command::Settled { lane, bytes } => {
                if let Some(plan) = self.seats.plan(&lane.held.at.topic) {
                    self.memory.give_back(plan, bytes);
                }
                if let Some(seat) = self.seats.held(&lane.held) {
                    seat.settled(lane.lane);
                }
                self.forward();
            }
            Command::BatchLimit { function, records } => self.seats.limit_batches(&function, records),
            Command::Drained(ticket) => {
                self.drained.insert(ticket);
            }
            Command::Stop => self.stop_wanted = true,
            Command::Hurry => self.hurry = true,
        }
    }

    /// What the wall clock says, in milliseconds since the epoch: before each tick.
    pub fn see_clock(&mut self, wall_ms: i64) {
        self.wall_ms = wall_ms;
    }

    /// Takes up what became due, and closes what is old enough, where there is room for it.
    pub fn tick(&mut self, now: Duration) {
        self.now = now;
        let (room, memory) = (self.settings.room, &self.memory);
        for (plan, seat) in self.seats.iter_mut() {
            seat.take_due(now, self.wall_ms);
            seat.close_old(now, |outstanding| room.has_credit(outstanding, memory.has_room(plan)));
        }
        self.forward();
    }

    /// Whether there is something to tell the coordinator, or a partition that should be paused.
    pub fn has_news(&self) -> bool {
        !self.outbox.is_empty() || self.full
    }

    /// What to tell the coordinator, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.outbox)
    }

    /// Takes no more records of these partitions and asks the coordinator to drain them. `None` means all, for good: what is
    /// assigned after that is not taken up.
    pub fn begin_revoke(&mut self, partitions: Option<&[(String, i32)]>) -> (Ticket, Vec<Held>) {
        self.tickets.0 += 1;
        self.closing |= partitions.is_none();
        let held = self.seats.shut(partitions);
        self.outbox.push(Event::Revoked { ticket: self.tickets, held: held.clone() });
        (self.tickets, held)
    }

    /// These partitions are gone without a chance to commit; to be released like others.
    pub fn lose(&mut self, partitions: &[(String, i32)]) -> Vec<Held> {
        let held = self.seats.shut(Some(partitions));
        self.outbox.push(Event::Lost(held.clone()));
        held
    }

    /// Whether the drain of this ticket has come to its end.
    pub fn is_drained(&mut self, ticket: Ticket) -> bool {
        self.hurry || self.drained.remove(&ticket)
    }

    /// Forgets these partitions; says which of them were paused by hand, so that the client forgets that too.
    pub fn release(&mut self, held: &[Held]) -> Vec<TopicPartition> {
        let mut paused = Vec::new();
        for gone in held {
            self.ledger.revoke(gone);
            if self.seats.remove(gone).is_some_and(|seat| seat.is_paused()) {
                paused.push(gone.at.clone());
            }
        }
        paused
    }

    /// Commits that would move something forward.
    pub fn due_commits(&self) -> Vec<Commit> {
        self.ledger.due()
    }

    /// The last word on partitions that go: everything not yet confirmed, even if it is under way.
    pub fn last_commits(&self, held: &[Held]) -> Vec<Commit> {
        held.iter().filter_map(|held| self.ledger.last_word(held)).collect()
    }

    pub fn commits_asked(&mut self, commits: &[Commit]) {
        self.ledger.asked(commits);
    }

    pub fn commit_settled(&mut self, commit: &Commit, confirmed: bool) {
        if confirmed { self.ledger.confirmed(commit) } else { self.ledger.refused(commit) }
    }

    pub fn stop_wanted(&self) -> bool {
        self.stop_wanted
    }

    /// Bytes of batches that were handed over and not settled.
    pub fn outstanding_bytes(&self) -> usize {
        self.memory.held()
    }

    /// How many records Kafka's client brought twice since this was asked last; they are read once.
    pub fn take_repeats(&mut self) -> u64 {
        std::mem::take(&mut self.repeats)
    }

    /// Records that came for a partition that is not ours, or no longer; they were dropped.
    pub fn not_ours(&self) -> u64 {
        self.not_ours
    }
}

fn suspects(ledger: &CommitLedger, batch: &Batch) -> Vec<Suspect> {
    let ends = batch.records.first().zip(batch.records.last());
    ends.map(|ends| ledger.suspects(&batch.lane.held, batch.lane.lane, ends)).unwrap_or_default()
}
