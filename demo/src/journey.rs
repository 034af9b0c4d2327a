//! The journey from start to proof.

use crate::accident::{self, Accident};
use crate::footprint;
use crate::kafka_view::KafkaView;
use crate::layout::{Binaries, RunFolder};
use crate::options::{Fault, Options};
use crate::report::{Evidence, Pipeline, Report};
use crate::services::Service;
use crate::settings;
use crate::view::View;
use crate::watch::{Snapshot, assignment, count};
use crate::world::World;
use anyhow::{Context, Result, bail};
use domain::ledger::{Produced, verify};
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;
use std::time::{Duration, Instant};

const READY: Duration = Duration::from_secs(60);
const DRAIN: Duration = Duration::from_secs(90);
const STOP: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_secs(1);
/// One event in so many is forgotten by the collector that drops deliveries.
const FORGET_EVERY: u64 = 5_000;

/// Runs it all; the report says whether the proof holds.
///
/// # Errors
/// When the journey itself cannot be carried out: something does not start, or dies without being killed.
pub async fn run(options: &Options, view: &mut View) -> Result<Report> {
    let binaries = Binaries::beside_this_one()?;
    let folder = RunFolder::create(&options.folder)?;
    view.tell(&format!("starting the {} broker, a Lambda host and a collector on 127.0.0.1", options.broker));
    let world = World::start(options, &folder, &binaries).await?;
    let mut journey = Journey::new(options, view, world, binaries, folder)?;
    journey.start_consumers().await?;
    journey.load().await?;
    journey.drain().await?;
    journey.prove().await
}

struct Journey<'a> {
    options: &'a Options,
    view: &'a mut View,
    world: World,
    binaries: Binaries,
    folder: RunFolder,
    kafka: Arc<KafkaView>,
    consumers: Vec<Service>,
    /// What a killed consumer had said last.
    removed_before: u64,
    accident: Accident,
    began: Instant,
    drain: Duration,
    peak: u64,
    warned: bool,
}

impl<'a> Journey<'a> {
    fn new(
        options: &'a Options,
        view: &'a mut View,
        world: World,
        binaries: Binaries,
        folder: RunFolder,
    ) -> Result<Self> {
        let kafka = Arc::new(world.kafka_view()?);
        let began = Instant::now();
        let (consumers, accident) = (Vec::new(), Accident::default());
        Ok(Self {
            options,
            view,
            world,
            binaries,
            folder,
            kafka,
            consumers,
            removed_before: 0,
            accident,
            began,
            drain: Duration::ZERO,
            peak: 0,
            warned: false,
        })
    }

    async fn start_consumers(&mut self) -> Result<()> {
        for number in 1..=self.options.consumers {
            self.start_consumer(number)?;
        }
        for consumer in &mut self.consumers {
            consumer.wait_ready(READY).await?;
        }
        self.wait_shared_out().await?;
        self.view.tell(&format!("{} consumers have shared out all partitions", self.options.consumers));
        Ok(())
    }

    /// Waits until every partition is owned, and every consumer owns some.
    async fn wait_shared_out(&self) -> Result<()> {
        let until = Instant::now() + READY;
        loop {
            let mut owned = Vec::new();
            for consumer in &self.consumers {
                owned.push(consumer.status().await.map_or(0, |status| assignment(&status).len()));
            }
            if owned.iter().sum::<usize>() == self.world.partitions().len() && !owned.contains(&0) {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("the consumers have not shared out the partitions within {READY:?}: they own {owned:?}");
            }
            tokio::time::sleep(LOOK / 4).await;
        }
    }

    /// The first consumer is the one that will die; with the fault `commit-early` it is also the one that commits too early.
    fn start_consumer(&mut self, number: u32) -> Result<()> {
        let name = format!("consumer-{number}");
        let table = settings::consumer(&self.folder, &name, &self.world.consumer, &self.world.host.endpoint());
        settings::write(&self.folder, &name, &table)?;
        let hasty = number == 1 && self.options.fault == Fault::CommitEarly;
        let program = self.binaries.path(if hasty { "comboio-hasty-consumer" } else { "comboio-consumer" });
        self.consumers.push(Service::start(&self.folder, &name, &program, &[])?);
        Ok(())
    }

