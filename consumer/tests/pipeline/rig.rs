//! A consumer without Kafka and Lambda: the real desk, ledger, coordinator and deliveries, driven by a script under tokio's paused clock.
#![allow(dead_code)]

mod fake_lambda;
mod fake_letters;
mod group;
mod rules;

use consumer::assignment::TopicPartition;
use consumer::batch_limit::{BatchLimit, BatchLimits};
use consumer::condition::Condition;
use consumer::coordinator::Coordinator;
use consumer::dead_letter::DeadLetter;
use consumer::deliver::Ports;
use consumer::desk::{Brake, Desk, DeskSettings};
use consumer::event::{Command, Event};
use consumer::flood::{Flood, FloodLimits};
use consumer::guard::{Guard, GuardSettings};
use consumer::metrics::Meters;
use consumer::pause::Pauses;
use consumer::policy::Pace;
use consumer::pulse::Pulses;
use consumer::record::{Headers, Lent};
use consumer::topic::functions;
use crossbeam_channel::Receiver;
use domain::offset::Offset;
use fake_lambda::{Call, FakeLambda};
use fake_letters::FakeLetters;
use runtime::clock::{Clock, ManualClock, SharedClock};
use runtime::metrics::{Metrics, MetricsConfig};
use runtime::traces::{Traces, TracesConfig};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

pub use fake_lambda::Answer;
pub use rules::*;

const STEP: Duration = Duration::from_millis(5);

/// Something that takes so long by the paused clock.
async fn lasting(span: Duration) {
    let _ = tokio::time::timeout(span, std::future::pending::<()>()).await;
}

/// See the head of the file.
pub struct Rig {
    pub desk: Desk,
    pub lambda: FakeLambda,
    pub letters: FakeLetters,
    pub meters: Arc<Meters>,
    pub metrics: Metrics,
    pub condition: Condition,
    pub guard: Guard,
    pub pauses: Pauses,
    pub batch_limits: BatchLimits,
    pub fatal: tokio::task::JoinHandle<Result<(), consumer::coordinator::Fatal>>,
    /// Which partitions are not read, for whichever reason.
    pub paused: Vec<i32>,
    pub(super) stopped: BTreeSet<i32>,
    pub(super) by_hand: BTreeSet<i32>,
    ports: Arc<Ports<FakeLambda, FakeLetters>>,
    /// What Kafka holds beside the committed offset of each partition.
    metadata: HashMap<i32, String>,
    commands: Receiver<Command>,
    events: mpsc::UnboundedSender<Event>,
    clock: ManualClock,
    now: Duration,
}

impl Rig {
    pub fn new(settings: DeskSettings) -> Self {
        Self::flooded(settings, unlimited())
    }

    /// With limits on dead letters.
    pub fn flooded(settings: DeskSettings, flood: FloodLimits) -> Self {
        let guarded = GuardSettings { topics: settings.topics.clone(), ..guarded() };
        Self::built(guarded, settings, (flood, rules::pace()), untraced())
    }

    /// With other waits and attempts.
    pub fn paced(settings: DeskSettings, pace: Pace) -> Self {
        Self::built(guarded(), settings, (unlimited(), pace), untraced())
    }

    /// With another guard in front of the function.
    pub fn behind(guarded: GuardSettings, settings: DeskSettings) -> Self {
        Self::built(guarded, settings, (unlimited(), rules::pace()), untraced())
    }

    /// With spans that go somewhere.
    pub fn traced(settings: DeskSettings, traces: Traces) -> Self {
        Self::built(guarded(), settings, (unlimited(), rules::pace()), traces)
    }

    fn built(
        guarded: GuardSettings,
        settings: DeskSettings,
        (flood, pace): (FloodLimits, Pace),
        traces: Traces,
    ) -> Self {
        let (commands, served) = crossbeam_channel::unbounded();
        let (events, received) = mpsc::unbounded_channel();
        let metrics = Metrics::start(&MetricsConfig::default(), "test").unwrap();
        let (meters, condition) = (Arc::new(Meters::new(&metrics)), Condition::default());
        let clock = ManualClock::default();
        let clocked: SharedClock = Arc::new(clock.clone());
        let functions = functions(&guarded.topics);
        let batch_limits = BatchLimits::new(rules::sized(settings.limits.records), &functions, &clocked, &meters);
        let pulses = Pulses::new(&functions, &clocked);
        let guard = Guard::new(guarded, Arc::new(clock.clone()), meters.clone(), condition.clone());
        let (lambda, letters) = (FakeLambda::default(), FakeLetters::default());
        let ports = Ports {
            invoker: lambda.clone(),
            dead_letters: letters.clone(),
            guard: guard.clone(),
            batch_limits: batch_limits.clone(),
            pulses,
            pace,
            deferral: rules::deferral(&settings),
            flood: Flood::new(flood, Arc::new(clock.clone()), condition.clone()),
            commands,
            meters: meters.clone(),
            traces,
            condition: condition.clone(),
            clock: Arc::new(clock.clone()),
            unit: || 1.0,
        };
        let ports = Arc::new(ports);
        let fatal = tokio::spawn(Coordinator::new(ports.clone(), events.clone()).run(received));
        let (paused, now, pauses) = (Vec::new(), Duration::ZERO, Pauses::default());
        Self {
            desk: Desk::new(settings).obeying(pauses.clone()),
            lambda,
            letters,
            meters,
            metrics,
            condition,
            guard,
            pauses,
            batch_limits,
            fatal,
            paused,
            ports,
            stopped: BTreeSet::new(),
            by_hand: BTreeSet::new(),
            metadata: HashMap::new(),
            commands: served,
            events,
            clock,
            now,
        }
    }

