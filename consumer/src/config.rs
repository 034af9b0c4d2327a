//! The consumer's configuration: what is written, the sum of its parts, and what is meant.

/// How the batch limit follows the function.
mod batch_limit;
/// Which topics put records off, and for how long.
mod deferral;
/// What would do nothing beside other settings.
mod effect;
/// What protects the function.
mod guard;
/// What is written, with its defaults.
mod raw;
/// What is said of single topics.
mod topics;
/// How we are a member of the group.
mod membership;

pub use guard::{BreakerRaw, ConcurrencyRaw};
pub use raw::{BatchRaw, CommitRaw, ConsumerRaw, DeadLetterRaw, DrainRaw, FloodRaw, FunctionRaw, Raw, RetryRaw};
pub use topics::TopicRaw;

use crate::batch_limit::SizeSettings;
use crate::collect::Limits;
use crate::deferral::Deferral;
use crate::desk::{DeskSettings, Room};
use crate::flood::FloodLimits;
use crate::guard::GuardSettings;
use crate::invoke::lambda::LambdaSettings;
use crate::policy::{Pace, cuts};
use crate::poll::PollSettings;
use crate::topic::{TopicPlan, read_topics};
use axum::http::Uri;
use domain::backoff::Backoff;
use domain::contract::MAX_REQUEST_BYTES;
use kafka_client::settings::{ConsumerTuning, Kafka, OffsetReset, ProducerTuning};
use runtime::admin::AdminConfig;
use runtime::config::{ConfigError, Loaded, Settings, Span};
use runtime::logs::LogsConfig;
use runtime::metrics::MetricsConfig;
use runtime::traces::TracesConfig;
use std::time::Duration;

/// A configuration that can run.
#[derive(Debug, Clone)]
pub struct Config {
    pub kafka: Kafka,
    /// With the read-ahead of one partition; see [`Self::share_read_ahead`].
    pub tuning: ConsumerTuning,
    read_ahead: u64,
    pub desk: DeskSettings,
    pub poll: PollSettings,
    pub lambda: LambdaSettings,
    pub guard: GuardSettings,
    pub batch_limit: SizeSettings,
    pub pace: Pace,
    pub deferral: Deferral,
    pub flood: FloodLimits,
    pub dead_letters: ProducerTuning,
    pub admin: AdminConfig,
    pub logs: LogsConfig,
    pub metrics: MetricsConfig,
    pub traces: TracesConfig,
}

impl Config {
    /// Checks everything that can be seen without the network.
    ///
    /// # Errors
    /// The setting, its value, its origin, and what is allowed.
    pub fn validate(loaded: &Loaded<Raw>) -> Result<Self, ConfigError> {
        let (raw, settings) = (&loaded.raw, &loaded.settings);
        let logs = LogsConfig::validate(settings, &raw.logs)?;
        topics::check(settings, raw)?;
        let tuning = membership::validate(settings, &raw.consumer)?;
        check_spans(settings, raw)?;
        check_numbers(settings, raw)?;
        check_function(settings, raw)?;
        let lambda = lambda(&raw.function);
        let deferral = deferral::validate(settings, raw)?;
        let topics = topics::plans(raw, &deferral);
        let config = Self {
            kafka: Kafka::validate(settings, &raw.kafka)?,
            tuning,
            read_ahead: raw.consumer.read_ahead.bytes(),
            desk: desk(raw, &topics),
            poll: poll(raw, &topics),
            guard: guard::validate(settings, raw, (&topics, lambda.most_in_flight()))?,
            batch_limit: batch_limit::validate(settings, raw)?,
            lambda,
            pace: pace(settings, raw)?,
            deferral,
            flood: flood(settings, &raw.flood)?,
            dead_letters: dead_letters(&raw.dead_letter),
            admin: AdminConfig::validate(settings, &raw.admin)?,
            logs,
            metrics: MetricsConfig::validate(settings, &raw.metrics)?,
            traces: TracesConfig::validate(settings, &raw.traces)?,
        };
        effect::check(settings, raw)?;
        Ok(config)
    }

