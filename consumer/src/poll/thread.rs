//! The thread: polls and turns its wheel, until `ending` says that it is over.

/// The phases from running to over.
mod ending;
/// When we count as a member, and what happens while our place is taken.
mod joining;
/// What follows from errors that Kafka's client reports.
mod complaints;
/// Another client in the place of the one in use.
mod renewal;
/// Why there is no offset to go on from.
mod no_offset;
/// Partitions that begin where the desk says.
mod outsets;

use super::commit_queue::{CommitAnswer, CommitQueue};
use super::context::PollContext;
use super::faults::Faults;
use super::lists::{commit_list, list_of};
use super::recall;
use super::shared::Shared;
use super::{PollEnd, PollSettings};
use crate::assignment::TopicPartition;
use crate::condition::Part;
use crate::desk::Brake;
use crate::event::Event;
use crate::record::Lent;
use crossbeam_channel::Receiver;
use ending::Phase;
use joining::Joining;
use kafka_client::context::Observer;
use kafka_client::main_queue;
use kafka_client::partition_queues::Chunk;
use kafka_client::settings::ClientSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use renewal::Next;
use std::cell::Cell;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// How long one wait for a record is: the longest that a command, or a rebalance, waits when nothing comes.
const WAIT: Duration = Duration::from_millis(20);
/// How often the wheel turns while records come.
const TURN: Duration = Duration::from_millis(10);
/// So many events of the client are served in one turn, so that records go on beside a flood of them.
const HEARD: usize = 1_000;
/// How often Kafka is asked again about partitions of which it has not said where the group stands.
const RECALL: Duration = Duration::from_secs(2);
/// How often it is said how things stand.
const STAND: Duration = Duration::from_secs(1);

pub(super) struct Ends {
    pub(super) left: oneshot::Receiver<PollEnd>,
    pub(super) gone: oneshot::Receiver<()>,
}

struct PollThread {
    /// Before the consumer, because it must go first.
    commits: CommitQueue,
    consumer: BaseConsumer<PollContext>,
    shared: Arc<Shared>,
    settings: PollSettings,
    phase: Phase,
    next_turn: Duration,
    next_commit: Duration,
    next_stand: Duration,
    next_recall: Duration,
    next_outset: Duration,
    end: PollEnd,
    /// Kafka refused us, and no record came since.
    refused: Cell<bool>,
    faults: Faults,
    /// What the client in use was made from.
    client: ClientSettings,
    renewals: Receiver<ClientSettings>,
    observer: Observer,
    next: Option<Next>,
    /// Clients that were replaced and have not come to their end.
    closings: Vec<JoinHandle<()>>,
    joining: Joining,
    /// When clients were shut out by Kafka.
    shut_outs: Vec<Duration>,
    /// When the wheel last turned, and when it last stood still for longer than the group waits.
    turned: Duration,
    stalled: Option<Duration>,
}

/// The client that the thread begins with.
pub(super) struct First {
    pub(super) consumer: BaseConsumer<PollContext>,
    pub(super) client: ClientSettings,
    pub(super) renewals: Receiver<ClientSettings>,
    /// Of this client and of all that follow it.
    pub(super) observer: Observer,
}

pub(super) fn spawn(
    First { consumer, client, renewals, observer }: First,
    shared: Arc<Shared>,
    settings: PollSettings,
    scout: JoinHandle<()>,
) -> std::io::Result<Ends> {
    let (leave, left) = oneshot::channel();
    let (go, gone) = oneshot::channel();
    let zero = Duration::ZERO;
    let (phase, end) = (Phase::Running, PollEnd { committed: true });
    let (refused, faults) = (Cell::new(false), Faults::new(shared.condition.clone()));
    let (commits, turned) = (CommitQueue::new(&consumer), shared.clock.now());
    let poller = PollThread {
        commits,
        consumer,
        shared,
        settings,
        phase,
        next_turn: zero,
        next_commit: zero,
        next_stand: zero,
        next_recall: zero,
        next_outset: zero,
        end,
        refused,
        faults,
        client,
        renewals,
        observer,
        next: None,
        closings: Vec::new(),
        joining: Joining::new(turned),
        shut_outs: Vec::new(),
        turned,
        stalled: None,
    };
    let shared = poller.shared.clone();
    let body = move || {
        let (consumer, closings, end) = poller.run();
        shared.bell.end();
        let _ = leave.send(end);
        // Blocks until the group is left, without a deadline of its own: whoever waits for `gone` has one.
        drop(consumer);
        // Clients that are left behind would meet the end of the process.
        closings.into_iter().chain([scout]).for_each(|thread| drop(thread.join()));
        let _ = go.send(());
    };
    std::thread::Builder::new().name("poll".to_owned()).spawn(body)?;
    Ok(Ends { left, gone })
}

