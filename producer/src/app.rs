//! The life of the process: build, start, watch, drain, report.

mod feed;
mod finish;
mod held;
mod kafka;
mod parts;
mod status;
mod watch;

use crate::config::Config;
use crate::histogram_log::{HistogramLog, Writing};
use crate::metrics::LatencyGauges;
use parts::{Found, Parts, Running};
use runtime::exit::Failure;
use runtime::shutdown::Shutdown;
use runtime::stdout;
use runtime::systemd;
use status::Progress;
use std::path::PathBuf;
use std::time::Duration;
use watch::{DiskWatch, Ended, Watched};

/// Files that a run leaves.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    pub report: Option<PathBuf>,
    pub ledger: Option<PathBuf>,
    /// HdrHistogram's log.
    pub histogram: Option<PathBuf>,
    /// The page for people.
    pub html: Option<PathBuf>,
}

/// Runs to the end and prints the report.
///
/// # Errors
/// Kafka cannot be reached or refuses us, events were not acknowledged, a file cannot be written: one sentence, exit 1.
pub fn run(config: Config, outputs: Outputs) -> Result<(), Failure> {
    // Signals, progress and the end; the flow and the polling have threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(live(config, outputs));
    // A question to Kafka that nobody waits for any more takes its time.
    runtime.shutdown_background();
    ended
}

async fn live(config: Config, outputs: Outputs) -> Result<(), Failure> {
    let histograms = outputs.histogram.as_deref().map(HistogramLog::create).transpose().map_err(Failure::usage)?;
    let shutdown = Shutdown::on_signals()?;
    let spool = kafka::spool(config.spool.clone(), &shutdown).await?;
    let parts = Parts::build(&config, shutdown.clone(), outputs.ledger.is_some())?;
    let asked = tokio::select! {
        asked = kafka::probe(&config) => asked?,
        () = shutdown.drain() => {
            systemd::stopping();
            let (idle, flown) = parts.idle(&config, spool)?;
            let histograms = begin(histograms, &idle)?;
            return end(idle, Ended::Flown(Box::new(flown)), histograms, &config, &outputs);
        }
    };
    let (mut running, flown) = parts.start(&config, Found { kafka: asked, spool })?;
    let histograms = begin(histograms, &running)?;
    systemd::ready();
    systemd::watchdog(&running.health);
    let mut progress =
        Progress::new(running.answers.clone(), LatencyGauges::new(&running.metrics), running.expiry.clone());
    let watched = Watched {
        progress: &mut progress,
        progress_every: config.run.progress_every.get(),
        shutdown: &shutdown,
        shutdown_deadline: config.run.shutdown_deadline.get(),
        disks: &mut running.disks,
    };
    let ended = watch::watch(flown, watched).await?;
    progress.publish();
    end(running, ended, histograms, &config, &outputs)
}

fn begin(histograms: Option<HistogramLog>, running: &Running) -> Result<Option<Writing>, Failure> {
    Ok(histograms.map(|log| log.start(running.about.run.start_ms, &running.answers)).transpose()?)
}

fn end(
    running: Running,
    ended: Ended,
    histograms: Option<Writing>,
    config: &Config,
    outputs: &Outputs,
) -> Result<(), Failure> {
    if let Some(rotation) = running.rotation {
        rotation.stop();
    }
    if let Some(server) = running.server {
        server.stop();
    }
    if let Ended::Held(why) = &ended {
        held::end_anyway(why);
    }
    let hangs = || running.disks.iter().any(DiskWatch::hangs);
    let clients = running.polling.map(|polling| polling.stop_unless(hangs));
    let (flown, held) = match ended {
        Ended::Flown(flown) => (*flown, None),
        Ended::Held(why) => (held::flown(&running.answers), Some(why)),
    };
    let ended = finish::finish(&running.answers, flown, config, &running.about);
    // Whatever cannot be written, the rest is; what became of the events is said first.
    let logged = histograms.map_or(Ok(()), Writing::finish).map_err(Failure::from);
    let written = finish::write(&ended, outputs).and(logged);
    let said = stdout::say(&ended.report);
    running.metrics.stop(Duration::from_secs(2));
    running.admin.stop();
    if let Some(clients) = clients {
        clients.wait();
    }
    let verdict = held.map_or_else(|| finish::verdict(&running.answers, &ended), |why| held::verdict(&why, &ended));
    verdict.and(written).and(said)
}
