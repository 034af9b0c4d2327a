//! The producer's configuration: what is written, the sum of its parts, and what is meant.

mod raw;
mod dead_letter;
mod routes;
mod paths;
mod addresses;

pub use dead_letter::DeadLetterConfig;
pub use paths::kept;
pub use raw::{DeadLetterRaw, Raw, RunRaw, SourceKind, SourceRaw, SpoolRaw};

use crate::ingest::IngestConfig;
use crate::instance::Instance;
use crate::limit::Limits;
use crate::profile::Profile;
use crate::route::{RouteRaw, Router};
use crate::source;
use domain::key::KeyStrategy;
use kafka_client::settings::{Kafka, ProducerTuning};
use runtime::admin::AdminConfig;
use runtime::config::{ConfigError, Loaded, Settings};
use runtime::logs::LogsConfig;
use runtime::metrics::MetricsConfig;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the command line says over the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Overrides {
    /// Events/s: scales the profile's shape, or replaces the replay's rate.
    pub rate: Option<f64>,
    /// Length of a generator's run.
    pub duration: Option<Duration>,
    /// Another profile.
    pub profile: Option<PathBuf>,
    /// The run's id.
    pub run: Option<String>,
}

/// A configuration that can run.
pub struct Config {
    pub source: SourceConfig,
    pub router: Router,
    pub strategy: KeyStrategy,
    pub limits: Limits,
    pub kafka: Kafka,
    pub tuning: ProducerTuning,
    pub dead_letter: DeadLetterConfig,
    /// `None` when no folder is named.
    pub spool: Option<SpoolRaw>,
    pub run: RunRaw,
    pub admin: AdminConfig,
    pub logs: LogsConfig,
    pub metrics: MetricsConfig,
}

/// Where events come from.
#[derive(Debug, Clone)]
pub enum SourceConfig {
    Generator(Box<Profile>),
    Replay { files: Vec<PathBuf>, rate: Option<f64> },
    Ingest(Box<IngestConfig>),
}

impl Config {
    /// Checks everything that can be seen without the network.
    ///
    /// # Errors
    /// The setting, its value, its origin, and what is allowed.
    pub fn validate(loaded: &Loaded<Raw>, overrides: &Overrides) -> Result<Self, ConfigError> {
        let (raw, settings) = (&loaded.raw, &loaded.settings);
        let logs = LogsConfig::validate(settings, &raw.logs)?;
        let source = source(settings, raw, overrides)?;
        let router = routes::router(settings, raw, &source)?;
        let limits = limits(settings, raw)?;
        addresses::check(settings, raw)?;
        paths::check(loaded, overrides)?;
        Ok(Self {
            source,
            router,
            strategy: raw.key.strategy,
            limits,
            kafka: Kafka::validate(settings, &raw.kafka)?,
            tuning: ProducerTuning::validate(settings, "send", &raw.send)?,
            dead_letter: DeadLetterConfig::validate(settings, &raw.dead_letter)?,
            spool: spool(settings, &raw.spool)?,
            run: run(settings, &raw.run, overrides)?,
            admin: AdminConfig::validate(settings, &raw.admin)?,
            logs,
            metrics: MetricsConfig::validate(settings, &raw.metrics)?,
        })
    }

    /// The profile, when the source is the generator.
    pub fn profile(&self) -> Option<&Profile> {
        match &self.source {
            SourceConfig::Generator(profile) => Some(profile),
            SourceConfig::Replay { .. } | SourceConfig::Ingest(_) => None,
        }
    }
}

/// What a plan needs; nothing of Kafka.
pub struct ToPlan {
    pub profile: Profile,
    pub router: Router,
    pub strategy: KeyStrategy,
    pub instance: Instance,
    /// The instance's part.
    pub limits: Limits,
}

/// The profile and the routes alone. Without any route everything goes to one topic, named `all`.
///
/// # Errors
/// As [`Config::validate`], and a source that is no generator.
pub fn to_plan(loaded: &Loaded<Raw>, overrides: &Overrides) -> Result<ToPlan, ConfigError> {
    let (mut raw, settings) = (loaded.raw.clone(), &loaded.settings);
    if raw.routes.is_empty() {
        let everything =
            "*".parse().map_err(|error: domain::route::BadCodigoSet| ConfigError::other(format!("{error}")))?;
        raw.routes.push(RouteRaw { codigo: everything, topic: "all".into() });
    }
    let source = source(settings, &raw, overrides)?;
    let router = routes::router(settings, &raw, &source)?;
    run_id(settings, &raw.run, overrides)?;
    let (strategy, instance, limits) = (raw.key.strategy, raw.run.instance, limits(settings, &raw)?);
    match source {
        SourceConfig::Generator(profile) => Ok(ToPlan { profile: *profile, router, strategy, instance, limits }),
        SourceConfig::Replay { .. } | SourceConfig::Ingest(_) => {
            Err(settings.refuse("source.kind", "a plan is for the generator"))
        }
    }
}

/// The part of the limits that is this instance's.
fn limits(settings: &Settings, raw: &Raw) -> Result<Limits, ConfigError> {
    let refused = |(name, allowed)| settings.refuse(&format!("limits.{name}"), allowed);
    raw.limits.validate().map_err(refused)?;
    let part = raw.limits.part(raw.run.instance);
    part.validate().map_err(|(name, allowed)| {
        let sentence = format!("divided by {} instances it is out of range: {allowed}", raw.run.instance.of());
        settings.refuse(&format!("limits.{name}"), sentence)
    })?;
    Ok(part)
}