impl PollThread {
    fn run(mut self) -> (BaseConsumer<PollContext>, Vec<JoinHandle<()>>, PollEnd) {
        while !matches!(self.phase, Phase::Over) {
            let chunk = self.shared.queues.take();
            let (idle, now) = (chunk.is_none(), self.shared.clock.now());
            if let Some(chunk) = chunk {
                self.take(chunk, now);
            }
            if idle || now >= self.next_turn {
                self.next_turn = now + TURN;
                self.listen();
                self.turn(now);
                self.shared.queues.look_at_all();
            }
            if idle {
                self.shared.queues.wait(WAIT);
            }
        }
        self.shared.queues.clear();
        (self.consumer, self.closings, self.end)
    }

    /// Takes records to the desk while they are lent.
    fn take(&mut self, chunk: Chunk, now: Duration) {
        let (closed, polled) = {
            let (mut desk, mut polled) = (self.shared.desk(), 0);
            for record in chunk.records() {
                polled += 1;
                desk.receive(chunk.topic(), chunk.partition(), Lent::from(record), now);
            }
            (desk.has_news(), polled)
        };
        if polled > 0 {
            self.shared.silence.heard(now);
            self.faults.over(chunk.topic(), chunk.partition());
        }
        let fault = chunk.fault().map(|fault| (TopicPartition::new(chunk.topic(), chunk.partition()), fault));
        drop(chunk);
        self.shared.meters.polled.add(polled);
        if polled > 0 && self.refused.replace(false) {
            self.shared.condition.clear(Part::Poll);
        }
        if closed {
            self.shared.publish();
            self.brake();
        }
        if let Some((at, fault)) = fault {
            self.meet(&at, &fault, now);
        }
    }

    /// What the client has to say beside records: rebalances, which are carried out in here, errors, log lines.
    fn listen(&mut self) {
        for _ in 0..HEARD {
            match self.consumer.poll(Duration::ZERO) {
                None => {}
                Some(Ok(_)) => {
                    let why = "a record came around the queue of its partition; start the consumer again";
                    self.shared.tell(Event::Fatal(why.to_owned()));
                }
                Some(Err(error)) => self.complain(&error),
            }
            if matches!(self.phase, Phase::Over) || main_queue::waiting(&self.consumer) == 0 {
                return;
            }
        }
    }

    fn turn(&mut self, now: Duration) {
        let shared = self.shared.clone();
        if now.saturating_sub(self.turned) > self.settings.session_timeout {
            self.stalled = Some(now);
        }
        self.turned = now;
        shared.beat.progress();
        shared.serve_commands();
        shared.tick(now);
        shared.publish();
        while let Some(answer) = self.commits.answer() {
            shared.end_commit(&answer);
        }
        if now >= self.next_commit {
            self.next_commit = now + self.settings.commit_interval;
            self.commit();
        }
        if now >= self.next_stand {
            self.next_stand = now + STAND;
            self.stand(now);
        }
        if now >= self.next_recall {
            self.next_recall = now + RECALL;
            self.recall();
        }
        self.try_again(now);
        self.advance(now);
    }

    /// Stops reading what is full and pauses what somebody paused by hand, and lets go what is neither any more. A pause only from the loop:
    /// inside a rebalance it can stick for ever (librdkafka issues 2190 and 5591).
    fn brake(&self) {
        let (Brake { stop, go_on, pause, resume }, filled) = {
            let mut desk = self.shared.desk();
            (desk.take_brake(), desk.take_filled())
        };
        self.shared.meters.pauses.add(filled);
        stop.iter().for_each(|at| self.shared.queues.stop(&at.topic, at.partition));
        go_on.iter().for_each(|at| self.shared.queues.go_on(&at.topic, at.partition));
        if !pause.is_empty()
            && let Err(error) = self.consumer.pause(&list_of(&pause))
        {
            for at in &pause {
                let (topic, partition, offset) = (&*at.topic, at.partition, self.shared.desk().place(at));
                tracing::warn!(topic, partition, offset, %error, "a partition cannot be paused");
            }
        }
        if !resume.is_empty()
            && let Err(error) = self.consumer.resume(&list_of(&resume))
        {
            self.shared
                .tell(Event::Fatal(format!("paused partitions cannot be resumed: {error}; start the consumer again")));
        }
    }

    fn commit(&self) {
        let due = self.shared.begin_commit();
        if due.is_empty() {
            return;
        }
        let unknown = |error: KafkaError| error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
        let asked = commit_list(&due).map_err(unknown).and_then(|list| self.commits.ask(&self.consumer, &list));
        if let Err(code) = asked {
            // Nothing was sent, so no answer will come.
            self.shared.end_commit(&CommitAnswer { fault: Some(code), faults: Vec::new() });
        }
    }

    fn recall(&self) {
        let unknown = self.shared.desk().stop_unrecalled();
        recall::recall(&self.shared, &self.consumer, &unknown, recall::LATER);
    }

    fn stand(&mut self, now: Duration) {
        if !self.refused.get() && self.is_member() {
            self.shared.condition.clear(Part::Poll);
        }
        self.observer.lead_back(self.consumer.client(), &self.client, now);
        self.shared.silence.tick(self.shared.clock.now());
        self.shared.meters.outstanding(self.shared.desk().outstanding_bytes());
    }
}
