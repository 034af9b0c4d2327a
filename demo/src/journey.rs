//! The journey from start to proof.

use crate::commit_history::{self, CommitHistory};
use crate::layout::{Binaries, DEAD_LETTER_PARTITIONS, RunFolder};
use crate::options::{BrokerKind, Options, Story};
use crate::report::{Evidence, Pipeline, Report};
use crate::stage::Stage;
use crate::story;
use crate::view::View;
use crate::world::{World, start_broker};
use anyhow::{Context, Result};
use domain::ledger::{Produced, verify};
use localenv::broker::Broker;
use localenv::broker::kafka::OFFSETS_TOPIC;
use serde_json::Value;
use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;
use std::time::Duration;

const DRAIN: Duration = Duration::from_secs(90);

/// Runs it all; the report says whether the proof holds.
///
/// # Errors
/// When the journey itself cannot be carried out: something does not start, dies without being killed, or does not happen in time.
pub async fn run(options: &Options, view: &mut View) -> Result<Report> {
    view.tell(&format!("starting the {} broker, a Lambda host and a collector on 127.0.0.1", options.broker()));
    let folder = RunFolder::create(&options.folder)?;
    let (kind, data) = (options.broker(), folder.file("kafka"));
    let mut broker = tokio::task::spawn_blocking(move || start_broker(kind, &data)).await??;
    run_on(&mut broker, folder, options, view).await
}

/// As [`run`], on a broker that is there already. Real Kafka takes any number of journeys, one after the other.
///
/// # Errors
/// As [`run`].
pub async fn run_on(broker: &mut Broker, folder: RunFolder, options: &Options, view: &mut View) -> Result<Report> {
    let binaries = Binaries::beside_this_one()?;
    let world = World::start(broker, options, &binaries).await?;
    let mut stage = Stage::new(options, view, world, (binaries, folder))?;
    (stage.consumer_settings, stage.producer_settings) = story::settings(options.story);
    let cast = story::cast(&stage);
    let consumers = cast.clone().count();
    stage.start_members(cast).await?;
    stage.tell(&format!("{consumers} consumers have shared out all partitions"));
    stage.begin_load().await?;
    story::play(&mut stage).await?;
    stage.end_load().await?;
    let drain = drain(&mut stage).await?;
    prove(stage, drain).await
}

/// Waits until the group has finished every record.
async fn drain(stage: &mut Stage<'_>) -> Result<Duration> {
    stage.tell("the load is over; waiting until every record is finished and committed");
    let finished = async |stage: &mut Stage<'_>| Ok(stage.lag().await? == 0);
    stage.until("every record is finished and committed", DRAIN, finished).await
}

async fn prove(mut stage: Stage<'_>, drain: Duration) -> Result<Report> {
    let (removed, invocations) = (stage.removed().await, stage.world.invocations());
    let members: Vec<String> = stage.members.iter().map(|member| member.name().to_owned()).collect();
    stage.stop_members(&members).await?;
    let (kafka, topics) = (Arc::clone(&stage.kafka), stage.world.dead_letter_topics());
    let dead = tokio::task::spawn_blocking(move || kafka.dead_letters(&topics, DEAD_LETTER_PARTITIONS)).await??;
    let produced = produced(&stage)?;
    let seen = stage.world.collector.snapshot();
    let proof = verify(&produced, &stage.world.collector.deliveries(), &dead.letters);
    let producer: Value = serde_json::from_reader(File::open(stage.folder.file("producer.json"))?)?;
    story::sum_up(&mut stage, &produced);
    check_commits(&mut stage)?;
    check_rate(&mut stage, &producer);
    let pipeline = Pipeline { removed, invocations, drain, peak: stage.peak };
    let (accident, repeated) = (&stage.accident, dead.repeated.as_slice());
    let evidence = Evidence { proof: &proof, producer: &producer, seen: &seen, accident, repeated, pipeline };
    Ok(Report::new(stage.options, &evidence, &stage.chronicle))
}

fn produced(stage: &Stage<'_>) -> Result<Produced> {
    let file = File::open(stage.folder.file("ledger.ndjson")).context("the producer left no ledger")?;
    let mut produced = Produced::default();
    produced.read(BufReader::new(file))?;
    Ok(produced)
}

/// Nobody has committed for a generation that it no longer had: then an offset would have gone back.
fn check_commits(stage: &mut Stage<'_>) -> Result<()> {
    if stage.options.broker() != BrokerKind::Kafka {
        return Ok(());
    }
    let group = stage.world.group.clone();
    let history = stage.cluster(|kafka| {
        let config = kafka.client_config(kafka.admin());
        commit_history::read(&config, &group, OFFSETS_TOPIC, kafka.offsets_partition(&group)?)
    })?;
    serde_json::to_writer(File::create(stage.folder.file("commits.json"))?, &history)?;
    let CommitHistory { commits, backwards, examples, .. } = history;
    let mut seen = format!("{commits} commits in {OFFSETS_TOPIC}, {backwards} of them backwards");
    if !examples.is_empty() {
        seen += &format!(": {}", examples.join(", "));
    }
    stage.chronicle.check("no commit went back", commits > 0 && backwards == 0, seen);
    Ok(())
}

/// A story at half the load would be another story. In the story kill the rate is for whoever looks at the table.
fn check_rate(stage: &mut Stage<'_>, producer: &Value) {
    const ENOUGH: f64 = 0.98;
    let (mean, asked) = (crate::watch::number(producer, "/rate/mean"), f64::from(stage.options.rate()));
    if stage.options.story != Story::Kill {
        stage.chronicle.check(
            "the load was the one asked for",
            mean >= ENOUGH * asked,
            format!("{mean:.0} of {asked:.0} events/s"),
        );
    }
}
