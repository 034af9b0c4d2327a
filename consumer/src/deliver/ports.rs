//! What a delivery may use, and how it is told to stop.

use crate::batch_limit::{BatchLimit, BatchLimits, Call, End};
use crate::condition::Condition;
use crate::deferral::Deferral;
use crate::event::Command;
use crate::flood::Flood;
use crate::guard::{Entry, Guard, UnknownTopic};
use crate::metrics::Meters;
use crate::policy::Pace;
use crate::pulse::{Pulse, Pulses};
use crossbeam_channel::Sender;
use domain::contract::Judgement;
use runtime::clock::SharedClock;
use runtime::traces::Traces;
use std::sync::Arc;
use tokio::sync::watch;

/// The borders and rules that all deliveries of a process share.
pub struct Ports<I, D> {
    pub invoker: I,
    pub dead_letters: D,
    /// Gives a permit for each invocation, over all lanes, and knows the function of each topic.
    pub guard: Guard,
    /// In step with the guard: one for each function.
    pub batch_limits: BatchLimits,
    /// Likewise.
    pub pulses: Pulses,
    pub pace: Pace,
    pub deferral: Deferral,
    pub flood: Flood,
    /// To the poll thread.
    pub commands: Sender<Command>,
    pub meters: Arc<Meters>,
    pub traces: Traces,
    pub condition: Condition,
    pub clock: SharedClock,
    /// Uniform in 0..=1, for jitter.
    pub unit: fn() -> f64,
}

impl<I, D> Ports<I, D> {
    /// To the poll thread; when that is gone there is nobody left to tell.
    pub fn tell(&self, command: Command) {
        let _ = self.commands.send(command);
    }

    /// The way of a topic's batches; a retry topic has that of its topic.
    pub(super) fn way(&self, topic: &str) -> Result<Way, UnknownTopic> {
        let entry = self.guard.entry(topic)?;
        let unknown = || UnknownTopic(topic.to_owned());
        let batch_limit = self.batch_limits.of(entry.function()).ok_or_else(unknown)?;
        let pulse = self.pulses.of(entry.function()).ok_or_else(unknown)?;
        Ok(Way { entry, batch_limit, pulse })
    }

    /// What the end of a call says about the size of its function's batches.
    pub(super) fn size(&self, limit: &BatchLimit, call: Call, end: End) {
        if let Some(records) = limit.ended(call, end) {
            self.tell(Command::BatchLimit { function: limit.function(), records });
        }
    }

    pub(super) fn count(&self, judgement: &Judgement) {
        self.meters.calls_ok.add(1);
        self.meters.delivered.add(judgement.delivered);
        self.meters.duplicates.add(judgement.duplicates);
        self.meters.rejected.add(judgement.rejected.len() as u64);
        self.meters.retries.add(judgement.retry.len() as u64);
    }
}

/// Where the batches of a topic go: through whose guard, in parts of which size, and what the function does for others.
pub(super) struct Way {
    pub(super) entry: Entry,
    pub(super) batch_limit: BatchLimit,
    pub(super) pulse: Pulse,
}

/// Tells the deliveries of one assigned partition to stop; dropping it does the same.
#[derive(Debug)]
pub struct Stopper(watch::Sender<()>);

/// The other end of a [`Stopper`].
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<()>);

impl Stopper {
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(());
        (Self(sender), Stop(receiver))
    }

    pub fn listen(&self) -> Stop {
        Stop(self.0.subscribe())
    }
}

impl Stop {
    /// Whether the delivery shall begin nothing new.
    pub fn is_wanted(&self) -> bool {
        self.0.has_changed().is_err()
    }

    /// Comes back when the delivery shall begin nothing new.
    pub async fn wanted(&mut self) {
        // Nothing is ever sent: the end of the channel is the message.
        while self.0.changed().await.is_ok() {}
    }
}