fn source(settings: &Settings, all: &Raw, overrides: &Overrides) -> Result<SourceConfig, ConfigError> {
    let (raw, instance) = (&all.source, all.run.instance);
    match raw.kind {
        SourceKind::Ingest => ingest(settings, all, overrides),
        SourceKind::Generator => {
            let path = overrides.profile.clone().unwrap_or_else(|| PathBuf::from(&raw.profile));
            if path.as_os_str().is_empty() {
                let sentence = "name a profile, for example loadgen-profiles/smoke.toml: here in the file of --config, or by --profile";
                return Err(settings.refuse("source.profile", sentence));
            }
            let profile = profile(&path, overrides)?;
            if instance.of() > profile.trucks {
                let sentence =
                    format!("the profile has {} trucks, allowed are up to as many instances", profile.trucks);
                return Err(settings.refuse("run.instance", sentence));
            }
            Ok(SourceConfig::Generator(Box::new(profile)))
        }
        SourceKind::Replay => {
            if overrides.duration.is_some() || overrides.profile.is_some() {
                return Err(settings.refuse("source.kind", "--duration and --profile are for the generator"));
            }
            let files = source::files(Path::new(&raw.path)).map_err(|error| {
                settings.refuse("source.path", format!("name an NDJSON file or a directory of them: {error}"))
            })?;
            let rate = overrides.rate.unwrap_or(raw.rate);
            if rate != 0.0 && !(0.001..=crate::shape::HIGHEST_RATE).contains(&rate) {
                return Err(settings
                    .refuse("source.rate", "allowed is 0 (as fast as the limits) or 0.001 to 10000000 events/s"));
            }
            Ok(SourceConfig::Replay { files, rate: Some(rate).filter(|rate| *rate > 0.0) })
        }
    }
}

fn ingest(settings: &Settings, raw: &Raw, overrides: &Overrides) -> Result<SourceConfig, ConfigError> {
    if overrides.rate.is_some() || overrides.duration.is_some() || overrides.profile.is_some() {
        let sentence = "--rate, --duration and --profile are not for ingest: senders make its load, [limits] bounds it";
        return Err(settings.refuse("source.kind", sentence));
    }
    IngestConfig::validate(settings, &raw.ingest).map(|config| SourceConfig::Ingest(Box::new(config)))
}

/// The profile that the command line names, when nothing is configured that could use it: neither routes nor brokers.
///
/// # Errors
/// As [`profile`].
pub fn only_a_profile(loaded: &Loaded<Raw>, overrides: &Overrides) -> Result<Option<Profile>, ConfigError> {
    let configured = !loaded.raw.routes.is_empty() || !loaded.raw.kafka.bootstrap_servers.is_empty();
    let path = overrides.profile.as_deref().filter(|_| !configured);
    run_id(&loaded.settings, &loaded.raw.run, overrides)?;
    path.map(|path| profile(path, overrides)).transpose()
}

/// Reads a profile and lets the command line change it.
///
/// # Errors
/// The file's name and what is wrong in it.
pub fn profile(path: &Path, overrides: &Overrides) -> Result<Profile, ConfigError> {
    let profile = Profile::load(path).map_err(|error| ConfigError::other(error.to_string()))?;
    profile.with(overrides.rate, overrides.duration).map_err(ConfigError::other)
}

fn spool(settings: &Settings, raw: &SpoolRaw) -> Result<Option<SpoolRaw>, ConfigError> {
    if raw.dir.is_empty() {
        return Ok(None);
    }
    let dir = Path::new(&raw.dir);
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let is_new = dir.symlink_metadata().is_err() && parent.is_dir();
    if !(dir.is_dir() || is_new) {
        return Err(settings.refuse("spool.dir", "allowed is a folder, or a new one in a folder that exists"));
    }
    if !(1_048_576..=(1 << 40)).contains(&raw.max_size.bytes()) {
        return Err(settings.refuse("spool.max_size", "allowed is \"1MiB\" to \"1024GiB\""));
    }
    if !(Duration::from_millis(500)..=Duration::from_secs(3_600)).contains(&raw.after.get()) {
        return Err(settings.refuse("spool.after", "allowed is \"500ms\" to \"1h\""));
    }
    Ok(Some(raw.clone()))
}

/// The id that the command line gives, else the configured one.
fn run_id(settings: &Settings, raw: &RunRaw, overrides: &Overrides) -> Result<String, ConfigError> {
    let id = overrides.run.as_ref().unwrap_or(&raw.id);
    let plain = |c: char| c.is_ascii_digit() || c.is_ascii_lowercase();
    if id.len() <= 16 && id.chars().all(plain) {
        return Ok(id.clone());
    }
    let allowed = "allowed are up to 16 of a-z and 0-9 (empty: made anew for every run)";
    Err(match &overrides.run {
        Some(id) => ConfigError::other(format!("--run is `{id}`: {allowed}")),
        None => settings.refuse("run.id", allowed),
    })
}

fn run(settings: &Settings, raw: &RunRaw, overrides: &Overrides) -> Result<RunRaw, ConfigError> {
    let run = RunRaw { id: run_id(settings, raw, overrides)?, ..raw.clone() };
    for (key, span, to) in [
        ("run.start_deadline", run.start_deadline, 600),
        ("run.shutdown_deadline", run.shutdown_deadline, 3_600),
        ("run.progress_every", run.progress_every, 3_600),
    ] {
        if span.get().is_zero() || span.get() > Duration::from_secs(to) {
            return Err(settings.refuse(key, format!("allowed is above 0 and up to \"{to}s\"")));
        }
    }
    Ok(run)
}

#[cfg(test)]
mod tests;
