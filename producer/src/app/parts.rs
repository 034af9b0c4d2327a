//! Builds the parts from the configuration and starts them.

use super::feed::Feed;
use super::kafka::Asked;
use super::watch::DiskWatch;
use super::{kafka, status};
use crate::answers::Answers;
use crate::config::{Config, SourceConfig};
use crate::dead_letter::LastPlace;
use crate::detour::Detour;
use crate::disk_pulse::DiskPulse;
use crate::doors::Doors;
use crate::in_flight::InFlight;
use crate::ingest::Server;
use crate::knee::{self, SharedKnee};
use crate::limit::{LimitControl, Limiter};
use crate::outlet::KafkaOutlet;
use crate::pipeline::{End, Flown, Pipeline};
use crate::polling::Polling;
use crate::send::{Books, Patience, Sending};
use crate::set_aside::SetAsideFile;
use crate::source::{Generator, Replay, Run, Source};
use crate::spool::Spool;
use crate::spool::desk::Desk;
use crate::{controls, metrics};
use kafka_client::expiry::Expiry;
use kafka_client::probe::TopicInfo;
use kafka_client::rotation::Watch;
use runtime::admin::{Admin, AdminParts};
use runtime::clock::{self, Clock, SharedClock};
use runtime::exit::Failure;
use runtime::health::{Beat, Health};
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
    pub knee: Option<SharedKnee>,
}

/// What was found outside before the start.
pub struct Found {
    /// `None` when no broker answered and there is a spool.
    pub kafka: Option<Asked>,
    pub spool: Option<Spool>,
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
    feed: Feed,
}

/// Tells that the flow has ended, and what is left of it.
pub type Ending = oneshot::Receiver<Flown>;

