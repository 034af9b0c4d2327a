//! Settings that would do nothing beside others: whoever wrote one expects something that would not happen.
//!
//! Only what was written is refused. A default that does nothing is nobody's mistake, also when somebody writes it down.

use super::{Raw, topics};
use kafka_client::settings::GroupProtocol;
use runtime::config::{ConfigError, Effective, Settings};

/// # Errors
/// The setting, its value, its origin, and beside what it would have an effect.
pub(super) fn check(settings: &Settings, raw: &Raw) -> Result<(), ConfigError> {
    let rules = invocations(raw).into_iter().chain(floods(raw)).chain(surroundings(raw)).chain(membership(raw));
    let rules = rules.map(|(key, idle, sentence)| (key.to_owned(), idle, sentence)).chain(shares(raw));
    let mut idle = rules.filter(|(_, idle, _)| *idle).peekable();
    if idle.peek().is_none() {
        return Ok(());
    }
    let (written, defaults) = (settings.effective(), Settings::of(&Raw::default()).effective());
    let of = |all: &Effective, key: &str| all.0.iter().find(|one| one.key == key).map(|one| one.value.clone());
    let meant = |key: &str| settings.is_written(key) && of(&written, key) != of(&defaults, key);
    let wrong = idle.find(|(key, _, _)| meant(key));
    wrong.map_or(Ok(()), |(key, _, sentence)| Err(settings.refuse(&key, sentence)))
}

/// A setting, whether it does nothing, and what is allowed.
type Rule = (&'static str, bool, String);

fn invocations(raw: &Raw) -> [Rule; 7] {
    let (records, timeout) = (raw.batch.records, raw.function.timeout);
    let budget = raw.concurrency.latency_budget.get();
    [
        (
            "concurrency.latency_budget",
            !raw.concurrency.adaptive && !raw.batch.adaptive && !budget.is_zero(),
            "without effect while concurrency.adaptive and batch.adaptive are false: allowed is 0, or any budget with one of them true".into(),
        ),
        (
            "batch.least",
            !raw.batch.adaptive,
            "without effect while batch.adaptive is false: allowed is to leave it out, or adaptive = true".into(),
        ),
        (
            "retry.delays",
            raw.retry.deferred.is_empty(),
            "without effect while retry.deferred is empty: allowed is to leave it out, or topics whose records wait".into(),
        ),
        (
            "concurrency.latency_budget",
            budget > timeout.get(),
            format!("no invocation takes longer than function.timeout: allowed is 0 to {:?}", timeout.get()),
        ),
        (
            "breaker.probe_records",
            raw.breaker.probe_records > records,
            format!("no batch has more than batch.records: allowed is 1 to {records}"),
        ),
        (
            "breaker.window",
            raw.breaker.share >= 1.0,
            "without effect while breaker.share is 1, for breaker.failures in a row come first: allowed is a share below 1".into(),
        ),
        (
            "retry.suspect_after",
            records == 1,
            "batch.records is 1, and one record is not cut: allowed is to leave it out, or more records".into(),
        ),
    ]
}

fn membership(raw: &Raw) -> [Rule; 2] {
    let by_brokers = raw.consumer.protocol == GroupProtocol::Consumer;
    [
        (
            "consumer.session_timeout",
            by_brokers,
            "without effect while consumer.protocol is \"consumer\": allowed is to leave it out, for the brokers set it for the group (consumer.session.timeout.ms)".into(),
        ),
        (
            "consumer.assignor",
            !by_brokers,
            "without effect while consumer.protocol is \"classic\", whose members are always assigned cooperative-sticky: allowed is to leave it out".into(),
        ),
    ]
}

/// Of a list's entries no default is known: a weight of 1 is one.
fn shares(raw: &Raw) -> impl Iterator<Item = (String, bool, String)> {
    let alone = raw.consumer.topics.len() == 1;
    let weight = move |(nth, weight): (usize, u32)| {
        let sentence = "without effect while consumer.topics has one topic, which shares with nobody: allowed is 1, or to leave it out";
        (format!("topic[{nth}].weight"), alone && weight != 1, sentence.to_owned())
    };
    let weights: Vec<u32> = raw.topic.iter().map(|topic| topic.weight).collect();
    let function = (
        "function.name".to_owned(),
        topics::have_their_own_function(raw),
        "without effect while every topic has a function of its own: allowed is to leave it out".to_owned(),
    );
    weights.into_iter().enumerate().map(weight).chain([function])
}

fn floods(raw: &Raw) -> [Rule; 2] {
    let (share, in_window) = (raw.flood.share > 0.0, raw.flood.in_window > 0);
    [
        ("flood.enough", !share, "without effect while flood.share is 0 (off): allowed is to leave it out, or a share".into()),
        (
            "flood.window",
            !share && !in_window,
            "without effect while flood.share and flood.in_window are 0 (off): allowed is to leave it out, or one of them".into(),
        ),
    ]
}

fn surroundings(raw: &Raw) -> Vec<Rule> {
    let tls = &raw.kafka.tls;
    let plaintext = [&tls.ca, &tls.certificate, &tls.key, &tls.bundle].into_iter().all(String::is_empty);
    let keys = [
        "kafka.tls.verify_hostname",
        "kafka.tls.check_every",
        "kafka.tls.settle_checks",
        "kafka.tls.warn_before",
        "kafka.tls.alarm_before",
    ];
    let sentence = "without effect, for there are no certificates and the connection is plaintext: allowed is with kafka.tls.ca or kafka.tls.bundle";
    let tls = keys.map(|key| (key, plaintext, sentence.to_owned()));
    let export = |key, endpoint: &str, idle| {
        (key, idle, format!("without effect while {endpoint} is empty: allowed is with an endpoint"))
    };
    let exports = [
        export("metrics.otlp_interval", "metrics.otlp_endpoint", raw.metrics.otlp_endpoint.is_empty()),
        export("traces.sample_ratio", "traces.otlp_endpoint", raw.traces.otlp_endpoint.is_empty()),
    ];
    tls.into_iter().chain(exports).collect()
}
