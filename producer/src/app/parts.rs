//! Builds the parts from the configuration and starts them.

use super::status;
use crate::answers::Answers;
use crate::config::{Config, SourceConfig};
use crate::dead_letter::DeadLetters;
use crate::delivery::Delivery;
use crate::in_flight::InFlight;
use crate::limit::{LimitControl, Limiter};
use crate::outlet::{KafkaDeadLetterTopic, KafkaOutlet, KafkaProducer, Polling};
use crate::pipeline::{Flown, Pipeline};
use crate::send::{Books, Patience, Sending};
use crate::set_aside::SetAsideFile;
use crate::source::{Generator, Replay, Run, Source};
use crate::{controls, metrics};
use domain::headers::dead_letter_topic;
use kafka_client::context::Observer;
use kafka_client::expiry::Expiry;
use kafka_client::probe::{self, TopicInfo};
use runtime::admin::{Admin, AdminParts};
use runtime::clock::{self, Clock, SharedClock};
use runtime::exit::Failure;
use runtime::health::Health;
use runtime::metrics::Metrics;
use runtime::shutdown::Shutdown;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// A part that has not moved for so long is stuck.
const STUCK: Duration = Duration::from_secs(10);

/// What the report says about the run beside its numbers.
pub struct About {
    pub run: Run,
    pub source: String,
    pub topics: Vec<TopicInfo>,
}

/// Everything that needs no Kafka.
pub struct Parts {
    clock: SharedClock,
    shutdown: Shutdown,
    answers: Arc<Answers>,
    limits: LimitControl,
    health: Health,
    metrics: Metrics,
    admin: Admin,
    expiry: Expiry,
    keep_ledger: bool,
}

/// Tells that the flow has ended, and what is left of it.
pub type Ending = oneshot::Receiver<Flown>;

/// The client, and who brings its dead letters away.
type Client = (Arc<KafkaProducer>, DeadLetters<KafkaDeadLetterTopic>);

/// Everything, running.
pub struct Running {
    pub answers: Arc<Answers>,
    pub health: Health,
    pub metrics: Metrics,
    pub admin: Admin,
    pub expiry: Expiry,
    pub producer: Arc<KafkaProducer>,
    pub polling: Polling,
    pub about: About,
}

/// Asks Kafka for the topics.
///
/// # Errors
/// Unreachable, TLS refused, topics missing or not allowed: one sentence.
pub async fn probe(config: &Config) -> Result<Vec<TopicInfo>, Failure> {
    let (settings, deadline) = (config.kafka.producer(&config.tuning), config.run.start_deadline.get());
    let topics = config.router.topics().to_vec();
    let asked = tokio::task::spawn_blocking(move || {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        probe::topics(&settings, &names, deadline)
    });
    Ok(asked.await.map_err(|_| Failure::failed("the check of Kafka ended with a panic"))??)
}

impl Parts {
    /// # Errors
    /// The admin port or the metrics cannot be started.
    pub fn build(config: &Config, shutdown: Shutdown, keep_ledger: bool) -> Result<Self, Failure> {
        let clock = clock::system();
        let metrics = Metrics::start(&config.metrics, "comboio-producer")?;
        let tally = metrics::tally(&metrics);
        // The client's queue holds as many records as there are slots, so the slots are what runs out first.
        let in_flight = InFlight::new(config.tuning.queue_records);
        let answers = Answers::new(in_flight, tally, clock.clone(), shutdown.clone(), keep_ledger)?;
        let answers = Arc::new(answers);
        let limits = LimitControl::new(config.limits);
        let health = Health::new(clock.clone());
        let expiry = config.kafka.expiry(clock.clone());
        metrics::certificate(&metrics, &expiry);
        let parts = AdminParts {
            health: health.clone(),
            metrics: metrics.clone(),
            status: status::status(answers.clone(), limits.clone(), shutdown.clone(), expiry.clone()),
            controls: controls::router(limits.clone()),
        };
        let admin = Admin::start(&config.admin, parts)?;
        Ok(Self { clock, shutdown, answers, limits, health, metrics, admin, expiry, keep_ledger })
    }

    /// Creates the client and starts the polling and the flow, which says when it has ended.
    ///
    /// # Errors
    /// The client or a thread cannot be created, or the source cannot.
    pub fn start(self, config: &Config, topics: Vec<TopicInfo>) -> Result<(Running, Ending), Failure> {
        let set_aside = Arc::new(SetAsideFile::new(config.dead_letter.file.clone().into()));
        let (producer, letters) = self.client(config, &set_aside)?;
        let polls = self.health.component("poll", STUCK);
        polls.ready(true, "");
        let polling = Polling::start(producer.clone(), letters, polls)?;
        let run = Run { id: run_id(&config.run.id, self.clock.as_ref()), start_ms: self.clock.wall_ms() };
        let (source, named) = source(config, &run)?;
        tracing::info!(run = run.id, source = named, "started");
        let outlet = KafkaOutlet::new(producer.clone(), config.router.topics().to_vec());
        let pipeline = self.pipeline(config, source, set_aside, outlet);
        let (tell, flown) = oneshot::channel();
        std::thread::Builder::new().name("flow".into()).spawn(move || {
            // Nobody listens any more only when the process is already ending.
            let _ = tell.send(pipeline.run());
        })?;
        let about = About { run, source: named, topics };
        let (answers, health, metrics, admin) = (self.answers, self.health, self.metrics, self.admin);
        Ok((Running { answers, health, metrics, admin, expiry: self.expiry, producer, polling, about }, flown))
    }

