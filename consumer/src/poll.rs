//! Poll: one thread owns the Kafka client. It takes records to the desk while they are lent, partition by partition, and serves commands.
//!
//! In: records, commands, rebalances. Out: events for the coordinator, commits, pauses.
//! Never: waits for Lambda outside a rebalance, calls the client from another thread, or pauses inside a rebalance.

/// rdkafka's lists of partitions.
mod lists;
/// How long Kafka has answered nothing.
mod silence;
/// What the thread and the client's callbacks share.
mod shared;
/// The client's context: what it says, and rebalances.
mod context;
/// Where the group stands in partitions that were just assigned.
mod recall;
/// The end of a client that another one replaces.
mod closing;
/// Asynchronous commits and their answers.
mod commit_queue;
/// What an error of a commit means.
mod commit_fault;
/// What follows when records are gone, or the log is another one.
mod mishaps;
/// Partitions that an error has stopped.
mod faults;
/// How the logs of our partitions stand, asked beside the group.
mod scout;
/// The thread: its loop, and how it comes to its end.
mod thread;

use crate::condition::Condition;
use crate::desk::{Desk, Standing};
use crate::event::{Command, Event};
use crate::lag::Lag;
use crate::metrics::Meters;
pub use commit_fault::CommitFault;
use context::PollContext;
use crossbeam_channel::{Receiver, Sender};
use kafka_client::context::{ObservedContext, Observer, Statistics};
use kafka_client::settings::{ClientError, ClientSettings, GroupProtocol};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use runtime::clock::SharedClock;
use runtime::health::Beat;
use shared::Shared;
use std::sync::Arc;
use std::time::Duration;
use thread::First;
use tokio::sync::{mpsc::UnboundedSender, oneshot};

/// How the poll thread behaves.
#[derive(Debug, Clone)]
pub struct PollSettings {
    pub topics: Vec<String>,
    /// A static member does not leave the group when it stops: its partitions wait for its return.
    pub static_member: bool,
    pub protocol: GroupProtocol,
    /// How long the group waits for a silent member.
    pub session_timeout: Duration,
    /// How often offsets are committed, when there are any.
    pub commit_interval: Duration,
    /// How long a rebalance waits for what is in flight.
    pub revoke_drain: Duration,
    /// How long a shutdown waits for what is in flight.
    pub shutdown_drain: Duration,
    /// How long the last commit and the departure from the group may take.
    pub close: Duration,
}

/// What the poll thread needs of its surroundings.
pub struct PollParts {
    pub desk: Desk,
    pub commands: Receiver<Command>,
    pub events: UnboundedSender<Event>,
    pub clock: SharedClock,
    pub meters: Arc<Meters>,
    pub condition: Condition,
    pub beat: Beat,
}

/// The poll thread could not be started.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the topics cannot be subscribed to")]
    Subscribe(#[source] KafkaError),
    #[error("the poll thread cannot be started")]
    Thread(#[source] std::io::Error),
}

/// How the thread left: whether everything that was finished is also committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollEnd {
    pub committed: bool,
}

/// The running thread, seen from outside.
pub struct Poll {
    shared: Arc<Shared>,
    observer: Observer,
    renewals: Sender<ClientSettings>,
    /// Comes when the last commit is made and the group is left, before the client is dropped.
    pub left: oneshot::Receiver<PollEnd>,
    /// Comes when the client is dropped: nothing of the thread is left.
    pub gone: oneshot::Receiver<()>,
}

/// How one owned partition stands, with what Kafka's client knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionStatus {
    pub standing: Standing,
    pub committed: Option<i64>,
    pub lag: Lag,
}

impl Poll {
    /// Creates the client, subscribes and starts the thread.
    ///
    /// # Errors
    /// The client, the subscription or the thread could not be made.
    pub fn start(client: &ClientSettings, settings: PollSettings, parts: PollParts) -> Result<Self, PollError> {
        let observer = Observer::default();
        let shared = Arc::new(Shared::new(parts, &settings));
        let context = PollContext::new(shared.clone(), observer.clone());
        let mut consumer: BaseConsumer<PollContext> = client.create_with_context(context)?;
        shared.queues.wake_for(&mut consumer);
        let beside = client.to_scout();
        let scout: BaseConsumer<ObservedContext> = beside.create_with_context(ObservedContext::default())?;
        let topics: Vec<&str> = settings.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(PollError::Subscribe)?;
        let (renewals, wanted) = crossbeam_channel::unbounded();
        let first = First { consumer, client: client.clone(), renewals: wanted, observer: observer.clone() };
        let scout = scout::spawn((scout, beside), shared.clone(), &settings.topics).map_err(PollError::Thread)?;
        let ends = thread::spawn(first, shared.clone(), settings, scout).map_err(PollError::Thread)?;
        Ok(Self { shared, observer, renewals, left: ends.left, gone: ends.gone })
    }

    /// Has another client, of these settings, take the place of the one in use; for a closure that outlives this.
    pub fn renewer(&self) -> impl Fn(ClientSettings) + Send + 'static {
        let renewals = self.renewals.clone();
        // The thread is gone only when the process ends.
        move |settings| drop(renewals.send(settings))
    }

    /// The client's newest statistics; `None` until the first interval has passed.
    pub fn statistics(&self) -> Option<Arc<Statistics>> {
        self.observer.statistics()
    }

    /// What to show of the partitions; for a closure that outlives this.
    pub fn view(&self) -> impl Fn() -> Vec<PartitionStatus> + Send + Sync + 'static {
        let (shared, observer) = (self.shared.clone(), self.observer.clone());
        move || shared.partitions(&observer)
    }
}
