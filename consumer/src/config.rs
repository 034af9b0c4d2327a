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

pub use guard::{BreakerRaw, ConcurrencyRaw};
pub use raw::{BatchRaw, CommitRaw, ConsumerRaw, DeadLetterRaw, DrainRaw, FloodRaw, FunctionRaw, Raw, RetryRaw};

use crate::batch_limit::SizeSettings;
use crate::collect::Limits;
use crate::deferral::Deferral;
use crate::desk::{DeskSettings, Room};
use crate::flood::FloodLimits;
use crate::guard::GuardSettings;
use crate::invoke::lambda::LambdaSettings;
use crate::policy::{Pace, cuts};
use crate::poll::PollSettings;
use axum::http::Uri;
use domain::backoff::Backoff;
use domain::contract::MAX_REQUEST_BYTES;
use domain::headers::topic_of_retry;
use kafka_client::settings::{ConsumerTuning, ConsumerTuningRaw, Kafka, ProducerTuning};
use runtime::admin::AdminConfig;
use runtime::config::{ConfigError, Loaded, Settings, Span};
use runtime::logs::LogsConfig;
use runtime::metrics::MetricsConfig;
use std::collections::HashSet;
use std::time::Duration;

/// A configuration that can run.
#[derive(Debug, Clone)]
pub struct Config {
    pub kafka: Kafka,
    pub tuning: ConsumerTuning,
    pub desk: DeskSettings,
    pub poll: PollSettings,
    /// The dispatcher's name or ARN.
    pub function: String,
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
}

impl Config {
    /// Checks everything that can be seen without the network.
    ///
    /// # Errors
    /// The setting, its value, its origin, and what is allowed.
    pub fn validate(loaded: &Loaded<Raw>) -> Result<Self, ConfigError> {
        let (raw, settings) = (&loaded.raw, &loaded.settings);
        let logs = LogsConfig::validate(settings, &raw.logs)?;
        check_topics(settings, &raw.consumer.topics)?;
        let tuning = tuning(settings, &raw.consumer)?;
        check_spans(settings, raw)?;
        check_numbers(settings, raw)?;
        check_function(settings, &raw.function)?;
        let lambda = lambda(&raw.function);
        let deferral = deferral::validate(settings, raw)?;
        let config = Self {
            kafka: Kafka::validate(settings, &raw.kafka)?,
            tuning,
            desk: desk(raw, &deferral),
            poll: poll(raw, &deferral),
            function: raw.function.name.clone(),
            guard: guard::validate(settings, raw, lambda.most_in_flight())?,
            batch_limit: batch_limit::validate(settings, raw)?,
            lambda,
            pace: pace(settings, raw)?,
            deferral,
            flood: flood(settings, &raw.flood)?,
            dead_letters: dead_letters(&raw.dead_letter),
            admin: AdminConfig::validate(settings, &raw.admin)?,
            logs,
            metrics: MetricsConfig::validate(settings, &raw.metrics)?,
        };
        effect::check(settings, raw)?;
        Ok(config)
    }
}

fn check_topics(settings: &Settings, topics: &[String]) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let is_topic = |topic: &String| !topic.is_empty() && topic.len() <= 245 && topic.chars().all(plain);
    if topics.is_empty() || !topics.iter().all(is_topic) {
        return Err(settings.refuse("consumer.topics", "allowed is a list of at least one topic name"));
    }
    if topics.iter().any(|topic| topic.ends_with(".dlq")) {
        return Err(settings
            .refuse("consumer.topics", "dead-letter topics are not consumed: name the topics that they belong to"));
    }
    if topics.iter().any(|topic| topic_of_retry(topic).is_some()) {
        let sentence =
            "retry topics are read by themselves: name the topics that they belong to, here and in retry.deferred";
        return Err(settings.refuse("consumer.topics", sentence));
    }
    if topics.iter().collect::<HashSet<_>>().len() < topics.len() {
        return Err(settings.refuse("consumer.topics", "a topic may stand there once"));
    }
    Ok(())
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

fn check_function(settings: &Settings, raw: &FunctionRaw) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '$');
    if raw.name.is_empty() || raw.name.len() > 170 || !raw.name.chars().all(plain) {
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

fn is_endpoint(url: &str) -> bool {
    let Ok(url) = url.parse::<Uri>() else { return false };
    let web = url.scheme_str().is_some_and(|scheme| scheme == "http" || scheme == "https");
    web && url.host().is_some_and(|host| !host.is_empty())
}

fn tuning(settings: &Settings, raw: &ConsumerRaw) -> Result<ConsumerTuning, ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if raw.instance_id.len() > 249 || !raw.instance_id.chars().all(plain) {
        return Err(settings.refuse("consumer.instance_id", "allowed are up to 249 letters, digits, '.', '_' and '-'"));
    }
    let tuning = ConsumerTuningRaw {
        group: raw.group.clone(),
        instance: raw.instance_id.clone(),
        session_timeout: raw.session_timeout,
        max_poll_interval: raw.max_poll_interval,
        offset_reset: raw.start,
        ..ConsumerTuningRaw::default()
    };
    ConsumerTuning::validate(settings, "consumer", &tuning)
}

fn pace(settings: &Settings, raw: &Raw) -> Result<Pace, ConfigError> {
    let RetryRaw { base, cap, suspect_after, attempts, .. } = raw.retry;
    let least = suspect_after + cuts(raw.batch.records as usize);
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

/// Everything that is read: the topics, and where their records wait.
fn topics(raw: &Raw, deferral: &Deferral) -> Vec<String> {
    raw.consumer.topics.iter().cloned().chain(deferral.retry_topics()).collect()
}

fn desk(raw: &Raw, deferral: &Deferral) -> DeskSettings {
    DeskSettings {
        group: raw.consumer.group.clone(),
        topics: topics(raw, deferral),
        lanes: raw.consumer.lanes,
        epoch: raw.consumer.epoch,
        limits: Limits {
            records: raw.batch.records as usize,
            age: raw.batch.age.get(),
            bytes: raw.batch.size.as_usize(),
        },
        room: Room { waiting: raw.batch.waiting as usize, bytes: raw.batch.memory.as_usize() },
    }
}

fn poll(raw: &Raw, deferral: &Deferral) -> PollSettings {
    PollSettings {
        topics: topics(raw, deferral),
        start: raw.consumer.start,
        static_member: !raw.consumer.instance_id.is_empty(),
        session_timeout: raw.consumer.session_timeout.get(),
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

/// Dead letters are few and may be large: a record that Kafka once took must fit again, with its headers.
fn dead_letters(raw: &DeadLetterRaw) -> ProducerTuning {
    ProducerTuning {
        linger: Duration::from_millis(5),
        batch_bytes: 16 << 20,
        queue_records: 100_000,
        queue_bytes: 64 << 20,
        delivery_timeout: raw.timeout.get(),
        ..ProducerTuning::default()
    }
}

#[cfg(test)]
mod tests;
