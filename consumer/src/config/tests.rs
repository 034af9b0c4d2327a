//! Defaults, the example file, and what is refused.

use super::{Config, Raw};
use crate::topic::{TopicPlan, functions};
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
    assert_eq!((config.tuning.prefetch_bytes, config.tuning.prefetch_records), (4 << 20, 2_500), "of each partition");
}

#[test]
fn many_partitions_share_the_read_ahead() {
    let mut config = validate(&[("COMBOIO_CONSUMER__READ_AHEAD", "16MiB")]).unwrap();
    config.share_read_ahead(32);
    assert_eq!((config.tuning.prefetch_bytes, config.tuning.prefetch_records), (512 << 10, 312));
    let refused = validate(&[("COMBOIO_CONSUMER__READ_AHEAD", "1KiB")]).unwrap_err().to_string();
    assert!(refused.contains("consumer.read_ahead"), "{refused}");
}

#[test]
fn the_batch_limit_has_the_function_s_time_and_never_a_floor_above_its_ceiling() {
    let of = |more: &[(&str, &str)]| {
        let size = validate(more).unwrap().batch_limit;
        (size.adaptive, size.least, size.most, size.budget.as_millis())
    };
    assert_eq!(of(&[]), (true, 10, 500, 15_000));
    assert_eq!(of(&[("COMBOIO_BATCH__RECORDS", "4")]), (true, 4, 4, 15_000));
    assert_eq!(of(&[("COMBOIO_CONCURRENCY__LATENCY_BUDGET", "800ms")]).3, 800);
}

#[test]
fn a_topic_that_puts_records_off_has_a_retry_topic_for_each_delay() {
    let deferred = ("COMBOIO_RETRY__DEFERRED", "mt-c300");
    let config = validate(&[deferred, ("COMBOIO_RETRY__DELAYS", "1500ms,90s,5m")]).unwrap();
    let all = ["mt-c400", "mt-c300", "mt-c300.retry.1500ms", "mt-c300.retry.90s", "mt-c300.retry.5m"];
    assert_eq!(config.poll.topics, all);
    let retries: Vec<usize> = config.desk.topics.iter().map(|topic| topic.retries.len()).collect();
    assert_eq!((retries, &config.guard.topics), (vec![0, 3], &config.desk.topics));
    assert_eq!(validate(&[]).unwrap().poll.topics, ["mt-c400", "mt-c300"], "by default a retry holds up its lane");
    for (name, value, key) in [
        ("COMBOIO_RETRY__DELAYS", "5s,5s", "retry.delays"),
        ("COMBOIO_RETRY__DELAYS", "30s,5s", "retry.delays"),
        ("COMBOIO_RETRY__DELAYS", "1ms", "retry.delays"),
        ("COMBOIO_RETRY__DELAYS", "1s,2s,3s,4s,5s,6s,7s,8s,9s", "retry.delays"),
        ("COMBOIO_CONSUMER__START", "latest", "consumer.start"),
    ] {
        let error = validate(&[deferred, (name, value)]).expect_err(value).to_string();
        assert!(error.contains(key), "{name}={value}: {error}");
    }
}

#[test]
fn the_example_file_is_valid() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("consumer.example.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    // The example names certificates that are not here.
    let (before, after) = (text.split("[kafka.tls]").next().unwrap(), text.split("[consumer]").nth(1).unwrap());
    let here = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(here.path(), format!("{before}[consumer]{after}")).unwrap();
    let loaded = load::<Raw>(Some(here.path()), std::iter::empty()).unwrap();
    Config::validate(&loaded).unwrap();
    load::<Raw>(Some(&file), std::iter::empty()).unwrap();
}

