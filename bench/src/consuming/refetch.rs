//! In a process of its own: how many bytes are fetched for a record when partitions are paused and resumed, by the client's statistics.
//!
//! The poll thread and its desk as they are; each lane answers one batch after the other, each after a while.

use crate::consuming::collect::{self, Desked, answer};
use crate::consuming::flow_figures::Fetched;
use anyhow::{Result, bail, ensure};
use consumer::assignment::LaneId;
use consumer::batch::Batch;
use consumer::config::Config;
use consumer::event::{Command, Event};
use kafka_client::context::Statistics;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const LOOK: Duration = Duration::from_millis(10);
/// For the assignment and the first statistics.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lanes, each with the batches that wait behind the one under way.
#[derive(Default)]
struct Lanes {
    waiting: HashMap<LaneId, VecDeque<Box<Batch>>>,
    under_way: JoinSet<LaneId>,
}

/// Runs for about `seconds`, from one report of the statistics to another.
///
/// # Errors
/// The client cannot be made, or cannot go on.
pub fn run(config: &Config, latency: Duration, seconds: u64) -> Result<Fetched> {
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio.block_on(async {
        let mut desked = collect::start(config)?;
        let fetched = watch(&mut desked, latency, Duration::from_secs(seconds)).await?;
        // What is under way is not waited for: its records belong to nobody.
        desked.commands.send(Command::Stop)?;
        desked.commands.send(Command::Hurry)?;
        desked.poll.gone.await?;
        Ok(fetched)
    })
}

async fn watch(desked: &mut Desked, latency: Duration, span: Duration) -> Result<Fetched> {
    let (mut lanes, mut looks) = (Lanes::default(), tokio::time::interval(LOOK));
    let start = desked.clock.now();
    let mut first: Option<(Duration, Fetched)> = None;
    let mut last = desked.poll.statistics();
    loop {
        tokio::select! {
            event = desked.events.recv() => match event {
                Some(Event::Closed(batch)) => lanes.push(batch, latency),
                Some(Event::Fatal(why)) => bail!(why),
                Some(_) => {}
                None => bail!("the poll thread ended by itself"),
            },
            Some(done) = lanes.under_way.join_next() => lanes.done(&done?, desked, latency),
            _ = looks.tick() => {
                let newest = desked.poll.statistics();
                let Some(report) = newest.as_ref().filter(|newest| is_new(newest, last.as_ref())) else {
                    ensure!(first.is_some() || desked.clock.now() - start < PATIENCE, "no statistics came");
                    continue;
                };
                let (now, found) = (desked.clock.now(), look(report, desked));
                match &first {
                    None if found.records > 0 => first = Some((now, found)),
                    Some((from, before)) if now - *from >= span => return Ok(difference(before, &found)),
                    _ => {}
                }
                last = newest;
            }
        }
    }
}

impl Lanes {
    fn push(&mut self, batch: Box<Batch>, latency: Duration) {
        let lane = batch.lane.clone();
        let queue = self.waiting.entry(lane.clone()).or_default();
        queue.push_back(batch);
        if queue.len() == 1 {
            self.begin(lane, latency);
        }
    }

    fn begin(&mut self, lane: LaneId, latency: Duration) {
        self.under_way.spawn(async move {
            tokio::time::sleep(latency).await;
            lane
        });
    }

    fn done(&mut self, lane: &LaneId, desked: &Desked, latency: Duration) {
        let Some(queue) = self.waiting.get_mut(lane) else { return };
        if let Some(mut batch) = queue.pop_front() {
            answer(&mut batch, &desked.commands);
        }
        if !queue.is_empty() {
            self.begin(lane.clone(), latency);
        }
    }
}

fn is_new(newest: &Arc<Statistics>, last: Option<&Arc<Statistics>>) -> bool {
    last.is_none_or(|last| !Arc::ptr_eq(newest, last))
}

/// Records that were taken, and those that lie ready: they were fetched as well.
fn look(report: &Statistics, desked: &Desked) -> Fetched {
    let ready: u64 = report.partitions.iter().map(|partition| partition.queue_records).sum();
    Fetched {
        bytes: report.brokers.iter().map(|broker| broker.received_bytes).sum(),
        records: desked.meters.polled.get() + ready,
        pauses: desked.meters.pauses.get(),
    }
}

fn difference(before: &Fetched, after: &Fetched) -> Fetched {
    Fetched {
        bytes: after.bytes - before.bytes,
        records: after.records.saturating_sub(before.records),
        pauses: after.pauses - before.pauses,
    }
}
