//! What the poll thread and the client's callbacks share. The callbacks run on the poll thread, inside `poll`.

use super::commit_fault::CommitFault;
use super::commit_queue::CommitAnswer;
use super::mishaps::Mishaps;
use super::scout::Bell;
use super::silence::Silence;
use super::{PartitionStatus, PollParts, PollSettings};
use crate::assignment::{Held, TopicPartition};
use crate::commit::Commit;
use crate::condition::{Condition, Part};
use crate::desk::{Desk, Standing};
use crate::event::{Command, Event, Ticket};
use crate::lag::{Committed, Look};
use crate::metrics::Meters;
use crate::times::Moment;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use kafka_client::context::{Observer, Statistics};
use kafka_client::partition_queues::PartitionQueues;
use kafka_client::topic_facts::TopicFacts;
use rdkafka::Offset;
use rdkafka::error::RDKafkaErrorCode;
use runtime::clock::SharedClock;
use runtime::health::Beat;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;

/// How long one wait for a command may be, so that the heart beats in between.
const SLICE: Duration = Duration::from_millis(50);

pub(super) struct Shared {
    desk: Mutex<Desk>,
    /// Of the client in use.
    pub(super) queues: PartitionQueues,
    commands: Receiver<Command>,
    events: UnboundedSender<Event>,
    /// The one asynchronous commit that is under way: two could overtake each other when the client repeats the first.
    under_way: Mutex<Vec<Commit>>,
    /// After the order to stop, a rebalance took partitions without their last commit.
    uncommitted: AtomicBool,
    pub(super) clock: SharedClock,
    pub(super) meters: Arc<Meters>,
    pub(super) condition: Condition,
    pub(super) beat: Beat,
    pub(super) revoke_drain: Duration,
    pub(super) bell: Bell,
    pub(super) mishaps: Mishaps,
    pub(super) silence: Silence,
}

impl Shared {
    pub(super) fn new(parts: PollParts, settings: &PollSettings) -> Self {
        Self {
            silence: Silence::new(parts.condition.clone(), parts.clock.now()),
            mishaps: Mishaps::new(parts.meters.clone(), parts.condition.clone()),
            desk: Mutex::new(parts.desk),
            queues: PartitionQueues::default(),
            commands: parts.commands,
            events: parts.events,
            under_way: Mutex::default(),
            uncommitted: AtomicBool::new(false),
            clock: parts.clock,
            meters: parts.meters,
            condition: parts.condition,
            beat: parts.beat,
            revoke_drain: settings.revoke_drain,
            bell: Bell::default(),
        }
    }

    /// Never held across a call of the client, because its callbacks want it too.
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves what is there, without waiting.
    pub(super) fn serve_commands(&self) {
        while let Ok(command) = self.commands.try_recv() {
            self.desk().apply(command);
        }
    }