#[test]
fn a_wrong_value_names_its_setting_and_what_is_allowed() {
    let cases = [
        ("COMBOIO_CONSUMER__TOPICS", "mt-c400,mt-c400", "consumer.topics"),
        ("COMBOIO_CONSUMER__TOPICS", "mt-c400.dlq", "consumer.topics"),
        ("COMBOIO_CONSUMER__TOPICS", "a b", "consumer.topics"),
        ("COMBOIO_CONSUMER__TOPICS", "..", "consumer.topics"),
        ("COMBOIO_CONSUMER__GROUP", "", "consumer.group"),
        ("COMBOIO_CONSUMER__LANES", "0", "consumer.lanes"),
        ("COMBOIO_CONSUMER__INSTANCE_ID", "a/b", "consumer.instance_id"),
        ("COMBOIO_CONSUMER__INSTANCE_ID", ".", "consumer.instance_id"),
        ("COMBOIO_BATCH__SIZE", "7MiB", "batch.size"),
        ("COMBOIO_BATCH__RECORDS", "0", "batch.records"),
        ("COMBOIO_BATCH__LEAST", "501", "batch.least"),
        ("COMBOIO_BATCH__LEAST", "0", "batch.least"),
        ("COMBOIO_BATCH__MEMORY", "1MiB", "batch.memory"),
        ("COMBOIO_FUNCTION__NAME", "", "function.name"),
        ("COMBOIO_FUNCTION__ENDPOINT_URL", "127.0.0.1:9000", "function.endpoint_url"),
        ("COMBOIO_FUNCTION__ENDPOINT_URL", "http://127.0.0.1:99999", "function.endpoint_url"),
        ("COMBOIO_FUNCTION__ENDPOINT_URL", "http://[::1]:0/x", "function.endpoint_url"),
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
        ("COMBOIO_RETRY__DEFERRED", "mt-priority", "retry.deferred"),
        ("COMBOIO_RETRY__DEFERRED", "mt-c400,mt-c400", "retry.deferred"),
        ("COMBOIO_CONSUMER__TOPICS", "mt-c400,mt-c400.retry.5s", "consumer.topics"),
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
    assert_eq!((&config.desk.topics[..], &config.guard.topics[..]), (&plans[..], &plans[..]));
}

#[test]
fn a_function_to_which_no_topic_goes_is_left_out() {
    let own = ("COMBOIO_TOPIC", "[{name = \"mt-c300\", function = \"a\"}, {name = \"mt-c400\", function = \"b\"}]");
    let refused = validate(&[own]).unwrap_err().to_string();
    assert!(refused.contains("function.name is `dispatcher`") && refused.contains("without effect"), "{refused}");
    let config = validate(&[own, ("COMBOIO_FUNCTION__NAME", "")]).unwrap();
    assert_eq!(functions(&config.guard.topics), ["b", "a"]);
    let one = ("COMBOIO_TOPIC", "[{name = \"mt-c300\", function = \"a\"}]");
    assert!(validate(&[one, ("COMBOIO_FUNCTION__NAME", "")]).is_err(), "mt-c400 has none");
}

#[test]
fn a_group_of_the_brokers_leaves_to_them_what_is_theirs() {
    let config =
        validate(&[("COMBOIO_CONSUMER__PROTOCOL", "consumer"), ("COMBOIO_CONSUMER__ASSIGNOR", "range")]).unwrap();
    assert_eq!((config.tuning.protocol, config.tuning.assignor.as_deref()), (GroupProtocol::Consumer, Some("range")));
    assert_eq!(config.poll.session_timeout.as_secs(), 45);
    let by_brokers = ("COMBOIO_CONSUMER__PROTOCOL", "consumer");
    for (name, value) in [("COMBOIO_CONSUMER__SESSION_TIMEOUT", "30s"), ("COMBOIO_CONSUMER__ASSIGNOR", "sticky")] {
        let refused = validate(&[by_brokers, (name, value)]).unwrap_err().to_string();
        assert!(refused.contains(value) && refused.contains("allowed is"), "{refused}");
    }
    validate(&[by_brokers, ("COMBOIO_CONSUMER__SESSION_TIMEOUT", "45s")]).expect("a default that is written down");
}