    /// Shares the read-ahead out among so many partitions, all of which this process may come to own.
    pub fn share_read_ahead(&mut self, partitions: u64) {
        self.tuning.share_read_ahead(self.read_ahead, partitions);
    }
}

fn check_spans(settings: &Settings, raw: &Raw) -> Result<(), ConfigError> {
    let hour = Span::from_secs(3_600);
    let ranges = [
        ("batch.age", raw.batch.age, Span::from_millis(1), Span::from_secs(60)),
        ("function.timeout", raw.function.timeout, Span::from_secs(1), Span::from_secs(900)),
        ("retry.base", raw.retry.base, Span::from_millis(1), Span::from_secs(60)),
        ("retry.cap", raw.retry.cap, raw.retry.base, hour),
        ("flood.window", raw.flood.window, Span::from_secs(1), hour),
        ("commit.interval", raw.commit.interval, Span::from_millis(10), Span::from_secs(60)),
        ("drain.shutdown", raw.drain.shutdown, Span::from_millis(0), hour),
        ("drain.close", raw.drain.close, Span::from_secs(1), Span::from_secs(600)),
        ("dead_letter.timeout", raw.dead_letter.timeout, Span::from_secs(1), hour),
    ];
    for (key, value, least, most) in ranges {
        if value < least || value > most {
            let sentence = format!("allowed is {:?} to {:?}", least.get(), most.get());
            return Err(settings.refuse(key, sentence));
        }
    }
    check_revoke(settings, raw)
}

/// A member that drains for longer than the group waits for it is shut out, and what it drained cannot be committed.
fn check_revoke(settings: &Settings, raw: &Raw) -> Result<(), ConfigError> {
    let most = raw.consumer.max_poll_interval.get() / 2;
    if raw.drain.revoke.get() <= most {
        return Ok(());
    }
    let sentence = format!(
        "allowed is 0s to {most:?}: half of consumer.max_poll_interval, within which a rebalance must end, last commit included"
    );
    Err(settings.refuse("drain.revoke", sentence))
}

fn check_numbers(settings: &Settings, raw: &Raw) -> Result<(), ConfigError> {
    let most_bytes = MAX_REQUEST_BYTES as u64;
    let ranges = [
        ("consumer.lanes", u64::from(raw.consumer.lanes), 1, 64),
        ("batch.records", u64::from(raw.batch.records), 1, 10_000),
        ("batch.size", raw.batch.size.bytes(), 1_024, most_bytes),
        ("batch.waiting", u64::from(raw.batch.waiting), 0, 64),
        ("batch.memory", raw.batch.memory.bytes(), raw.batch.size.bytes(), 1 << 36),
        ("consumer.read_ahead", raw.consumer.read_ahead.bytes(), 1 << 20, 1 << 36),
        ("retry.suspect_after", u64::from(raw.retry.suspect_after), 1, 100),
        ("retry.attempts", u64::from(raw.retry.attempts), 1, 1_000),
        ("flood.enough", raw.flood.enough, 1, 1_000_000_000),
    ];
    for (key, value, least, most) in ranges {
        if !(least..=most).contains(&value) {
            return Err(settings.refuse(key, format!("allowed is {least} to {most}")));
        }
    }
    Ok(())
}

fn check_function(settings: &Settings, all: &Raw) -> Result<(), ConfigError> {
    let raw = &all.function;
    let needless = raw.name.is_empty() && topics::have_their_own_function(all);
    if !needless && !is_function(&raw.name) {
        return Err(settings.refuse("function.name", "allowed is a function's name, name:alias or ARN"));
    }
    if !(raw.endpoint_url.is_empty() || is_endpoint(&raw.endpoint_url)) {
        return Err(
            settings.refuse("function.endpoint_url", "allowed is an http:// or https:// URL, or nothing for AWS's own")
        );
    }
    // Any text would make a host name that nobody has: an outage that never ends, in place of this sentence.
    if !raw.region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Err(settings
            .refuse("function.region", "allowed is a region such as eu-west-1, or nothing for the environment's"));
    }
    Ok(())
}