    /// Serves commands until the drain came to its end or the deadline came; true for the former.
    pub(super) fn await_drained(&self, ticket: Ticket, deadline: Duration) -> bool {
        let until = self.clock.now() + deadline;
        loop {
            self.beat.progress();
            if self.desk().is_drained(ticket) {
                return true;
            }
            let left = until.saturating_sub(self.clock.now());
            if left.is_zero() {
                return false;
            }
            match self.commands.recv_timeout(left.min(SLICE)) {
                Ok(command) => self.desk().apply(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    pub(super) fn tick(&self, now: Duration) {
        let wall_ms = self.clock.wall_ms();
        let mut desk = self.desk();
        desk.see_clock(wall_ms);
        desk.tick(now);
    }

    /// Sends on what the desk has to say.
    pub(super) fn publish(&self) {
        let (events, returns, repeats) = {
            let mut desk = self.desk();
            (desk.take_events(), desk.take_returns(), desk.take_repeats())
        };
        self.meters.repeated.add(repeats);
        returns.iter().for_each(|back| self.mishaps.went_back(back, self.clock.now()));
        for event in events {
            if let Event::Closed(batch) = &event {
                self.meters.closed(batch.reason);
            }
            self.tell(event);
        }
    }

    pub(super) fn tell(&self, event: Event) {
        // The coordinator is gone only when the process ends.
        let _ = self.events.send(event);
    }

    /// What to commit now; empty while the commit before is under way.
    pub(super) fn begin_commit(&self) -> Vec<Commit> {
        let mut under_way = self.under_way();
        if !under_way.is_empty() {
            return Vec::new();
        }
        let mut desk = self.desk();
        let due = desk.due_commits();
        desk.commits_asked(&due);
        under_way.clone_from(&due);
        due
    }

    /// Something came from Kafka, or an answer.
    pub(super) fn heard(&self) {
        self.silence.heard(self.clock.now());
    }

    /// The answer to the asynchronous commit.
    pub(super) fn end_commit(&self, answer: &CommitAnswer) {
        let commits = std::mem::take(&mut *self.under_way());
        let fault = |commit: &Commit| answer.fault_of(&commit.held.at.topic, commit.held.at.partition);
        let faults: Vec<_> = commits.iter().map(fault).collect();
        self.settle_commits(&commits, &faults);
    }

    /// The client that was asked for the commit is gone, and its answer with it.
    pub(super) fn forget_commit(&self) {
        let commits = std::mem::take(&mut *self.under_way());
        commits.iter().for_each(|commit| self.desk().commit_settled(commit, false));
    }

    /// Notes the outcome of commits, whichever way they were made; one fault or none for each.
    pub(super) fn settle_commits(&self, commits: &[Commit], faults: &[Option<RDKafkaErrorCode>]) {
        let moment = Moment::read(&self.clock);
        for (commit, fault) in commits.iter().zip(faults) {
            self.desk().commit_settled(commit, fault.is_none());
            if fault.is_none() {
                self.meters.stages.committed(&commit.held, commit.next, moment);
            }
        }
        let failed = commits.iter().zip(faults).filter_map(|(commit, fault)| fault.map(|code| (commit, code)));
        let failed: Vec<_> = failed.collect();
        self.meters.commits_ok.add((commits.len() - failed.len()) as u64);
        match failed.first() {
            Some((first, code)) => self.tell_fault(first, *code, failed.len()),
            None => {
                self.heard();
                self.condition.clear(Part::Commit);
            }
        }
    }

    /// The partitions of one commit fail together, as a rule, and for one reason.
    fn tell_fault(&self, first: &Commit, code: RDKafkaErrorCode, partitions: usize) {
        let TopicPartition { topic, partition } = &first.held.at;
        let (topic, offset) = (&**topic, first.next.0);
        match CommitFault::of(code) {
            CommitFault::Stale => {
                self.meters.commits_stale.add(partitions as u64);
                tracing::debug!(
                    topic,
                    partition,
                    offset,
                    partitions,
                    ?code,
                    "commits came too late: the group is moving"
                );
            }
            CommitFault::Again => {
                self.meters.commits_again.add(partitions as u64);
                tracing::warn!(
                    topic,
                    partition,
                    offset,
                    partitions,
                    ?code,
                    "commits did not get through and are tried again"
                );
            }
            CommitFault::Refused => {
                self.meters.commits_refused.add(partitions as u64);
                if self.condition.complain(Part::Commit, format!("commits of {} are refused: {code}", first.held.at)) {
                    tracing::error!(
                        topic,
                        partition,
                        offset,
                        partitions,
                        ?code,
                        "commits are refused: check the rights of this group"
                    );
                }
            }
        }
    }

    /// A rebalance made the last commit of partitions, or could not.
    pub(super) fn note_hand_over(&self, committed: bool) {
        if !committed && self.desk().stop_wanted() {
            self.uncommitted.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn handed_over_uncommitted(&self) -> bool {
        self.uncommitted.load(Ordering::Relaxed)
    }

    fn under_way(&self) -> MutexGuard<'_, Vec<Commit>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn partitions(&self, observer: &Observer) -> Vec<PartitionStatus> {
        let statistics = observer.statistics();
        let now_ms = self.clock.wall_ms();
        let desk = self.desk();
        let standings = desk.standings().into_iter();
        standings.map(|standing| status(standing, &desk, statistics.as_deref(), now_ms)).collect()
    }

    /// Kafka has said where the group stands in a partition, and what it holds beside that.
    pub(super) fn recalled(&self, held: &Held, offset: Offset, metadata: &str) {
        let committed = match offset {
            Offset::Offset(next) => Committed::Next(next),
            _ => Committed::Nothing,
        };
        let mut desk = self.desk();
        desk.begin_trail(held, committed, self.clock.wall_ms());
        if !metadata.is_empty() {
            desk.remember(held, metadata);
        }
        desk.recalled(held);
    }

    pub(super) fn owned(&self) -> Vec<TopicPartition> {
        self.desk().standings().into_iter().map(|standing| standing.held.at).collect()
    }

    /// How the log of an owned partition stands.
    pub(super) fn looked(&self, at: &TopicPartition, look: Look) {
        let lost = self.desk().looked(at, look);
        for lost in lost {
            self.mishaps.lost(at, lost, self.clock.now());
        }
    }

    /// Which topic stands behind a name now.
    pub(super) fn topic_seen(&self, topic: &str, facts: TopicFacts) {
        self.desk().topic_seen(topic, facts, self.clock.wall_ms());
    }

    pub(super) fn wanted_times(&self) -> Vec<(TopicPartition, i64)> {
        self.desk().wanted_times(self.clock.wall_ms())
    }
}

/// The desk knows what is committed and polled, and what the scout saw; the statistics know (as of their interval) what was committed before
/// this generation, and the end.
fn status(standing: Standing, desk: &Desk, statistics: Option<&Statistics>, now_ms: i64) -> PartitionStatus {
    let at = &standing.held.at;
    let seen =
        statistics.and_then(|all| all.partitions.iter().find(|p| *p.topic == *at.topic && p.partition == at.partition));
    let committed = standing.committed.or(seen.and_then(|seen| seen.committed_offset));
    let end = standing.polled.max(seen.and_then(|seen| seen.end_offset));
    let lag = desk.lag(&standing.held, committed, end, now_ms).unwrap_or_default();
    PartitionStatus { standing, committed, lag }
}
