//! One process of the group: the consumer's real parts, and what the poll thread does around them.

/// What it commits, and what becomes of that.
mod commits;

use crate::function::Function;
use crate::letters::Topic;
use crate::rules::{self, FUNCTION, TOPIC};
use crate::step::Setup;
use crate::truth::Shared;
use commits::Request;
use consumer::assignment::{Held, TopicPartition};
use consumer::batch_limit::BatchLimits;
use consumer::collect::Limits;
use consumer::condition::Condition;
use consumer::coordinator::{Coordinator, Fatal};
use consumer::deferral::Deferral;
use consumer::deliver::Ports;
use consumer::desk::{Brake, Desk};
use consumer::event::{Command, Event, Ticket};
use consumer::flood::{Flood, FloodLimits};
use consumer::guard::Guard;
use consumer::metrics::Meters;
use consumer::pause::Pauses;
use consumer::pulse::Pulses;
use crossbeam_channel::Receiver;
use runtime::clock::SharedClock;
use runtime::metrics::{Metrics, MetricsConfig};
use runtime::traces::{Traces, TracesConfig};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// All processes share them: what they count is of no interest here, and they are dear to make.
fn meters() -> Arc<Meters> {
    static METERS: OnceLock<Arc<Meters>> = OnceLock::new();
    let new = || Arc::new(Meters::new(&Metrics::start(&MetricsConfig::default(), "test").unwrap()));
    METERS.get_or_init(new).clone()
}

/// Likewise.
fn traces() -> Traces {
    static TRACES: OnceLock<Traces> = OnceLock::new();
    TRACES.get_or_init(|| Traces::start(&TracesConfig::default(), "test").unwrap()).clone()
}

pub struct Member {
    /// No two processes have the same.
    pub id: u64,
    pub desk: Desk,
    pub pauses: Pauses,
    pub flood: Flood,
    /// The poll thread hangs.
    pub hangs: bool,
    truth: Shared,
    clock: SharedClock,
    commands: Receiver<Command>,
    events: mpsc::UnboundedSender<Event>,
    coordinator: JoinHandle<Result<(), Fatal>>,
    tenures: HashMap<Held, usize>,
    stopped: BTreeSet<usize>,
    paused: BTreeSet<usize>,
    under_way: Option<Request>,
    /// Partitions of which Kafka has not said where the group stands, until then.
    unrecalled: Vec<(Held, String, Duration)>,
}

/// So late Kafka answers that when it does not answer at once.
const RECALL: Duration = Duration::from_millis(500);

impl Member {
    pub fn new(id: u64, truth: &Shared, clock: &SharedClock) -> Self {
        let lanes = truth.see().lanes;
        let setup = truth.see().setup.clone();
        let (commands, served) = crossbeam_channel::unbounded();
        let (events, received) = mpsc::unbounded_channel();
        let (meters, condition, guarded) = (meters(), Condition::default(), rules::guarded());
        let limits = FloodLimits { in_a_row: setup.flood, ..FloodLimits::default() };
        let flood = Flood::new(limits, clock.clone(), condition.clone());
        let ports = Ports {
            invoker: Function { truth: truth.clone(), member: id },
            dead_letters: Topic { truth: truth.clone(), member: id },
            guard: Guard::new(guarded, clock.clone(), meters.clone(), condition.clone()),
            batch_limits: BatchLimits::new(rules::sized(setup.batch), &[FUNCTION], clock, &meters),
            pace: rules::pace(),
            pulses: Pulses::new(&[FUNCTION], clock),
            deferral: Deferral::default(),
            flood: flood.clone(),
            commands,
            meters,
            traces: traces(),
            condition,
            clock: clock.clone(),
            unit: || 1.0,
        };
        let coordinator = tokio::spawn(Coordinator::new(Arc::new(ports), events.clone()).run(received));
        let pauses = Pauses::default();
        Self {
            id,
            desk: Desk::new(desk(lanes, &setup)).obeying(pauses.clone()),
            pauses,
            flood,
            hangs: false,
            truth: truth.clone(),
            clock: clock.clone(),
            commands: served,
            events,
            coordinator,
            tenures: HashMap::new(),
            stopped: BTreeSet::new(),
            paused: BTreeSet::new(),
            under_way: None,
            unrecalled: Vec::new(),
        }
    }

    /// What keeps the process from going on.
    pub fn is_over(&self) -> bool {
        self.coordinator.is_finished()
    }

