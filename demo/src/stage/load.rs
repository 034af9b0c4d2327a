//! The producer: start, hold, end.

use super::{PATIENCE, Stage};
use crate::services::Service;
use crate::settings;
use crate::watch::{count, number};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A story that is not told by then is stuck.
const LONGEST: u32 = 900;
/// The lowest limit that the producer takes; it is as good as nothing.
const NEXT_TO_NOTHING: f64 = 0.1;

/// The producer, and what it said last.
pub struct Load {
    service: Service,
    told: Value,
}

impl Load {
    /// What it says of itself, or said last.
    pub(super) async fn look(&mut self) -> &Value {
        if let Some(status) = self.service.status().await {
            self.told = status;
        }
        &self.told
    }

    /// An error when it has failed.
    pub(super) fn check(&mut self) -> Result<()> {
        match self.service.exited()? {
            Some(status) if !status.success() => {
                bail!("the producer ended with {status}: {}", self.service.log_tail(5))
            }
            _ => Ok(()),
        }
    }
}

impl Stage<'_> {
    /// Starts the producer. It goes on until [`Self::end_load`], or for the time that was asked for when the story has a fixed load.
    ///
    /// # Errors
    /// When it is not ready in time.
    pub async fn begin_load(&mut self) -> Result<()> {
        let mut table = settings::producer(&self.folder, "producer", &self.world.producer);
        for (key, value) in &self.producer_settings {
            settings::set(&mut table, key, value.clone());
        }
        settings::write(&self.folder, "producer", &table)?;
        let (report, ledger) = (self.folder.file("producer.json"), self.folder.file("ledger.ndjson"));
        let (report, ledger) = (report.to_string_lossy(), ledger.to_string_lossy());
        let program = self.binaries.path("comboio-producer");
        let fixed = self.options.story.has_fixed_load();
        let seconds = if fixed { self.options.duration() } else { LONGEST };
        let (rate, duration) = (self.options.rate().to_string(), format!("{seconds}s"));
        let arguments = ["--rate", &rate, "--duration", &duration, "--report", &report, "--ledger", &ledger];
        let mut service = Service::start(&self.folder, "producer", &program, &arguments)?;
        service.wait_ready(PATIENCE).await?;
        self.load = Some(Load { service, told: Value::Null });
        self.began = Instant::now();
        let until = if fixed { format!("for {seconds} s") } else { "until the story is told".to_owned() };
        self.tell(&format!("{rate} events/s {until}"));
        Ok(())
    }

    /// What the producer says of itself.
    ///
    /// # Errors
    /// When none runs.
    pub async fn load_status(&mut self) -> Result<Value> {
        Ok(self.load.as_mut().context("no producer runs")?.look().await.clone())
    }

    /// Waits until Kafka has acknowledged `more` events beyond those of now.
    ///
    /// # Errors
    /// When it does not in time.
    pub async fn until_acknowledged(&mut self, more: u64) -> Result<()> {
        let goal = count(&self.load_status().await?, "/acknowledged") + more;
        let reached = async |stage: &mut Self| Ok(count(&stage.load_status().await?, "/acknowledged") >= goal);
        self.until(&format!("{more} more events are acknowledged"), PATIENCE, reached).await?;
        Ok(())
    }

    /// Limits the producer to `events_per_second`; 0 is no limit.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn limit_load(&self, events_per_second: f64) -> Result<()> {
        let load = self.load.as_ref().context("no producer runs")?;
        load.service.put("/control/limits", &json!({ "events_per_second": events_per_second })).await
    }

    /// Holds the producer, and waits until everything that it sent is acknowledged and finished by the group.
    ///
    /// # Errors
    /// When it does not come to rest in time.
    pub async fn hold_load(&mut self) -> Result<Duration> {
        self.limit_load(NEXT_TO_NOTHING).await?;
        let mut before = None;
        let quiet = async |stage: &mut Self| {
            let status = stage.load_status().await?;
            let offered = count(&status, "/offered");
            let still = before.replace(offered) == Some(offered) && offered == count(&status, "/acknowledged");
            Ok(still && stage.lag().await? == 0)
        };
        self.until("the group has finished everything while the producer is held", PATIENCE, quiet).await
    }

    /// Lets a held producer go on, at three times its rate until it has caught up.
    ///
    /// # Errors
    /// When it does not catch up in time.
    pub async fn release_load(&mut self) -> Result<()> {
        self.limit_load(3.0 * f64::from(self.options.rate())).await?;
        let caught_up = async |stage: &mut Self| Ok(number(&stage.load_status().await?, "/lateness_ms") < 500.0);
        self.until("the producer has caught up", PATIENCE * 2, caught_up).await?;
        self.limit_load(0.0).await
    }

    /// Ends the load once it has lasted as long as was asked for, and waits for the producer's end.
    ///
    /// # Errors
    /// When the producer failed, or does not end in time.
    pub async fn end_load(&mut self) -> Result<()> {
        let asked = Duration::from_secs(u64::from(self.options.duration()));
        if !self.options.story.has_fixed_load() {
            self.until("the load has lasted long enough", asked, async |stage| Ok(stage.elapsed() >= asked)).await?;
            self.load.as_ref().context("no producer runs")?.service.terminate()?;
        }
        let ended = async |stage: &mut Self| Ok(stage.producer()?.exited()?.is_some());
        self.until("the producer has ended", asked + PATIENCE, ended).await?;
        self.load.as_mut().context("no producer runs")?.check()
    }

    fn producer(&mut self) -> Result<&mut Service> {
        Ok(&mut self.load.as_mut().context("no producer runs")?.service)
    }
}