/// Everything, running.
pub struct Running {
    pub answers: Arc<Answers>,
    pub health: Health,
    pub metrics: Metrics,
    pub admin: Admin,
    pub expiry: Expiry,
    /// Looks for new certificates, when there are any.
    pub rotation: Option<Watch>,
    /// `None` when it was told to stop before Kafka had answered.
    pub polling: Option<Polling>,
    /// Takes events over HTTP, when the source is ingest.
    pub server: Option<Server>,
    /// The disks under the spool and under the set-aside file, as far as there are any.
    pub disks: Vec<DiskWatch>,
    pub about: About,
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
        let feed = Feed::new(&config.source, &metrics, &answers);
        let expiry = config.kafka.expiry(clock.clone());
        metrics::certificate(&metrics, &expiry);
        let parts = AdminParts {
            health: health.clone(),
            metrics: metrics.clone(),
            status: status::status(answers.clone(), limits.clone(), shutdown.clone(), feed.clone(), expiry.clone()),
            controls: controls::router(limits.clone()),
        };
        let admin = Admin::start(&config.admin, parts)?;
        Ok(Self { clock, shutdown, answers, limits, health, metrics, admin, expiry, keep_ledger, feed })
    }

    /// Creates the client and starts the polling and the flow, which says when it has ended.
    ///
    /// # Errors
    /// The client or a thread cannot be created, or the source cannot.
    pub fn start(self, config: &Config, found: Found) -> Result<(Running, Ending), Failure> {
        let aside_beat = self.health.component("set-aside", STUCK);
        let aside = SetAsideFile::watched(config.dead_letter.file.clone(), aside_beat, self.clock.clone());
        let set_aside = Arc::new(aside);
        let run = Run { id: run_id(&config.run.id, self.clock.as_ref()), start_ms: self.clock.wall_ms() };
        let reachable = found.kafka.is_some();
        let (answers, clock) = (self.answers.clone(), self.clock.clone());
        let last = LastPlace { file: set_aside.clone(), answers, clock };
        let (clients, letters) = kafka::clients(config, last, &run.id, found.kafka.as_ref())?;
        let spool_beat = self.health.component("spool", STUCK);
        let desk = kafka::desk((config, found.spool), &self.answers, &self.clock, (spool_beat, reachable));
        let polls = self.health.component("poll", STUCK);
        polls.ready(true, "");
        let polling = Some(Polling::start(clients.clone(), letters, polls)?);
        let (source, named) = self.source(config, &run)?;
        let (source, knee) = knee::watch(source, config.profile(), config.run.instance, &self.answers);
        tracing::info!(run = run.id, source = named, "started");
        let rotation = kafka::rotation(config, clients.clone(), self.expiry.clone(), self.clock.clone())?;
        let disk_beat = |name| self.health.component(name, STUCK);
        let (doors, disks) =
            watched((desk.as_ref(), &set_aside), (disk_beat("spool-disk"), disk_beat("set-aside-disk")));
        let spool_disk = desk.as_ref().map(Desk::pulse);
        let client = KafkaOutlet::new(clients, config.router.topics().to_vec(), self.clock.clone());
        let outlet = Detour::new(client, desk, self.answers.clone(), self.clock.clone());
        let pipeline = self.pipeline(config, source, set_aside, outlet);
        let server = self.feed.serve(&self.limits, &self.clock, &self.shutdown, doors)?;
        let (tell, flown) = oneshot::channel();
        std::thread::Builder::new().name("flow".into()).spawn(move || {
            // Nobody listens any more only when the process is already ending.
            let _ = tell.send(flow(pipeline, spool_disk));
        })?;
        let about =
            About { run, source: named, topics: found.kafka.map(|asked| asked.topics).unwrap_or_default(), knee };
        let (answers, health, metrics, admin) = (self.answers, self.health, self.metrics, self.admin);
        let expiry = self.expiry;
        Ok((Running { answers, health, metrics, admin, expiry, rotation, polling, server, disks, about }, flown))
    }

    /// In place of a start, told to stop before Kafka had answered: nothing was taken, and what the spool holds stays there.
    ///
    /// # Errors
    /// The source cannot be created.
    pub fn idle(self, config: &Config, spool: Option<Spool>) -> Result<(Running, Flown), Failure> {
        let held = spool.map_or(0, |spool| spool.len());
        tracing::info!(in_spool = held, "told to stop before Kafka had answered");
        self.answers.tally.recovered.add(held);
        self.answers.tally.in_spool.set(held as f64);
        let run = Run { id: run_id(&config.run.id, self.clock.as_ref()), start_ms: self.clock.wall_ms() };
        let (source, named) = self.source(config, &run)?;
        let books = Books { offers: self.keep_ledger.then(Default::default), ..Books::default() };
        let flown = Flown { end: End::Stopped, source, books, elapsed: Duration::ZERO };
        let about = About { run, source: named, topics: Vec::new(), knee: None };
        let Self { answers, health, metrics, admin, expiry, .. } = self;
        let (rotation, polling, server, disks) = (None, None, None, Vec::new());
        Ok((Running { answers, health, metrics, admin, expiry, rotation, polling, server, disks, about }, flown))
    }

    fn source(&self, config: &Config, run: &Run) -> Result<(Box<dyn Source>, String), Failure> {
        let instance = config.run.instance;
        let part = if instance.is_alone() { String::new() } else { format!(", instance {instance}") };
        Ok(match &config.source {
            SourceConfig::Generator(profile) => {
                let generator = Generator::of_instance(profile, run.clone(), instance).map_err(Failure::usage)?;
                (Box::new(generator), format!("generator{part} ({})", profile.purpose))
            }
            SourceConfig::Replay { files, rate } => {
                let named = match files.as_slice() {
                    [file] => format!("replay{part} ({})", file.display()),
                    files => format!("replay{part} ({} files)", files.len()),
                };
                (Box::new(Replay::of_instance(files.clone(), *rate, instance)), named)
            }
            SourceConfig::Ingest(_) => (Box::new(self.feed.source(self.answers.started())), "ingest".into()),
        })
    }

    fn pipeline(
        &self,
        config: &Config,
        source: Box<dyn Source>,
        set_aside: Arc<SetAsideFile>,
        outlet: Detour<KafkaOutlet>,
    ) -> Pipeline<Detour<KafkaOutlet>> {
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
            limiter: Limiter::new(self.feed.flow_limits(&self.limits), self.clock.clone()),
            sending,
            set_aside,
            pause: self.feed.pause(),
        }
    }
}

/// The flow to its end, and the spool's: to close its file asks the disk once more.
fn flow(pipeline: Pipeline<Detour<KafkaOutlet>>, spool_disk: Option<DiskPulse>) -> Flown {
    let (flown, outlet) = pipeline.run();
    match spool_disk {
        Some(disk) => disk.during(|| drop(outlet)),
        None => drop(outlet),
    }
    flown
}

/// What disks close, and who says that they hang.
fn watched(
    (desk, file): (Option<&Desk>, &SetAsideFile),
    (spool_beat, file_beat): (Beat, Beat),
) -> (Vec<Box<dyn Doors>>, Vec<DiskWatch>) {
    let (spool, file) = (desk.map(Desk::pulse), file.pulse().cloned());
    let pulses = spool.iter().chain(&file);
    let mut doors: Vec<Box<dyn Doors>> = pulses.map(|pulse| Box::new(pulse.clone()) as Box<dyn Doors>).collect();
    doors.extend(desk.map(|desk| Box::new(desk.door()) as Box<dyn Doors>));
    let watch = |(pulse, beat): (Option<DiskPulse>, Beat)| match pulse {
        Some(pulse) => Some(DiskWatch::new(pulse, beat)),
        None => {
            beat.retire();
            None
        }
    };
    (doors, [(spool, spool_beat), (file, file_beat)].into_iter().filter_map(watch).collect())
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
