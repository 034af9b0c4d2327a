//! Builds the consumer from its configuration, runs it, and brings it to its end.

/// Ends the process when the Kafka client does not come to its end.
mod watchdog;

use crate::batch_limit::BatchLimits;
use crate::condition::{Condition, Part};
use crate::config::Config;
use crate::controls;
use crate::coordinator::{Coordinator, Fatal};
use crate::dead_letter::producer::KafkaDeadLetters;
use crate::deliver::Ports;
use crate::desk::Desk;
use crate::event::{Command, Event};
use crate::flood::Flood;
use crate::guard::Guard;
use crate::invoke::Invoker;
use crate::metrics::{self, Meters};
use crate::pause::Pauses;
use crate::poll::{PartitionStatus, Poll, PollEnd, PollParts};
use crate::pulse::Pulses;
use crate::start;
use crate::status::{State, Status};
use crate::topic::functions;
use crossbeam_channel::Sender;
use kafka_client::expiry::Expiry;
use kafka_client::rotation::{self, Watch};
use kafka_client::topic_facts::TopicFacts;
use runtime::admin::{Admin, AdminParts};
use runtime::clock::{self, SharedClock};
use runtime::exit::Failure;
use runtime::health::{Beat, Health};
use runtime::metrics::Metrics;
use runtime::shutdown::Shutdown;
use runtime::traces::Traces;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use watchdog::Watchdog;

/// The poll thread may stand still for a rebalance, and for the answer to its last commit.
const POLL_SLACK: Duration = Duration::from_secs(60);
/// How often readiness is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often the lag is published: by itself, for the poll thread may stand in a rebalance.
const LAG: Duration = Duration::from_millis(500);
/// For the last metrics, and the last spans.
const LAST_EXPORT: Duration = Duration::from_secs(2);

/// What is there from the first moment on.
struct Base {
    clock: SharedClock,
    metrics: Metrics,
    meters: Arc<Meters>,
    traces: Traces,
    health: Health,
    beat: Beat,
    condition: Condition,
    guard: Guard,
    flood: Flood,
    pauses: Pauses,
    status: Status,
    expiry: Expiry,
    admin: Admin,
}

/// The running parts.
struct Running {
    poll: Poll,
    commands: Sender<Command>,
    coordinator: JoinHandle<Result<(), Fatal>>,
    /// Over new certificates; `None` without any.
    rotation: Option<Watch>,
    lag: JoinHandle<()>,
}

/// Runs until `shutdown` drains, then drains, commits and leaves. Must run in a multi-threaded tokio runtime.
///
/// When the Kafka client does not come to its end within `drain.close`, the *process* is ended: with 0 when everything finished is committed.
///
/// # Errors
/// What is missing at the start, or why it could not go on.
pub async fn run<I: Invoker>(mut config: Config, shutdown: Shutdown, invoker: I) -> Result<(), Failure> {
    let base = Base::new(&config)?;
    let found = tokio::select! {
        checked = start::check(&config, &invoker) => checked?,
        () = shutdown.drain() => {
            runtime::systemd::stopping();
            return Ok(());
        }
    };
    config.share_read_ahead(found.partitions);
    let mut running = Running::start(&config, &base, invoker, found.facts)?;
    base.status.set(State::Running);
    runtime::systemd::ready();
    runtime::systemd::watchdog(&base.health);
    tracing::info!(group = config.desk.group, topics = ?config.poll.topics, functions = ?base.guard.functions(), "consumer runs");
    let fatal = tokio::select! {
        end = &mut running.coordinator => Some(why(end)),
        () = shutdown.drain() => None,
        () = watch_condition(&base.condition, &base.beat, &base.expiry) => None,
    };
    runtime::systemd::stopping();
    base.status.set(State::Draining);
    let ended = running.end(&config, &shutdown, fatal.is_some()).await;
    base.status.set(State::Stopped);
    base.beat.retire();
    base.metrics.stop(LAST_EXPORT);
    base.traces.stop(LAST_EXPORT);
    base.admin.stop();
    match fatal {
        Some(why) => Err(Failure::failed(why)),
        None => ended,
    }
}

fn why(end: Result<Result<(), Fatal>, tokio::task::JoinError>) -> String {
    match end {
        Ok(Ok(())) => "the coordinator ended by itself".to_owned(),
        Ok(Err(Fatal(why))) => why,
        Err(error) => format!("the coordinator broke off: {error}"),
    }
}

impl Base {
    fn new(config: &Config) -> Result<Self, Failure> {
        let clock = clock::system();
        let metrics = Metrics::start(&config.metrics, "comboio-consumer")?;
        let meters = Arc::new(Meters::new(&metrics));
        let traces = Traces::start(&config.traces, "comboio-consumer")?;
        let health = Health::new(clock.clone());
        let beat = health.component("poll", config.poll.revoke_drain + POLL_SLACK);
        let condition = Condition::default();
        condition.complain(Part::Poll, "waiting for an assignment");
        let flood = Flood::new(config.flood, clock.clone(), condition.clone());
        let guard = Guard::new(config.guard.clone(), clock.clone(), meters.clone(), condition.clone());
        let expiry = config.kafka.expiry(clock.clone());
        metrics::certificate(&metrics, &expiry);
        let pauses = Pauses::default();
        let moved = (guard.clone(), flood.clone(), pauses.clone());
        let status = Status::new(meters.clone(), condition.clone(), expiry.clone(), moved.clone());
        let shown = status.clone();
        let parts = AdminParts {
            health: health.clone(),
            metrics: metrics.clone(),
            status: Arc::new(move || shown.json()),
            controls: controls::router(moved, config.poll.topics.clone(), clock.clone()),
        };
        let admin = Admin::start(&config.admin, parts)?;
        Ok(Self {
            clock,
            metrics,
            meters,
            traces,
            health,
            beat,
            condition,
            guard,
            flood,
            pauses,
            status,
            expiry,
            admin,
        })
    }
}

