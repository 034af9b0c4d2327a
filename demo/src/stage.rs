//! One run under way: everything that runs, and a look at it every second while a story waits for something.

/// The consumers: start, kill, freeze, stop, and who owns what.
mod members;
/// The producer: start, hold, end.
mod load;
/// Real Kafka's brokers.
mod cluster;

pub use load::Load;
pub use members::Owners;

use crate::accident::Accident;
use crate::chronicle::{Chronicle, Event};
use crate::footprint;
use crate::kafka_view::{KafkaView, TopicPartition};
use crate::layout::{Binaries, RunFolder};
use crate::options::Options;
use crate::services::Service;
use crate::view::View;
use crate::watch::{Snapshot, count};
use crate::world::World;
use anyhow::{Result, bail};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use toml::Value;

/// For whatever takes a few seconds, on a machine with something else to do.
pub const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_secs(1);
const BREATH: Duration = Duration::from_millis(100);

/// A setting of all services of one kind that a story wants otherwise.
pub type Setting = (&'static str, Value);

/// Everything that runs.
pub struct Stage<'a> {
    pub options: &'a Options,
    pub world: World<'a>,
    pub kafka: Arc<KafkaView>,
    /// The consumers, in the order of their start.
    pub members: Vec<Service>,
    pub load: Option<Load>,
    /// What may explain duplicates.
    pub accident: Accident,
    pub chronicle: Chronicle,
    /// Repeats that consumers which are gone had seen removed.
    pub removed_before: u64,
    /// Highest resident memory of all processes together, in bytes.
    pub peak: u64,
    pub folder: RunFolder,
    /// What the story wants otherwise, for consumers and for the producer.
    pub consumer_settings: Vec<Setting>,
    pub producer_settings: Vec<Setting>,
    binaries: Binaries,
    view: &'a mut View,
    began: Instant,
    next_look: Instant,
    warned: bool,
}

impl<'a> Stage<'a> {
    /// Nothing runs yet but what stands outside the services.
    ///
    /// # Errors
    /// When Kafka cannot be looked at.
    pub fn new(
        options: &'a Options,
        view: &'a mut View,
        world: World<'a>,
        (binaries, folder): (Binaries, RunFolder),
    ) -> Result<Self> {
        let kafka = Arc::new(world.kafka_view()?);
        let now = Instant::now();
        Ok(Self {
            options,
            world,
            kafka,
            members: Vec::new(),
            load: None,
            accident: Accident::default(),
            chronicle: Chronicle::default(),
            removed_before: 0,
            peak: 0,
            folder,
            consumer_settings: Vec::new(),
            producer_settings: Vec::new(),
            binaries,
            view,
            began: now,
            next_look: now,
            warned: false,
        })
    }

    /// Says something that stays on the screen.
    pub fn tell(&mut self, line: &str) {
        self.view.tell(line);
    }

    /// Says it and notes it with its time.
    pub fn note(&mut self, what: &str) {
        self.view.tell(what);
        self.chronicle.events.push(Event { seconds: self.elapsed().as_secs_f64(), what: what.to_owned() });
    }

    /// Since the load began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits until `condition` is true, with a look at everything meanwhile; how long it took.
    ///
    /// # Errors
    /// When it is not true in time, `what` says so; or something died that should not have.
    pub async fn until(
        &mut self,
        what: &str,
        deadline: Duration,
        mut condition: impl AsyncFnMut(&mut Self) -> Result<bool>,
    ) -> Result<Duration> {
        let since = Instant::now();
        while !condition(self).await? {
            if since.elapsed() > deadline {
                bail!("not within {deadline:?}: {what}");
            }
            self.breathe().await?;
        }
        Ok(since.elapsed())
    }

    /// A short wait; once a second a look.
    ///
    /// # Errors
    /// When something has died that should not have.
    pub async fn breathe(&mut self) -> Result<()> {
        if Instant::now() >= self.next_look {
            self.next_look = Instant::now() + LOOK;
            self.look().await?;
        }
        tokio::time::sleep(BREATH).await;
        Ok(())
    }

    async fn look(&mut self) -> Result<()> {
        let mut now = Snapshot { elapsed: self.elapsed(), ..Snapshot::default() };
        if let Some(load) = &mut self.load {
            load.check()?;
            now.add_producer(load.look().await);
        }
        for member in &mut self.members {
            if let Some(status) = member.exited()? {
                bail!("{} ended by itself with {status}: {}", member.name(), member.log_tail(5));
            }
            if let Some(status) = member.status().await {
                now.add_consumer(&status);
            }
        }
        let seen = self.world.collector.snapshot();
        (now.delivered, now.duplicates) = (seen.first_deliveries, seen.duplicates);
        now.resident = footprint::resident().values().sum();
        self.peak = self.peak.max(now.resident);
        if let Some(warning) = self.world.limit_warning(&now).filter(|_| !self.warned) {
            self.warned = true;
            self.view.tell(&warning);
        }
        if self.load.is_some() {
            self.view.show(&now);
        }
        Ok(())
    }

    /// The committed next offsets of `partitions`.
    ///
    /// # Errors
    /// When the brokers do not answer in time.
    pub async fn committed(&self, partitions: &[TopicPartition]) -> Result<BTreeMap<TopicPartition, i64>> {
        let (kafka, partitions) = (Arc::clone(&self.kafka), partitions.to_vec());
        tokio::task::spawn_blocking(move || kafka.committed(&partitions)).await?
    }

    /// The ends of `partitions`.
    ///
    /// # Errors
    /// When the brokers do not answer in time.
    pub async fn ends(&self, partitions: &[TopicPartition]) -> Result<BTreeMap<TopicPartition, i64>> {
        let (kafka, partitions) = (Arc::clone(&self.kafka), partitions.to_vec());
        tokio::task::spawn_blocking(move || kafka.ends(&partitions)).await?
    }

    /// Records that the group has not finished.
    ///
    /// # Errors
    /// When the brokers do not answer in time.
    pub async fn lag(&self) -> Result<i64> {
        let (kafka, partitions) = (Arc::clone(&self.kafka), self.world.partitions());
        tokio::task::spawn_blocking(move || kafka.lag(&partitions)).await?
    }

    /// Repeats that the dispatcher removed, as the consumers say.
    pub async fn removed(&self) -> u64 {
        let mut removed = self.removed_before;
        for member in &self.members {
            removed += member.status().await.map_or(0, |status| count(&status, "/duplicates"));
        }
        removed
    }
}