    async fn load(&mut self) -> Result<()> {
        let table = settings::producer(&self.folder, "producer", &self.world.producer);
        settings::write(&self.folder, "producer", &table)?;
        let (report, ledger) = (self.folder.file("producer.json"), self.folder.file("ledger.ndjson"));
        let (report, ledger) = (report.to_string_lossy(), ledger.to_string_lossy());
        let program = self.binaries.path("comboio-producer");
        let (rate, duration) = (self.options.rate.to_string(), format!("{}s", self.options.duration));
        let arguments = ["--rate", &rate, "--duration", &duration, "--report", &report, "--ledger", &ledger];
        let mut producer = Service::start(&self.folder, "producer", &program, &arguments)?;
        producer.wait_ready(READY).await?;
        self.began = Instant::now();
        self.view.tell(&format!("{} events/s for {} s", self.options.rate, self.options.duration));
        let mut told = Value::Null;
        let half = Duration::from_secs(u64::from(self.options.duration) / 2);
        let mut whole = true;
        while producer.exited()?.is_none() {
            tokio::time::sleep(LOOK).await;
            told = producer.status().await.unwrap_or(told);
            self.look(&told).await?;
            if whole && self.began.elapsed() >= half {
                whole = false;
                self.half_way().await?;
            }
            if self.began.elapsed() > Duration::from_secs(u64::from(self.options.duration)) + DRAIN {
                bail!("the producer did not end in time: {}", producer.log_tail(3));
            }
        }
        match producer.exited()? {
            Some(status) if !status.success() => bail!("the producer ended with {status}: {}", producer.log_tail(5)),
            _ => Ok(()),
        }
    }

    async fn look(&mut self, producer: &Value) -> Result<()> {
        let mut now = Snapshot { elapsed: self.began.elapsed(), ..Snapshot::default() };
        now.add_producer(producer);
        for consumer in &mut self.consumers {
            if let Some(status) = consumer.exited()? {
                bail!("{} ended by itself with {status}: {}", consumer.name(), consumer.log_tail(5));
            }
            if let Some(status) = consumer.status().await {
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
        self.view.show(&now);
        Ok(())
    }

    /// The accident: one consumer dies, a new one joins.
    async fn half_way(&mut self) -> Result<()> {
        if self.options.fault == Fault::DropDelivery {
            self.view.tell(&format!("fault: the collector forgets every {FORGET_EVERY}th delivery from now on"));
            self.world.collector.forget_every(Some(FORGET_EVERY));
        }
        let victim = self.consumers.remove(0);
        self.view.tell(&format!("killing {} with SIGKILL; a new consumer joins", victim.name()));
        if let Some(status) = victim.status().await {
            self.removed_before = count(&status, "/duplicates");
        }
        self.accident = accident::kill(victim, Arc::clone(&self.kafka), &self.world.collector).await?;
        self.start_consumer(self.options.consumers + 1)
    }

    /// Waits until the group has finished every record.
    async fn drain(&mut self) -> Result<()> {
        let since = Instant::now();
        self.view.tell("the load is over; waiting until every record is finished and committed");
        loop {
            let (kafka, partitions) = (Arc::clone(&self.kafka), self.world.partitions());
            let lag = tokio::task::spawn_blocking(move || kafka.lag(&partitions)).await??;
            if lag == 0 {
                self.drain = since.elapsed();
                return Ok(());
            }
            if since.elapsed() > DRAIN {
                bail!("{lag} records are not finished {DRAIN:?} after the load");
            }
            self.look(&Value::Null).await?;
            tokio::time::sleep(LOOK / 4).await;
        }
    }

    async fn prove(mut self) -> Result<Report> {
        let mut removed = self.removed_before;
        for consumer in &self.consumers {
            removed += consumer.status().await.map_or(0, |status| count(&status, "/duplicates"));
        }
        let invocations = self.world.invocations();
        for consumer in std::mem::take(&mut self.consumers) {
            consumer.stop(STOP)?;
        }
        let (kafka, topics) = (Arc::clone(&self.kafka), self.world.dead_letter_topics());
        let partitions = crate::layout::DEAD_LETTER_PARTITIONS;
        let dead = tokio::task::spawn_blocking(move || kafka.dead_letters(&topics, partitions)).await??;
        let mut produced = Produced::default();
        produced.read(BufReader::new(
            File::open(self.folder.file("ledger.ndjson")).context("the producer left no ledger")?,
        ))?;
        let seen = self.world.collector.snapshot();
        let proof = verify(&produced, &self.world.collector.deliveries(), &dead.letters);
        let producer: Value = serde_json::from_reader(File::open(self.folder.file("producer.json"))?)?;
        let pipeline = Pipeline { removed, invocations, drain: self.drain, peak: self.peak };
        let (accident, repeated) = (&self.accident, dead.repeated.as_slice());
        let evidence = Evidence { proof: &proof, producer: &producer, seen: &seen, accident, repeated, pipeline };
        Ok(Report::new(self.options, &evidence))
    }
}
