//! The life of the process: build, start, watch, drain, report.

mod finish;
mod parts;
mod status;

use crate::answers::Answers;
use crate::config::Config;
use crate::metrics::LatencyGauges;
use crate::outlet::KafkaProducer;
use crate::pipeline::Flown;
use parts::{Parts, Running};
use rdkafka::producer::{Producer, PurgeConfig};
use runtime::exit::Failure;
use runtime::shutdown::Shutdown;
use runtime::systemd;
use status::Progress;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::MissedTickBehavior;

/// Files that a run leaves.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    pub report: Option<PathBuf>,
    pub ledger: Option<PathBuf>,
}

/// Runs to the end and prints the report.
///
/// # Errors
/// Kafka cannot be reached or refuses us, events were not acknowledged, a file cannot be written: one sentence, exit 1.
pub fn run(config: Config, outputs: Outputs) -> Result<(), Failure> {
    // Signals, progress and the end; the flow and the polling have threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(live(config, outputs))
}

async fn live(config: Config, outputs: Outputs) -> Result<(), Failure> {
    let shutdown = Shutdown::on_signals()?;
    let parts = Parts::build(&config, shutdown.clone(), outputs.ledger.is_some())?;
    let topics = tokio::select! {
        topics = parts::probe(&config) => topics?,
        () = shutdown.drain() => return Err(Failure::failed("told to stop before Kafka had answered")),
    };
    let (running, flown) = parts.start(&config, topics)?;
    systemd::ready();
    systemd::watchdog(&running.health);
    let mut progress =
        Progress::new(running.answers.clone(), LatencyGauges::new(&running.metrics), running.expiry.clone());
    let flown = watch(flown, &mut progress, config.run.progress_every.get()).await?;
    systemd::stopping();
    drain(&running, &config, &shutdown).await;
    progress.publish();
    end(running, flown, &config, &outputs)
}

/// Tells how it goes until the flow has ended.
async fn watch(
    mut flown: oneshot::Receiver<Flown>,
    progress: &mut Progress,
    every: Duration,
) -> Result<Flown, Failure> {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        tokio::select! {
            flown = &mut flown => return flown.map_err(|_| Failure::failed("the flow ended with a panic, see the log")),
            _ = ticks.tick() => progress.tell(),
        }
    }
}

/// How long answers may take to come in after everything unanswered was purged.
const AFTER_PURGE: Duration = Duration::from_secs(2);

/// Waits until Kafka has answered everything: after a signal up to the shutdown deadline, else up to the delivery timeout,
/// within which every record gets its answer.
async fn drain(running: &Running, config: &Config, shutdown: &Shutdown) {
    let answers = &running.answers;
    let by_itself = config.tuning.delivery_timeout + AFTER_PURGE;
    let deadline = async {
        tokio::select! {
            () = tokio::time::sleep(by_itself) => {},
            () = async {
                shutdown.drain().await;
                tokio::select! {
                    () = tokio::time::sleep(config.run.shutdown_deadline.get()) => {},
                    () = shutdown.hurried() => {},
                }
            } => {},
        }
    };
    tokio::select! {
        () = answered(&running.producer, answers) => return,
        () = deadline => {}
    }
    tracing::warn!(unanswered = answers.tally.unanswered(), "deadline reached, what is unanswered is given up");
    running.producer.purge(PurgeConfig::default().queue().inflight());
    if tokio::time::timeout(AFTER_PURGE, answered(&running.producer, answers)).await.is_err() {
        tracing::warn!(unanswered = answers.tally.unanswered(), "still unanswered");
    }
}

async fn answered(producer: &Arc<KafkaProducer>, answers: &Arc<Answers>) {
    while !answers.in_flight.all_back() {
        let producer = producer.clone();
        // A flush that times out has still sent what lingered; the loop asks again.
        let flush = tokio::task::spawn_blocking(move || producer.flush(Duration::from_millis(20)).is_ok());
        if flush.await.unwrap_or(true) {
            // Nothing is in the client any more; a dead letter may be on its way to the file.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn end(running: Running, flown: Flown, config: &Config, outputs: &Outputs) -> Result<(), Failure> {
    running.polling.stop();
    let ended = finish::finish(&running.answers, flown, config, &running.about);
    print!("{}", ended.report);
    finish::write(&ended, outputs)?;
    running.metrics.stop(Duration::from_secs(2));
    running.admin.stop();
    finish::verdict(&running.answers, &ended)
}
