//! Which topics put records off, and for how long: `retry.deferred` and `retry.delays`.

use super::Raw;
use crate::deferral::{Deferral, Delay};
use domain::headers::retry_topic;
use kafka_client::settings::OffsetReset;
use runtime::config::{ConfigError, Settings, Span};
use std::collections::HashSet;

/// Each delay is a topic for each topic.
const MOST_DELAYS: usize = 8;
const SHORTEST: Span = Span::from_millis(100);
const LONGEST: Span = Span::from_secs(24 * 3_600);
/// Kafka's own limit.
const LONGEST_NAME: usize = 249;

/// Delays are looked at only when a topic uses them.
pub(super) fn validate(settings: &Settings, raw: &Raw) -> Result<Deferral, ConfigError> {
    let topics = &raw.retry.deferred;
    if topics.is_empty() {
        return Ok(Deferral::default());
    }
    check_topics(settings, raw)?;
    check_delays(settings, &raw.retry.delays)?;
    if raw.consumer.start != OffsetReset::Earliest {
        let sentence = "allowed is earliest with retry.deferred: a record that was put off before the group first read its retry topic would be passed over";
        return Err(settings.refuse("consumer.start", sentence));
    }
    let delay = |span: &Span| Delay { name: span.to_string(), span: span.get() };
    let deferral = Deferral::new(topics.clone(), raw.retry.delays.iter().map(delay).collect());
    match topics.iter().flat_map(|topic| deferral.retry_topics(topic)).find(|name| name.len() > LONGEST_NAME) {
        Some(name) => Err(settings.refuse("retry.deferred", format!("{name} is longer than a topic's name may be"))),
        None => Ok(deferral),
    }
}

fn check_topics(settings: &Settings, raw: &Raw) -> Result<(), ConfigError> {
    let topics = &raw.retry.deferred;
    if let Some(unknown) = topics.iter().find(|topic| !raw.consumer.topics.contains(topic)) {
        return Err(settings.refuse("retry.deferred", format!("{unknown} is not in consumer.topics")));
    }
    if topics.iter().collect::<HashSet<_>>().len() < topics.len() {
        return Err(settings.refuse("retry.deferred", "a topic may stand there once"));
    }
    Ok(())
}

fn check_delays(settings: &Settings, delays: &[Span]) -> Result<(), ConfigError> {
    let within = delays.iter().all(|delay| (SHORTEST..=LONGEST).contains(delay));
    // The name is part of a topic's: a delay that cannot be written as a whole number with one unit has none.
    let named =
        delays.iter().all(|delay| domain::headers::topic_of_retry(&retry_topic("t", &delay.to_string())).is_some());
    if delays.is_empty() || delays.len() > MOST_DELAYS || !within || !named {
        let sentence = format!("allowed are 1 to {MOST_DELAYS} delays of {SHORTEST} to {LONGEST}");
        return Err(settings.refuse("retry.delays", sentence));
    }
    if !delays.is_sorted_by(|one, next| one < next) {
        return Err(settings.refuse("retry.delays", "allowed are delays that ascend: each longer than the one before"));
    }
    Ok(())
}
