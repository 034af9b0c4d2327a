//! How we are a member of the group: `[consumer]`'s part for Kafka's client, by the group's protocol.

use super::ConsumerRaw;
use kafka_client::settings::{ConsumerTuning, ConsumerTuningRaw, GroupProtocol};
use runtime::config::{ConfigError, Settings, Span};
use std::time::Duration;

/// How long the brokers wait for a silent member, unless they are set up otherwise (`group.consumer.session.timeout.ms`).
const ON_THE_BROKERS: Duration = Duration::from_secs(45);

pub(super) fn validate(settings: &Settings, raw: &ConsumerRaw) -> Result<ConsumerTuning, ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let dots = [".", ".."].contains(&raw.instance_id.as_str());
    if dots || raw.instance_id.len() > 249 || !raw.instance_id.chars().all(plain) {
        let sentence = "allowed are up to 249 letters, digits, '.', '_' and '-', but neither '.' nor '..'";
        return Err(settings.refuse("consumer.instance_id", sentence));
    }
    check_assignor(settings, raw)?;
    let defaults = ConsumerTuningRaw::default();
    let by_brokers = raw.protocol == GroupProtocol::Consumer;
    let tuning = ConsumerTuningRaw {
        group: raw.group.clone(),
        instance: raw.instance_id.clone(),
        protocol: raw.protocol,
        assignor: raw.assignor.clone(),
        // Of no effect then, so it must not be what something else is held against.
        session_timeout: if by_brokers { Span::from_secs(1) } else { raw.session_timeout },
        max_poll_interval: raw.max_poll_interval,
        offset_reset: raw.start,
        ..defaults
    };
    ConsumerTuning::validate(settings, "consumer", &tuning)
}

/// How long the group waits for us, as far as we know.
pub(super) fn session_timeout(raw: &ConsumerRaw) -> Duration {
    match raw.protocol {
        GroupProtocol::Classic => raw.session_timeout.get(),
        GroupProtocol::Consumer => ON_THE_BROKERS,
    }
}

fn check_assignor(settings: &Settings, raw: &ConsumerRaw) -> Result<(), ConfigError> {
    let allowed = ["", "uniform", "range"].contains(&raw.assignor.as_str());
    if raw.protocol == GroupProtocol::Consumer && !allowed {
        let sentence = "allowed is \"uniform\", \"range\", or nothing for the brokers' own";
        return Err(settings.refuse("consumer.assignor", sentence));
    }
    Ok(())
}
