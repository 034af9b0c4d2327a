//! The packaged process at a Runtime API of our own: how long until it asks for work, how long a batch takes, what it needs.

use crate::events::{self, Events};
use crate::meter;
use crate::statistics::Spread;
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use domain::contract::{BatchHead, OpenBatch, Push, judge};
use domain::offset::Offset;
use localenv::lambda_host::{Ending, Event, Function, Report, Sandbox};
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Records of a batch.
pub const RECORDS: usize = 500;
/// Validation and dedupe in memory are the defaults; nothing is kept of what is delivered.
const SETTINGS: [(&str, &str); 1] = [("COMBOIO_DESTINATIONS__NOWHERE__FILE__PATH", "/dev/null")];
const PATIENCE: Duration = Duration::from_secs(30);
/// What a function has least; it is told to the process and not enforced.
const MEMORY_MB: u32 = 128;

/// What was measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Speed {
    pub starts: usize,
    /// From before the process is started until it asks for its first invocation.
    pub cold_start_ms: Spread,
    pub batches: usize,
    /// From before an invocation is handed out until its answer is there; the first one apart.
    pub first_batch_ms: f64,
    pub batch_ms: Spread,
    /// The highest resident memory (VmHWM) of the process that took all batches.
    pub peak_bytes: u64,
}

/// Starts `bootstrap` so many times, and brings batches of events to the last of them, none of them twice.
///
/// # Errors
/// The process does not start or answer, or not every event is delivered.
pub fn measure(bootstrap: &Path, starts: usize, batches: usize, folder: &Path) -> Result<Speed> {
    let events = Events::read(&events::write(folder)?)?;
    ensure!(batches * RECORDS <= events.len(), "there are only {} distinct events", events.len());
    let requests = (0..batches).map(|number| batch(&events, number)).collect::<Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(bootstrap, starts, &requests))
}

async fn run(bootstrap: &Path, starts: usize, requests: &[OpenBatch]) -> Result<Speed> {
    let mut function = Function::new("dispatcher", bootstrap);
    function.memory_mb = MEMORY_MB;
    function.env = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let (mut cold, mut took, mut peak_bytes) = (Vec::new(), Vec::new(), 0);
    for start in 1..=starts {
        let before = Instant::now();
        let sandbox = Sandbox::start(&function, None, &Arc::default()).await?;
        let made = before.elapsed();
        // One batch shows that it is up; the last process gets all of them.
        let last = start == starts;
        for batch in if last { requests } else { &requests[..1] } {
            let Brought { asked, answered } = bring(&sandbox, batch).await?;
            cold.extend(asked.map(|asked| ms(made + asked)));
            took.extend(last.then(|| ms(answered.saturating_sub(asked.unwrap_or_default()))));
        }
        peak_bytes = meter::memory(sandbox.pid(), "VmHWM:").context("the process has ended")?;
    }
    let (first, others) = took.split_first().context("no batches")?;
    Ok(Speed {
        starts,
        cold_start_ms: Spread::of(&cold),
        batches: requests.len(),
        first_batch_ms: *first,
        batch_ms: Spread::of(others),
        peak_bytes,
    })
}

/// How long it took.
struct Brought {
    /// From when the process was there until it asked for work, if this was its first.
    asked: Option<Duration>,
    /// From before the batch was handed out until the answer was there.
    answered: Duration,
}

/// Every record must be delivered.
async fn bring(sandbox: &Sandbox, batch: &OpenBatch) -> Result<Brought> {
    let (event, mut asked) = (event(batch), None);
    let start = Instant::now();
    let ending = sandbox.run(event, PATIENCE, |first| asked = first).await;
    let answered = start.elapsed();
    let answer = match ending {
        Ending::Reported(Report::Response(answer)) => answer,
        Ending::Reported(Report::Error(error)) => bail!("the function failed: {}", String::from_utf8_lossy(&error)),
        other => bail!("the function did not answer: {other:?}"),
    };
    let judged = judge(batch, &answer).with_context(|| format!("answer to batch {}", batch.batch_id()))?;
    ensure!(judged.delivered == RECORDS as u64, "of {RECORDS} events not all were delivered: {judged:?}");
    Ok(Brought { asked, answered })
}

fn event(batch: &OpenBatch) -> Event {
    Event {
        // It stands in the path of the answer, and a batch id holds slashes.
        request_id: batch.batch_id().replace('/', "-"),
        arn: "arn:aws:lambda:us-east-1:000000000000:function:dispatcher".into(),
        trace_id: String::new(),
        payload: Bytes::from(batch.request(1, None)),
        timeout: PATIENCE,
    }
}

/// As the consumer makes them, each of other events.
fn batch(events: &Events, number: usize) -> Result<OpenBatch> {
    let head = BatchHead {
        group: "bench".into(),
        topic: "mt-c400".into(),
        partition: 0,
        lane: 0,
        lanes: 1,
        epoch: 0,
        log: None,
        since: None,
    };
    let mut batch = OpenBatch::new(head, usize::MAX);
    for place in number * RECORDS..(number + 1) * RECORDS {
        let pushed = batch.push(Offset(place as i64), 1_763_701_200_000, events.get(place).0);
        ensure!(pushed == Push::Taken, "event {place} does not go into a batch: {pushed:?}");
    }
    Ok(batch)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
