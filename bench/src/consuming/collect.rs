//! A rival of ours, in a process of its own: the consumer's poll thread with its desk; every batch becomes a request and is answered at once.
//!
//! Nothing here is a loop of its own but the answers: records come by [`consumer::poll::Poll`] as they do in the product, with its commits.

use crate::consuming::no_op::Told;
use anyhow::{Context, Result};
use consumer::batch::Batch;
use consumer::condition::Condition;
use consumer::config::Config;
use consumer::desk::Desk;
use consumer::event::{Command, Event};
use consumer::metrics::Meters;
use consumer::poll::{Poll, PollParts};
use crossbeam_channel::Sender;
use runtime::clock::{self, SharedClock};
use runtime::health::Health;
use runtime::metrics::{Metrics, MetricsConfig};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{self, UnboundedReceiver};

/// The poll thread's heart may stop for so long; nobody listens to it here.
const BEAT: Duration = Duration::from_secs(60);

/// The running poll thread and the channels to it.
pub struct Desked {
    pub poll: Poll,
    pub commands: Sender<Command>,
    pub events: UnboundedReceiver<Event>,
    pub tell: mpsc::UnboundedSender<Event>,
    pub meters: Arc<Meters>,
    pub condition: Condition,
    pub clock: SharedClock,
}

/// As the consumer's `app` builds it.
///
/// # Errors
/// The client cannot be made.
pub fn start(config: &Config) -> Result<Desked> {
    let clock = clock::system();
    let (commands, served) = crossbeam_channel::unbounded();
    let (tell, events) = mpsc::unbounded_channel();
    let meters = Arc::new(Meters::new(&Metrics::start(&MetricsConfig::default(), "comboio-bench")?));
    let condition = Condition::default();
    let parts = PollParts {
        desk: Desk::new(config.desk.clone()),
        commands: served,
        events: tell.clone(),
        clock: clock.clone(),
        meters: meters.clone(),
        condition: condition.clone(),
        beat: Health::new(clock.clone()).component("poll", BEAT),
    };
    let poll = Poll::start(&config.kafka.consumer(&config.tuning), config.poll.clone(), parts)?;
    Ok(Desked { poll, commands, events, tell, meters, condition, clock })
}

/// Takes `records` records in batches. The time begins when the first batch is closed: what the others hold then, at most a batch a
/// partition, is taken as read in no time.
///
/// # Errors
/// The client cannot be made, or cannot go on.
pub fn run(config: &Config, records: u64) -> Result<Told> {
    let mut desked = start(config)?;
    let (mut seen, mut encoded, mut begun, mut stopping, mut seconds) = (0, 0, None, false, 0.0);
    loop {
        match desked.events.blocking_recv().context("the poll thread ended by itself")? {
            Event::Closed(mut batch) => {
                let start = *begun.get_or_insert_with(|| desked.clock.now());
                seen += batch.len() as u64;
                encoded += answer(&mut batch, &desked.commands);
                if seen >= records && !stopping {
                    (stopping, seconds) = (true, (desked.clock.now() - start).as_secs_f64());
                    desked.commands.send(Command::Stop)?;
                }
            }
            Event::Revoked { ticket, .. } => {
                desked.commands.send(Command::Drained(ticket))?;
                if stopping {
                    break;
                }
            }
            Event::Fatal(why) => anyhow::bail!(why),
            Event::Assigned(_) | Event::Lost(_) | Event::LaneDone(_) => {}
        }
    }
    anyhow::ensure!(encoded > 0, "{seen} records without a request");
    let end = desked.poll.left.blocking_recv()?;
    anyhow::ensure!(end.committed, "the last commit did not get through");
    desked.poll.gone.blocking_recv()?;
    Ok(Told { records: seen, seconds })
}

/// Makes the request as a delivery does, and says that all of it is finished; the request's length.
pub fn answer(batch: &mut Batch, commands: &Sender<Command>) -> usize {
    let request = batch.records.send(1, None);
    let (lane, bytes) = (batch.lane.clone(), batch.bytes);
    // The poll thread may have ended.
    let _ = commands.send(Command::Finished { held: lane.held.clone(), offsets: batch.offsets().collect() });
    let _ = commands.send(Command::Settled { lane, bytes });
    std::hint::black_box(request).len()
}
