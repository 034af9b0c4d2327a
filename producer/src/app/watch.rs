//! Watches a run until its flow has ended: says how it goes, and leaves a flow behind that a hanging disk holds.

use super::status::Progress;
use crate::disk_pulse::DiskPulse;
use crate::pipeline::Flown;
use runtime::exit::Failure;
use runtime::health::Beat;
use runtime::shutdown::Shutdown;
use runtime::systemd;
use std::pin::pin;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// How often disks are looked after.
const LOOK: Duration = Duration::from_millis(250);

/// How a flow ended.
pub enum Ended {
    Flown(Box<Flown>),
    /// A disk hangs, and holds the flow; with the sentence about it.
    Held(String),
}

/// Says that a disk hangs: for `/readyz`, and in the log.
pub struct DiskWatch {
    pulse: DiskPulse,
    beat: Beat,
    hangs: bool,
}

impl DiskWatch {
    pub fn new(pulse: DiskPulse, beat: Beat) -> Self {
        // The flow that waits for the disk shows as stuck by itself.
        beat.rest();
        beat.ready(true, "");
        Self { pulse, beat, hangs: false }
    }

    /// Whether it hangs at this moment.
    pub fn hangs(&self) -> bool {
        self.pulse.silence().is_some()
    }

    fn look(&mut self) {
        let silence = self.pulse.silence();
        match (&silence, self.hangs) {
            (Some(why), false) => tracing::error!(why, "a disk hangs: nothing is taken until it answers"),
            (None, true) => tracing::info!("{} answers again", self.pulse.name()),
            _ => {}
        }
        if silence.is_some() || self.hangs {
            self.beat.ready(silence.is_none(), silence.as_deref().unwrap_or_default());
        }
        self.hangs = silence.is_some();
    }
}

/// What is watched.
pub struct Watched<'a> {
    pub progress: &'a mut Progress,
    pub progress_every: Duration,
    pub shutdown: &'a Shutdown,
    pub shutdown_deadline: Duration,
    pub disks: &'a mut [DiskWatch],
}

/// Comes back when the flow has ended, or never will.
///
/// # Errors
/// The flow ended with a panic.
pub async fn watch(mut flown: oneshot::Receiver<Flown>, watched: Watched<'_>) -> Result<Ended, Failure> {
    let Watched { progress, progress_every, shutdown, shutdown_deadline, disks } = watched;
    let pulses = disks.iter().map(|disk| disk.pulse.clone()).collect();
    let mut held = pin!(held(shutdown, shutdown_deadline, pulses));
    let (mut ticks, mut looks) = (interval(progress_every), interval(LOOK));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut stopping = false;
    let ended = loop {
        tokio::select! {
            flown = &mut flown => break flown.map(|flown| Ended::Flown(Box::new(flown))),
            why = &mut held => break Ok(Ended::Held(why)),
            () = shutdown.drain(), if !stopping => {
                stopping = true;
                systemd::stopping();
            }
            _ = ticks.tick() => progress.tell(),
            _ = looks.tick() => disks.iter_mut().for_each(DiskWatch::look),
        }
    };
    if !stopping {
        systemd::stopping();
    }
    ended.map_err(|_| Failure::failed("the flow ended with a panic, see the log"))
}

/// Comes back when time is up and a disk hangs.
async fn held(shutdown: &Shutdown, deadline: Duration, disks: Vec<DiskPulse>) -> String {
    shutdown.drain().await;
    tokio::select! {
        () = sleep(deadline) => {}
        () = shutdown.hurried() => {}
    }
    loop {
        if let Some(why) = disks.iter().find_map(DiskPulse::silence) {
            return why;
        }
        sleep(LOOK).await;
    }
}