fn is_function(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '$');
    !name.is_empty() && name.len() <= 170 && name.chars().all(plain)
}

fn is_endpoint(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let web = url.scheme_str().is_some_and(|scheme| scheme == "http" || scheme == "https");
    // A port that is none is not refused by itself.
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let port = authority.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'));
    let reachable = port.is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0));
    web && reachable && url.host().is_some_and(|host| !host.is_empty())
}

fn pace(settings: &Settings, raw: &Raw) -> Result<Pace, ConfigError> {
    let RetryRaw { base, cap, suspect_after, attempts, .. } = raw.retry;
    // Nothing is proved by one failure.
    let least = (suspect_after + cuts(raw.batch.records as usize)).max(2);
    if attempts < least {
        let sentence = format!(
            "allowed is {least} to 1000: retry.suspect_after, and one for each cut until one of {} records (batch.records) is alone",
            raw.batch.records
        );
        return Err(settings.refuse("retry.attempts", sentence));
    }
    Ok(Pace { backoff: Backoff { base: base.get(), cap: cap.get() }, suspect_after, attempts })
}

fn flood(settings: &Settings, raw: &FloodRaw) -> Result<FloodLimits, ConfigError> {
    if !(0.0..=1.0).contains(&raw.share) {
        return Err(settings.refuse("flood.share", "allowed is 0 (off) to 1"));
    }
    let FloodRaw { in_a_row, in_window, share, enough, window } = raw.clone();
    Ok(FloodLimits { in_a_row, in_window, share, enough, window: window.get() })
}

fn desk(raw: &Raw, topics: &[TopicPlan]) -> DeskSettings {
    DeskSettings {
        group: raw.consumer.group.clone(),
        topics: topics.to_vec(),
        lanes: raw.consumer.lanes,
        epoch: raw.consumer.epoch,
        limits: Limits {
            records: raw.batch.records as usize,
            age: raw.batch.age.get(),
            bytes: raw.batch.size.as_usize(),
        },
        room: Room { waiting: raw.batch.waiting as usize, bytes: raw.batch.memory.as_usize() },
        from_end: raw.consumer.start == OffsetReset::Latest,
    }
}

fn poll(raw: &Raw, topics: &[TopicPlan]) -> PollSettings {
    PollSettings {
        topics: read_topics(topics),
        static_member: !raw.consumer.instance_id.is_empty(),
        protocol: raw.consumer.protocol,
        session_timeout: membership::session_timeout(&raw.consumer),
        commit_interval: raw.commit.interval.get(),
        revoke_drain: raw.drain.revoke.get(),
        shutdown_drain: raw.drain.shutdown.get(),
        close: raw.drain.close.get(),
    }
}

fn lambda(raw: &FunctionRaw) -> LambdaSettings {
    let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    LambdaSettings {
        endpoint_url: some(&raw.endpoint_url),
        region: some(&raw.region),
        timeout: raw.timeout.get(),
        max_in_flight: raw.max_in_flight as usize,
    }
}

/// Dead letters are few and may be large: a record that Kafka once took must fit again, with its headers. Together they are what a topic takes
/// by default.
fn dead_letters(raw: &DeadLetterRaw) -> ProducerTuning {
    ProducerTuning {
        linger: Duration::from_millis(5),
        batch_bytes: 1_000_000,
        record_bytes: 16 << 20,
        queue_records: 100_000,
        queue_bytes: 64 << 20,
        delivery_timeout: raw.timeout.get(),
        ..ProducerTuning::default()
    }
}

#[cfg(test)]
mod tests;
