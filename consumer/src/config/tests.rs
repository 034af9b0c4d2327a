//! Defaults, the example file, and what is refused.

use super::{Config, Raw};
use crate::topic::TopicPlan;
use kafka_client::settings::GroupProtocol;
use runtime::config::{ConfigError, load};
use std::path::PathBuf;

const LEAST: &[(&str, &str)] = &[
    ("COMBOIO_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9092"),
    ("COMBOIO_CONSUMER__GROUP", "g"),
    ("COMBOIO_CONSUMER__TOPICS", "mt-c400,mt-c300"),
    ("COMBOIO_FUNCTION__NAME", "dispatcher"),
];

fn validate(more: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let loaded = load::<Raw>(None, LEAST.iter().chain(more).map(own))?;
    Config::validate(&loaded)
}

#[test]
fn the_defaults_are_the_documented_ones() {
    let config = validate(&[]).unwrap();
    assert_eq!(
        (config.desk.limits.records, config.desk.limits.age.as_millis(), config.desk.limits.bytes),
        (500, 1_000, 5_767_168)
    );
    assert_eq!((config.desk.lanes, config.poll.commit_interval.as_millis()), (1, 200));
    assert!(!config.poll.static_member);
}

#[test]
fn the_example_file_is_valid() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("consumer.example.toml");
    let loaded = load::<Raw>(Some(&file), std::iter::empty()).unwrap();
    let mut raw = loaded.raw.clone();
    // The example names certificates that are not here.
    raw.kafka.tls = Default::default();
    Config::validate(&runtime::config::Loaded { raw, settings: loaded.settings }).unwrap();
}

#[test]
fn a_wrong_value_names_its_setting_and_what_is_allowed() {
    let cases = [
        ("COMBOIO_CONSUMER__TOPICS", "mt-c400,mt-c400", "consumer.topics"),
        ("COMBOIO_CONSUMER__TOPICS", "mt-c400.dlq", "consumer.topics"),
        ("COMBOIO_CONSUMER__TOPICS", "a b", "consumer.topics"),
        ("COMBOIO_CONSUMER__GROUP", "", "consumer.group"),
        ("COMBOIO_CONSUMER__LANES", "0", "consumer.lanes"),
        ("COMBOIO_CONSUMER__INSTANCE_ID", "a/b", "consumer.instance_id"),
        ("COMBOIO_BATCH__SIZE", "7MiB", "batch.size"),
        ("COMBOIO_BATCH__RECORDS", "0", "batch.records"),
        ("COMBOIO_BATCH__MEMORY", "1MiB", "batch.memory"),
        ("COMBOIO_FUNCTION__NAME", "", "function.name"),
        ("COMBOIO_FUNCTION__ENDPOINT_URL", "127.0.0.1:9000", "function.endpoint_url"),
        ("COMBOIO_FUNCTION__TIMEOUT", "0s", "function.timeout"),
        ("COMBOIO_FUNCTION__MAX_IN_FLIGHT", "0", "function.max_in_flight"),
        ("COMBOIO_FUNCTION__INVOCATIONS_PER_SECOND", "0.01", "function.invocations_per_second"),
        ("COMBOIO_BREAKER__FAILURES", "0", "breaker.failures"),
        ("COMBOIO_BREAKER__SHARE", "1.5", "breaker.share"),
        ("COMBOIO_BREAKER__WINDOW", "2h", "breaker.window"),
        ("COMBOIO_BREAKER__OPEN_FOR", "1ms", "breaker.open_for"),
        ("COMBOIO_BREAKER__OPEN_CAP", "500ms", "breaker.open_cap"),
        ("COMBOIO_BREAKER__PROBE_RECORDS", "0", "breaker.probe_records"),
        ("COMBOIO_CONCURRENCY__LATENCY_BUDGET", "2h", "concurrency.latency_budget"),
        ("COMBOIO_RETRY__CAP", "1ms", "retry.cap"),
        ("COMBOIO_DRAIN__REVOKE", "301s", "drain.revoke"),
        ("COMBOIO_COMMIT__INTERVAL", "200", "commit.interval"),
        ("COMBOIO_CONSUMER__LANE", "2", "consumer.lane"),
        ("COMBOIO_CONSUMER__PROTOCOL", "modern", "consumer.protocol"),
        ("COMBOIO_CONSUMER__ASSIGNOR", "uniform", "consumer.assignor"),
        ("COMBOIO_TOPIC", "[{name = \"mt-c500\"}]", "topic[0].name"),
        ("COMBOIO_TOPIC", "[{name = \"mt-c400\", weight = 0}]", "topic[0].weight"),
        ("COMBOIO_TOPIC", "[{name = \"mt-c400\", function = \"a b\"}]", "topic[0].function"),
        ("COMBOIO_TOPIC", "[{name = \"mt-c300\"}, {name = \"mt-c300\"}]", "topic[1].name"),
        ("COMBOIO_TOPIC", "[{name = \"mt-c400\", heavy = 3}]", "topic[0].heavy"),
    ];
    for (name, value, key) in cases {
        let error = validate(&[(name, value)]).expect_err(name).to_string();
        assert!(error.to_lowercase().contains(key) || error.contains(name), "{name}={value}: {error}");
    }
}

#[test]
fn a_topic_without_a_word_weighs_one_and_goes_to_the_common_function() {
    let own = ("COMBOIO_TOPIC", "[{name = \"mt-c300\", weight = 4, function = \"prio\"}]");
    let config = validate(&[own]).unwrap();
    let plans = [TopicPlan::new("mt-c400", 1, "dispatcher"), TopicPlan::new("mt-c300", 4, "prio")];
    assert_eq!((config.topics, config.desk.weights), (plans.to_vec(), vec![1, 4]));
    assert_eq!(config.guard.topics, plans);
}

#[test]
fn a_group_of_the_brokers_leaves_to_them_what_is_theirs() {
    let config =
        validate(&[("COMBOIO_CONSUMER__PROTOCOL", "consumer"), ("COMBOIO_CONSUMER__ASSIGNOR", "range")]).unwrap();
    assert_eq!((config.tuning.protocol, config.tuning.assignor.as_deref()), (GroupProtocol::Consumer, Some("range")));
    assert_eq!(config.poll.session_timeout.as_secs(), 45);
    for (name, value) in [("COMBOIO_CONSUMER__SESSION_TIMEOUT", "45s"), ("COMBOIO_CONSUMER__ASSIGNOR", "sticky")] {
        let refused = validate(&[("COMBOIO_CONSUMER__PROTOCOL", "consumer"), (name, value)]).unwrap_err().to_string();
        assert!(
            refused.contains(value) && refused.contains("allowed is") || refused.contains("no effect"),
            "{refused}"
        );
    }
}
