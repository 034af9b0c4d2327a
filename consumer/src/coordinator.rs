//! The coordinator: gives every lane one batch at a time, and answers for what is in flight when partitions go.
//!
//! In: events, one after the other. Out: deliveries, and commands to the poll thread.
//! Never: has two batches of one lane under way, or begins one for a partition that is gone.

use crate::assignment::{Held, LaneId};
use crate::batch::Batch;
use crate::dead_letter::DeadLetters;
use crate::deliver::{Ports, Stopper, deliver};
use crate::event::{Command, Event, Ticket};
use crate::invoke::Invoker;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// See the head of the file. An owned partition has a stopper, in each generation that was not revoked; a lane is busy from its batch's beginning to `LaneDone`.
pub struct Coordinator<I, D> {
    ports: Arc<Ports<I, D>>,
    /// To ourselves: the ends of deliveries come back by the one channel.
    events: UnboundedSender<Event>,
    owned: HashMap<Held, Stopper>,
    waiting: HashMap<LaneId, VecDeque<Batch>>,
    /// Batches under way, with the bytes that they hold.
    busy: HashMap<LaneId, usize>,
    drains: Vec<Drain>,
}

/// A drain that somebody waits for.
struct Drain {
    ticket: Ticket,
    lanes: HashSet<LaneId>,
}

/// This process cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fatal(pub String);

impl<I: Invoker, D: DeadLetters> Coordinator<I, D> {
    pub fn new(ports: Arc<Ports<I, D>>, events: UnboundedSender<Event>) -> Self {
        let (owned, waiting, busy) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { ports, events, owned, waiting, busy, drains: Vec::new() }
    }

    /// Handles events until there are no more senders, which is never while this lives, or one of them is fatal.
    ///
    /// # Errors
    /// An event said that this process cannot go on.
    pub async fn run(mut self, mut events: UnboundedReceiver<Event>) -> Result<(), Fatal> {
        while let Some(event) = events.recv().await {
            self.handle(event)?;
        }
        Ok(())
    }

    /// Handles one event; only begins things, never waits.
    ///
    /// # Errors
    /// The event said that this process cannot go on.
    pub fn handle(&mut self, event: Event) -> Result<(), Fatal> {
        match event {
            Event::Assigned(held) => {
                self.owned.extend(held.into_iter().map(|held| (held, Stopper::new().0)));
            }
            Event::Closed(batch) => self.enqueue(*batch),
            Event::LaneDone(lane) => self.lane_done(&lane),
            Event::Revoked { ticket, held } => {
                let held = self.generations(&held);
                self.drop_partitions(&held);
                let lanes = self.busy.keys().filter(|lane| held.contains(&lane.held)).cloned().collect();
                self.drains.push(Drain { ticket, lanes });
                self.answer_drains();
            }
            Event::Lost(held) => self.drop_partitions(&self.generations(&held)),
            Event::Fatal(why) => return Err(Fatal(why)),
        }
        Ok(())
    }

    fn enqueue(&mut self, batch: Batch) {
        if !self.owned.contains_key(&batch.lane.held) {
            return self.settled(batch.lane, batch.bytes);
        }
        let lane = batch.lane.clone();
        self.waiting.entry(lane.clone()).or_default().push_back(batch);
        self.begin(&lane);
    }

    /// Begins the next batch of a lane that is not busy.
    fn begin(&mut self, lane: &LaneId) {
        if self.busy.contains_key(lane) {
            return;
        }
        let Some(stopper) = self.owned.get(&lane.held) else { return };
        let Some(batch) = self.waiting.get_mut(lane).and_then(VecDeque::pop_front) else { return };
        self.busy.insert(lane.clone(), batch.bytes);
        let (ports, events, stop, lane) = (self.ports.clone(), self.events.clone(), stopper.listen(), lane.clone());
        tokio::spawn(async move {
            let delivery = tokio::spawn(async move { deliver(batch, &ports, stop).await });
            let end = match delivery.await {
                Ok(Ok(())) => Event::LaneDone(lane),
                Ok(Err(unknown)) => Event::Fatal(unknown.to_string()),
                Err(error) => Event::Fatal(format!("the delivery of lane {lane} broke off: {error}")),
            };
            // Nobody listens any more when the process ends.
            let _ = events.send(end);
        });
    }

    fn lane_done(&mut self, lane: &LaneId) {
        if let Some(bytes) = self.busy.remove(lane) {
            self.settled(lane.clone(), bytes);
        }
        self.begin(lane);
        for drain in &mut self.drains {
            drain.lanes.remove(lane);
        }
        self.answer_drains();
    }

    /// Every generation of these partitions that deliveries are under way for: one that went back has an older one beside it.
    fn generations(&self, held: &[Held]) -> Vec<Held> {
        let leaves = |owned: &&Held| held.iter().any(|held| held.at == owned.at);
        self.owned.keys().filter(leaves).cloned().collect()
    }

    /// Deliveries under way are told to stop; what waits is dropped and will be read again by whoever owns it next.
    fn drop_partitions(&mut self, held: &[Held]) {
        self.owned.retain(|owned, _| !held.contains(owned));
        held.iter().for_each(|held| self.ports.flood.forget(&held.at));
        let gone: Vec<LaneId> = self.waiting.keys().filter(|lane| held.contains(&lane.held)).cloned().collect();
        for lane in gone {
            for batch in self.waiting.remove(&lane).unwrap_or_default() {
                self.settled(batch.lane, batch.bytes);
            }
        }
    }

    /// `Finished` of a lane was sent before its `LaneDone`, so `Drained` comes after all of them.
    fn answer_drains(&mut self) {
        for drain in self.drains.extract_if(.., |drain| drain.lanes.is_empty()) {
            self.ports.tell(Command::Drained(drain.ticket));
        }
    }

    fn settled(&self, lane: LaneId, bytes: usize) {
        self.ports.tell(Command::Settled { lane, bytes });
    }
}
