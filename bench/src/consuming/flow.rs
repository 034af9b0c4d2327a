//! In a process of its own: the whole consumer but for Lambda's client, against functions that take their time.

use crate::consuming::flow_figures::Seen;
use crate::consuming::pretend::{Answered, Pretend, Tally};
use crate::meter;
use anyhow::{Context, Result, anyhow, bail};
use consumer::app;
use consumer::config::Config;
use runtime::clock;
use runtime::shutdown::Shutdown;
use std::time::Duration;

/// After the first answer, until it counts.
const SETTLE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(20);
/// For the assignment.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the consumer until it has been looked at for `seconds`.
///
/// # Errors
/// The consumer fails, or gets no records.
pub fn run(config: Config, latency: Duration, seconds: u64) -> Result<Seen> {
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    tokio.block_on(async {
        let (shutdown, tally) = (Shutdown::new(), Tally::default());
        let pretend = Pretend::new(latency, tally.clone());
        let mut running = tokio::spawn(app::run(config, shutdown.clone(), pretend));
        let seen = tokio::select! {
            ended = &mut running => bail!("the consumer ended by itself: {ended:?}"),
            seen = watch(&tally, seconds) => seen?,
        };
        shutdown.trigger("measured");
        running.await?.map_err(|failure| anyhow!("{failure}"))?;
        Ok(seen)
    })
}

async fn watch(tally: &Tally, seconds: u64) -> Result<Seen> {
    let clock = clock::system();
    let start = clock.now();
    while tally.answered().calls == 0 {
        anyhow::ensure!(clock.now() - start < PATIENCE, "no batch came");
        tokio::time::sleep(LOOK).await;
    }
    tokio::time::sleep(SETTLE).await;
    let cpu = || meter::cpu_seconds(std::process::id()).context("no /proc");
    let (before, cpu_before, from) = (tally.answered(), cpu()?, clock.now());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (after, cpu_after, until) = (tally.answered(), cpu()?, clock.now());
    Ok(seen(&before, &after, (until - from).as_secs_f64(), cpu_after - cpu_before))
}

/// What was answered between two looks.
pub fn seen(before: &Answered, after: &Answered, seconds: f64, cpu_seconds: f64) -> Seen {
    let calls = after.calls - before.calls;
    let call_ms = (after.call_seconds - before.call_seconds) * 1_000.0 / calls.max(1) as f64;
    Seen { records: after.records - before.records, calls, seconds, call_ms, cpu_seconds }
}