    fn client(&self, config: &Config, set_aside: &Arc<SetAsideFile>) -> Result<Client, Failure> {
        let (dead_letters, inbox) = crossbeam_channel::unbounded();
        let delivery = Delivery { answers: self.answers.clone(), dead_letters, observer: Observer::default() };
        let settings = config.kafka.producer(&config.tuning);
        let producer: KafkaProducer = settings.create_with_context(delivery)?;
        let producer = Arc::new(producer);
        let topic = dead_letter_topics_are_there(config).then(|| KafkaDeadLetterTopic(producer.clone()));
        let letters = DeadLetters::new(inbox, topic, set_aside.clone(), self.answers.clone(), self.clock.clone());
        Ok((producer, letters))
    }

    fn pipeline(
        &self,
        config: &Config,
        source: Box<dyn Source>,
        set_aside: Arc<SetAsideFile>,
        outlet: KafkaOutlet,
    ) -> Pipeline<KafkaOutlet> {
        let deadline = config.run.shutdown_deadline.get();
        let beat = self.health.component("flow", STUCK);
        beat.ready(true, "");
        let sending = Sending {
            outlet,
            answers: self.answers.clone(),
            clock: self.clock.clone(),
            patience: Patience::new(self.shutdown.clone(), self.clock.clone(), deadline),
            beat,
            books: Books { offers: self.keep_ledger.then(Default::default), ..Books::default() },
        };
        Pipeline {
            source,
            router: config.router.clone(),
            strategy: config.strategy,
            limiter: Limiter::new(self.limits.clone(), self.clock.clone()),
            sending,
            set_aside,
            pause: Box::new(std::thread::sleep),
        }
    }
}

/// How long the question for the dead-letter topics may take; the brokers have just answered.
const DEAD_LETTER_PROBE: Duration = Duration::from_secs(5);

/// Dead letters go to the local file when their topics are not there; that is worth a warning, not an end.
fn dead_letter_topics_are_there(config: &Config) -> bool {
    if !config.dead_letter.topic {
        return false;
    }
    let names: Vec<String> = config.router.topics().iter().map(|topic| dead_letter_topic(topic)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    match probe::topics(&config.kafka.producer(&config.tuning), &names, DEAD_LETTER_PROBE) {
        Ok(_) => true,
        Err(error) => {
            let file = &config.dead_letter.file;
            tracing::warn!(%error, file, "no dead-letter topic, dead letters go to the local file");
            false
        }
    }
}

fn source(config: &Config, run: &Run) -> Result<(Box<dyn Source>, String), Failure> {
    Ok(match &config.source {
        SourceConfig::Generator(profile) => {
            let generator = Generator::new(profile, run.clone()).map_err(Failure::usage)?;
            (Box::new(generator), format!("generator ({})", profile.purpose))
        }
        SourceConfig::Replay { files, rate } => {
            let named = match files.as_slice() {
                [file] => format!("replay ({})", file.display()),
                files => format!("replay ({} files)", files.len()),
            };
            (Box::new(Replay::new(files.clone(), *rate)), named)
        }
    })
}

/// The configured id, or 12 characters of wall clock and process: no two runs share one.
fn run_id(configured: &str, clock: &dyn Clock) -> String {
    if !configured.is_empty() {
        return configured.to_owned();
    }
    let wall = u64::try_from(clock.wall_ms()).unwrap_or_default();
    let salt = u64::from(std::process::id()).wrapping_mul(0x9e37_79b9) ^ u64::from(clock.now().subsec_nanos());
    format!("{}{}", base36(wall, 8), base36(salt, 4))
}

/// The last `digits` digits of `value` in base 36.
fn base36(mut value: u64, digits: usize) -> String {
    let mut text = vec![b'0'; digits];
    for place in text.iter_mut().rev() {
        *place = b"0123456789abcdefghijklmnopqrstuvwxyz"[(value % 36) as usize];
        value /= 36;
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::{base36, run_id};
    use runtime::clock::ManualClock;

    #[test]
    fn a_run_has_twelve_characters_or_its_configured_id() {
        let clock = ManualClock::starting_at(1_763_701_200_123);
        let id = run_id("", &clock);
        assert_eq!(id.len(), 12);
        assert!(id.starts_with(&base36(1_763_701_200_123, 8)), "{id}");
        assert_eq!(run_id("abc", &clock), "abc");
        assert_eq!(base36(35 * 36 + 1, 3), "0z1");
    }
}