    pub fn serve(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            self.desk.apply(command);
        }
    }

    /// One turn of the wheel.
    pub fn turn(&mut self) {
        self.serve();
        self.desk.see_clock(self.clock.wall_ms());
        self.desk.tick(self.clock.now());
        self.recall();
        self.publish();
        self.brake();
    }

    fn recall(&mut self) {
        let (now, desk) = (self.clock.now(), &mut self.desk);
        self.unrecalled.retain(|(held, metadata, due)| {
            if now >= *due {
                desk.remember(held, metadata);
                desk.recalled(held);
            }
            now < *due
        });
    }

    fn publish(&mut self) {
        for event in self.desk.take_events() {
            // Nobody listens when it is over, and that is seen elsewhere.
            let _ = self.events.send(event);
        }
    }

    fn brake(&mut self) {
        let Brake { stop, go_on, pause, resume } = self.desk.take_brake();
        mark(&mut self.stopped, &stop, &go_on);
        mark(&mut self.paused, &pause, &resume);
    }

    /// Kafka's client brings the last records of each partition once more.
    pub fn repeat(&mut self, records: usize) {
        let (shared, now) = (self.truth.clone(), self.clock.now());
        let mut truth = shared.see();
        let truth = &mut *truth;
        for tenure in self.tenures.values() {
            let owner = &truth.tenures[*tenure];
            let read = truth.logs[owner.partition].records.range(owner.start..owner.position);
            let mut again: Vec<_> = read.rev().take(records).collect();
            again.reverse();
            let partition = i32::try_from(owner.partition).unwrap();
            for (offset, record) in &again {
                self.desk.receive(TOPIC, partition, record.lent(**offset), now);
            }
            if !again.is_empty() {
                *truth.seen.entry("records come twice").or_default() += 1;
            }
        }
    }

    /// Takes up to so many records of each partition that is read.
    pub fn poll(&mut self, records: usize) {
        let (shared, now) = (self.truth.clone(), self.clock.now());
        let mut truth = shared.see();
        let truth = &mut *truth;
        for tenure in self.tenures.values() {
            let owner = &mut truth.tenures[*tenure];
            if self.stopped.contains(&owner.partition) || self.paused.contains(&owner.partition) {
                continue;
            }
            let partition = i32::try_from(owner.partition).unwrap();
            for (offset, record) in truth.logs[owner.partition].records.range(owner.position..).take(records) {
                self.desk.receive(TOPIC, partition, record.lent(*offset), now);
                owner.position = offset + 1;
            }
        }
        if self.desk.has_news() {
            self.publish();
            self.brake();
        }
    }

    pub fn assign(&mut self, partition: usize, told: bool) {
        let (tenure, metadata) = self.truth.see().give(partition, self.id);
        let now = self.clock.now();
        for held in self.desk.assign(&named(&[partition])) {
            self.desk.await_recall(std::slice::from_ref(&held), 0);
            let late = if told { Duration::ZERO } else { RECALL };
            self.unrecalled.push((held.clone(), metadata.clone(), now + late));
            self.tenures.insert(held, tenure);
        }
        self.recall();
        let stop: Vec<_> = self.desk.stop_unrecalled().into_iter().map(|held| held.at).collect();
        mark(&mut self.stopped, &stop, &[]);
        self.publish();
    }

    /// Begins to give partitions back; `None` is all of them, for good.
    pub fn begin_revoke(&mut self, partitions: Option<&[usize]>) -> (Ticket, Vec<Held>) {
        let named = partitions.map(named);
        let (ticket, held) = self.desk.begin_revoke(named.as_deref());
        self.publish();
        self.over(&held);
        (ticket, held)
    }

    /// Everything is somebody else's already.
    pub fn lose(&mut self) {
        let all: Vec<usize> = self.tenures.keys().map(|held| usize::try_from(held.at.partition).unwrap()).collect();
        let held = self.desk.lose(&named(&all));
        self.publish();
        self.over(&held);
        self.release(&held);
    }

    fn over(&mut self, held: &[Held]) {
        let mut truth = self.truth.see();
        held.iter().for_each(|held| truth.over(self.tenures[held]));
    }

    /// Forgets partitions; gives the tenures that ended.
    pub fn release(&mut self, held: &[Held]) -> Vec<usize> {
        let resumed = self.desk.release(held);
        mark(&mut self.paused, &[], &resumed);
        let gone: Vec<TopicPartition> = held.iter().map(|held| held.at.clone()).collect();
        mark(&mut self.stopped, &[], &gone);
        held.iter().filter_map(|held| self.tenures.remove(held)).collect()
    }
}

fn desk(lanes: u32, setup: &Setup) -> consumer::desk::DeskSettings {
    let settings = rules::settings(lanes, setup.batch);
    let limits = Limits { age: Duration::from_millis(300), ..settings.limits };
    consumer::desk::DeskSettings { limits, ..settings }
}

fn named(partitions: &[usize]) -> Vec<(String, i32)> {
    partitions.iter().map(|partition| (TOPIC.to_owned(), i32::try_from(*partition).unwrap())).collect()
}

fn mark(marked: &mut BTreeSet<usize>, more: &[TopicPartition], less: &[TopicPartition]) {
    let number = |at: &TopicPartition| usize::try_from(at.partition).unwrap();
    marked.extend(more.iter().map(number));
    less.iter().for_each(|at| _ = marked.remove(&number(at)));
}
