//! Kafka's side of the process: the questions at the start, the clients, the dead letters, the spool.

use crate::answers::Answers;
use crate::clients::{Clients, Seed};
use crate::config::{Config, SpoolRaw};
use crate::dead_letter::{DeadLetters, LastPlace, Shipping};
use crate::disk_pulse::HANGS;
use crate::missing::{self, MissingTopics};
use crate::polling::KafkaDeadLetterTopic;
use crate::set_aside_objects::SetAsideObjects;
use crate::spool::Spool;
use crate::spool::desk::{Desk, SpoolRules};
use domain::failure::FailureClass;
use domain::headers::dead_letter_topic;
use kafka_client::expiry::Expiry;
use kafka_client::probe::{self, ProbeError, TopicInfo};
use kafka_client::rotation::{self, Event, Watch};
use kafka_client::settings::{ClientSettings, ProducerTuning};
use runtime::clock::SharedClock;
use runtime::exit::Failure;
use runtime::health::Beat;
use runtime::shutdown::Shutdown;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What Kafka said at the start.
pub struct Asked {
    pub topics: Vec<TopicInfo>,
    /// Topics whose dead letters have no topic.
    without_dead_letters: Vec<String>,
}

/// Asks Kafka for the topics, and for their dead-letter topics when those are wanted. `None` when no broker answers and there is a spool that can take events meanwhile.
///
/// # Errors
/// Unreachable, TLS refused, topics missing or not allowed: one sentence.
pub async fn probe(config: &Config) -> Result<Option<Asked>, Failure> {
    let (settings, deadline) = (settings(config), config.run.start_deadline.get());
    let (topics, letters) = (config.router.topics().to_vec(), config.dead_letter.topic);
    let to_s3 = config.dead_letter.objects.is_some();
    let asked = tokio::task::spawn_blocking(move || {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        let found = probe::topics(&settings, &names, deadline)?;
        let without_dead_letters = if letters { without_dead_letters(&settings, &topics, to_s3) } else { Vec::new() };
        Ok(Asked { topics: found, without_dead_letters })
    });
    match asked.await.map_err(|_| Failure::failed("the check of Kafka ended with a panic"))? {
        Ok(asked) => Ok(Some(asked)),
        Err::<_, ProbeError>(error) if config.spool.is_some() && error.class() == FailureClass::Transient => {
            tracing::warn!(%error, "starting without Kafka, events go to the spool");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// With a spool it is we who watch the time: a client that timed single records out could let a later one overtake them.
fn tuning(config: &Config) -> ProducerTuning {
    let mut tuning = config.tuning.clone();
    // The first client to miss a topic says so at once, each one after it when its patience is over.
    tuning.topic_patience = config.dead_letter.topic_missing_for / (missing::CLIENTS - 1);
    if let Some(spool) = &config.spool {
        tuning.delivery_timeout = Duration::ZERO;
        // A missing topic must show before the client counts as stuck, else everything else goes to the disk too.
        tuning.topic_patience = tuning.topic_patience.min(spool.after.get() / 2);
    }
    tuning
}

fn settings(config: &Config) -> ClientSettings {
    config.kafka.producer(&tuning(config))
}

/// The clients, and who brings their dead letters away.
///
/// # Errors
/// librdkafka refuses the settings.
pub fn clients(
    config: &Config,
    last: LastPlace,
    run: &str,
    asked: Option<&Asked>,
) -> Result<(Arc<Clients>, DeadLetters<KafkaDeadLetterTopic>), Failure> {
    let (dead_letters, inbox) = crossbeam_channel::unbounded();
    let missing = MissingTopics::new(config.dead_letter.topic_missing_for, last.clock.clone());
    let (given_back, missing) = (Arc::default(), Arc::new(missing));
    let (answers, behind) = (last.answers.clone(), Some(last.clone()));
    let seed = Seed { answers, dead_letters, last: behind, given_back, missing };
    let clients = Clients::new(settings(config), seed)?;
    let without = asked.map(|asked| asked.without_dead_letters.clone()).unwrap_or_default();
    let topic = config.dead_letter.topic.then(|| KafkaDeadLetterTopic::new(clients.clone(), without));
    let objects = shipping(config, &last, run)?;
    Ok((clients, DeadLetters::new(inbox, topic, objects, last)))
}

fn shipping(config: &Config, last: &LastPlace, run: &str) -> Result<Option<Shipping>, Failure> {
    let Some((below, store)) = &config.dead_letter.objects else { return Ok(None) };
    let started = SetAsideObjects::start(store.clone(), below.clone(), run)
        .and_then(|objects| Shipping::start(objects, last.clone()));
    started
        .map(Some)
        .map_err(|error| Failure::failed(format!("the thread for dead letters cannot be started: {error}")))
}

/// How long the question for the dead-letter topics may take; the brokers have just answered.
const DEAD_LETTER_PROBE: Duration = Duration::from_secs(5);

/// The topics whose dead letters go to S3 or to the local file, because theirs is not there; that is worth a warning, not an end.
fn without_dead_letters(settings: &ClientSettings, topics: &[String], to_s3: bool) -> Vec<String> {
    let names: Vec<String> = topics.iter().map(|topic| dead_letter_topic(topic)).collect();
    let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
    let gone = match probe::each(settings, &borrowed, DEAD_LETTER_PROBE) {
        Ok(asked) => [asked.missing, asked.hidden].concat(),
        Err(error) => {
            tracing::warn!(%error, to_s3, "no dead-letter topic is known, all dead letters go to S3 or to the local file");
            return topics.to_vec();
        }
    };
    if !gone.is_empty() {
        let missing = gone.join(" ");
        tracing::warn!(
            missing,
            to_s3,
            "dead-letter topics are missing or hidden, their dead letters go to S3 or to the local file: create them with `comboioctl topics apply`"
        );
    }
    topics.iter().filter(|topic| gone.contains(&dead_letter_topic(topic))).cloned().collect()
}

/// The spool, when one is configured. Opened first of all: two producers must not share one.
///
/// # Errors
/// Its folder or file cannot be used.
pub async fn spool(wanted: Option<SpoolRaw>, shutdown: &Shutdown) -> Result<Option<Spool>, Failure> {
    let Some(wanted) = wanted else { return Ok(None) };
    // A disk that hangs must not hold whoever waits for a signal.
    let opening = tokio::task::spawn_blocking(move || Spool::open(Path::new(&wanted.dir), wanted.max_size.bytes()));
    let told_to_stop = async {
        shutdown.drain().await;
        tokio::time::sleep(HANGS).await;
    };
    let told_of = async {
        tokio::time::sleep(HANGS).await;
        tracing::error!("the spool's disk has not answered for {} s: nothing begins before it does", HANGS.as_secs());
        std::future::pending::<Infallible>().await
    };
    let opened = tokio::select! {
        never = told_of => match never {},
        opened = opening => opened.map_err(|_| Failure::failed("the opening of the spool ended with a panic"))?,
        () = told_to_stop => {
            let sentence = "told to stop before the spool's disk had answered: what the spool holds stays there";
            return Err(Failure::failed(sentence));
        }
    };
    let spool = opened.map_err(|error| Failure::failed(error.to_string()))?;
    if !spool.is_empty() {
        tracing::info!(events = spool.len(), bytes = spool.bytes(), "the spool holds events of an earlier run");
    }
    Ok(Some(spool))
}

/// The desk in front of the spool.
pub fn desk(
    (config, spool): (&Config, Option<Spool>),
    answers: &Answers,
    clock: &SharedClock,
    (beat, reachable): (Beat, bool),
) -> Option<Desk> {
    let (Some(wanted), Some(spool)) = (&config.spool, spool) else {
        beat.retire();
        return None;
    };
    let rules = SpoolRules { after: wanted.after.get(), attempts: wanted.attempts };
    let mut desk = Desk::new(spool, rules, (answers.tally.clone(), clock.clone(), beat));
    desk.healthy = reachable;
    Some(desk)
}

/// How long Kafka may take to let a client with new certificates in; it has just accepted them once.
const RENEW_DEADLINE: Duration = Duration::from_secs(15);
const RENEW_ATTEMPTS: u32 = 3;

/// Watches the certificates; a new bundle gets a client of its own, which then takes over. `None` without certificates.
///
/// # Errors
/// The operating system gives no thread.
pub fn rotation(
    config: &Config,
    clients: Arc<Clients>,
    expiry: Expiry,
    clock: SharedClock,
) -> std::io::Result<Option<Watch>> {
    let (kafka, tuning) = (config.kafka.clone(), tuning(config));
    rotation::watch(&config.kafka, config.router.topics().to_vec(), clock, move |event| {
        let Event::New(bundle) = event else { return };
        for _ in 0..RENEW_ATTEMPTS {
            match clients.renew(kafka.with_bundle(bundle.clone()).producer(&tuning), RENEW_DEADLINE) {
                Ok(()) => return expiry.take_over(&bundle),
                Err(error) => tracing::error!(%error, "the new certificates are not taken over"),
            }
        }
        tracing::error!("the old certificates stay in use: replace the files once more");
    })
}