    /// One turn of the poll thread's wheel, and time for the others to do what they can do now.
    pub async fn turn(&mut self) {
        for _ in 0..3 {
            while let Ok(command) = self.commands.try_recv() {
                self.desk.apply(command);
            }
            self.desk.see_clock(self.clock.wall_ms());
            self.desk.tick(self.now);
            for event in self.desk.take_events() {
                self.events.send(event).unwrap();
            }
            let Brake { stop, go_on, pause, resume } = self.desk.take_brake();
            mark(&mut self.stopped, &stop, &go_on);
            mark(&mut self.by_hand, &pause, &resume);
            self.paused = self.stopped.union(&self.by_hand).copied().collect();
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
        }
    }

    /// Lets time go by, with the wheel turning.
    pub async fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        self.turn().await;
        while self.now < until {
            self.now += STEP;
            self.clock.advance(STEP);
            tokio::time::advance(STEP).await;
            self.turn().await;
        }
    }

    pub fn receive(&mut self, partition: i32, offsets: impl IntoIterator<Item = i64>) {
        self.receive_of(TOPIC, partition, offsets);
    }

    pub fn receive_of(&mut self, topic: &str, partition: i32, offsets: impl IntoIterator<Item = i64>) {
        for offset in offsets {
            self.receive_at(topic, (partition, offset), Some(b"{\"v\":1}"), Vec::new());
        }
    }

    /// Records of another log, at offsets that may have been read already.
    pub fn receive_of_other_log(&mut self, partition: i32, offsets: impl IntoIterator<Item = i64>) {
        for offset in offsets {
            self.receive_value(partition, offset, Some(b"{\"v\":2}"));
        }
    }

    /// The batch limit of [`FUNCTION`].
    pub fn batch_limit(&self) -> BatchLimit {
        self.batch_limits.of(FUNCTION).unwrap()
    }

    pub fn receive_value(&mut self, partition: i32, offset: i64, value: Option<&[u8]>) {
        self.receive_at(TOPIC, (partition, offset), value, Vec::new());
    }

    pub fn receive_with(&mut self, partition: i32, offset: i64, headers: Headers) {
        self.receive_at(TOPIC, (partition, offset), Some(b"{\"v\":1}"), headers);
    }

    /// The key is the last digit of the offset.
    fn receive_at(&mut self, topic: &str, (partition, offset): (i32, i64), value: Option<&[u8]>, headers: Headers) {
        let key = format!("key-{}", offset % 10);
        let record =
            Lent { offset: Offset(offset), timestamp: 1_000 + offset, key: Some(key.as_bytes()), value, headers };
        self.desk.receive(topic, partition, record, self.now);
    }

    /// What Kafka has of a record that was put off, as it comes back from its retry topic.
    pub fn receive_letter(&mut self, partition: i32, offset: i64, letter: &DeadLetter) {
        let record = Lent {
            offset: Offset(offset),
            timestamp: self.clock.wall_ms(),
            key: letter.record.key.as_deref(),
            value: letter.record.value.as_deref(),
            headers: letter.headers(),
        };
        self.desk.receive(&letter.topic(), partition, record, self.now);
    }

    /// Milliseconds since the epoch.
    pub fn wall_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    /// Opens what the flood guard has stopped.
    pub fn open_flood(&self) -> usize {
        self.ports.flood.open().len()
    }

    /// An event out of turn.
    pub fn send(&self, event: Event) {
        self.events.send(event).unwrap();
    }

    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lambda.script(answers);
    }

    pub fn latency(&self, latency: Duration) {
        self.lambda.latency(latency);
    }

    pub fn calls(&self) -> Vec<Call> {
        self.lambda.calls()
    }

    /// Offsets of every call, in order.
    pub fn sent(&self) -> Vec<Vec<i64>> {
        self.calls().into_iter().map(|call| call.offsets).collect()
    }

    /// How often a lane had two calls at once.
    pub fn overlaps(&self) -> usize {
        self.lambda.overlaps()
    }

    pub fn dead_letters_down(&self, down: bool) {
        self.letters.down(down);
    }

    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.letters.all()
    }
}

fn unlimited() -> FloodLimits {
    FloodLimits { in_a_row: 0, ..FloodLimits::default() }
}

/// No spans are made.
fn untraced() -> Traces {
    Traces::start(&TracesConfig::default(), "test").unwrap()
}

fn mark(marked: &mut BTreeSet<i32>, more: &[TopicPartition], less: &[TopicPartition]) {
    marked.extend(more.iter().map(|at| at.partition));
    less.iter().for_each(|at| _ = marked.remove(&at.partition));
}