/// Keeps readiness in step with the condition, and an eye on the certificate; never comes back.
async fn watch_condition(condition: &Condition, beat: &Beat, expiry: &Expiry) {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        expiry.tick();
        let why = condition.why();
        beat.ready(why.is_none(), why.as_deref().unwrap_or_default());
    }
}

/// Watches the certificates; with a new bundle another client takes over, for records and for dead letters.
fn rotation(config: &Config, poll: &Poll, letters: KafkaDeadLetters, base: &Base) -> std::io::Result<Option<Watch>> {
    let (kafka, tuning, dead_letters) = (config.kafka.clone(), config.tuning.clone(), config.dead_letters.clone());
    let (renew, expiry) = (poll.renewer(), base.expiry.clone());
    rotation::watch(&config.kafka, config.poll.topics.clone(), base.clock.clone(), move |event| {
        let rotation::Event::New(bundle) = event else { return };
        let kafka = kafka.with_bundle(bundle.clone());
        if let Err(error) = letters.renew(&kafka.producer(&dead_letters)) {
            tracing::error!(%error, "the new certificates are not taken over for dead letters");
        }
        renew(kafka.consumer(&tuning));
        expiry.take_over(&bundle);
    })
}

/// Never comes back.
async fn publish_lag(view: impl Fn() -> Vec<PartitionStatus>, meters: Arc<Meters>) {
    let mut looks = tokio::time::interval(LAG);
    loop {
        looks.tick().await;
        let all = view();
        meters.paused_by_hand.set(all.iter().filter(|status| status.standing.paused_by_hand).count() as f64);
        let shown = |status: PartitionStatus| {
            let at = status.standing.held.at;
            (at.topic.to_string(), at.partition, status.lag)
        };
        meters.lag(all.into_iter().map(shown));
    }
}

impl Running {
    fn start<I: Invoker>(
        config: &Config,
        base: &Base,
        invoker: I,
        facts: Vec<(String, TopicFacts)>,
    ) -> Result<Self, Failure> {
        let (commands, served) = crossbeam_channel::unbounded();
        let (events, received) = mpsc::unbounded_channel::<Event>();
        let dead_letters = KafkaDeadLetters::new(&config.kafka.producer(&config.dead_letters))?;
        let functions = functions(&config.desk.topics);
        let batch_limits = BatchLimits::new(config.batch_limit, &functions, &base.clock, &base.meters);
        base.status.show_batch_limits(batch_limits.clone());
        let ports = Ports {
            invoker,
            dead_letters: dead_letters.clone(),
            guard: base.guard.clone(),
            batch_limits,
            pulses: Pulses::new(&functions, &base.clock),
            pace: config.pace,
            deferral: config.deferral.clone(),
            flood: base.flood.clone(),
            commands: commands.clone(),
            meters: base.meters.clone(),
            traces: base.traces.clone(),
            condition: base.condition.clone(),
            clock: base.clock.clone(),
            unit: rand::random::<f64>,
        };
        let parts = PollParts {
            desk: Desk::new(config.desk.clone()).obeying(base.pauses.clone()).knowing(facts),
            commands: served,
            events: events.clone(),
            clock: base.clock.clone(),
            meters: base.meters.clone(),
            condition: base.condition.clone(),
            beat: base.beat.clone(),
        };
        let poll = Poll::start(&config.kafka.consumer(&config.tuning), config.poll.clone(), parts)?;
        base.status.show(poll.view());
        let lag = tokio::spawn(publish_lag(poll.view(), base.meters.clone()));
        let coordinator = tokio::spawn(Coordinator::new(Arc::new(ports), events).run(received));
        let rotation = rotation(config, &poll, dead_letters, base).map_err(|error| {
            Failure::failed(format!("the thread that watches the certificates cannot be started: {error}"))
        })?;
        Ok(Self { poll, commands, coordinator, rotation, lag })
    }

    /// Drains (unless something broke), commits, leaves the group and lets the client go, each with its deadline.
    async fn end(mut self, config: &Config, shutdown: &Shutdown, broken: bool) -> Result<(), Failure> {
        if let Some(rotation) = self.rotation.take() {
            rotation.stop();
        }
        let (drain, close) = (config.poll.shutdown_drain, config.poll.close);
        let watchdog = Watchdog::start(drain + close * 2)?;
        // The poll thread may be gone already; then there is nobody to tell.
        let _ = self.commands.send(Command::Stop);
        if broken {
            let _ = self.commands.send(Command::Hurry);
        }
        let left = tokio::select! {
            left = &mut self.poll.left => left,
            () = shutdown.hurried() => {
                let _ = self.commands.send(Command::Hurry);
                watchdog.restart(close * 2);
                (&mut self.poll.left).await
            }
        };
        let end = left.map_err(|_| Failure::failed("the poll thread ended with a panic, see the log"))?;
        watchdog.everything_committed(end == PollEnd { committed: true });
        watchdog.restart(close);
        let _ = self.poll.gone.await;
        watchdog.stop();
        self.coordinator.abort();
        self.lag.abort();
        tracing::info!(committed = end.committed, "consumer ends");
        if end.committed {
            Ok(())
        } else {
            Err(Failure::failed("the last commit did not get through; what it held will be delivered again"))
        }
    }
}
