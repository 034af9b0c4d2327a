//! Every setting refuses what it cannot be, and what would do nothing beside others: exit code 64 and one sentence.

use localenv::process::Guarded;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const LEAST: &[(&str, &str)] = &[
    ("kafka.bootstrap_servers", "127.0.0.1:9092"),
    ("consumer.group", "g"),
    ("consumer.topics", "mt-c400"),
    ("function.name", "dispatcher"),
];

/// Any text is one of these; what becomes of it is seen only when it is used.
const ANY: [&str; 4] =
    ["kafka.client_id", "kafka.tls.key_password", "kafka.tls.bundle_password", "kafka.tls.bundle_password_file"];

/// A setting, a value that it cannot have, and words of the sentence.
const OUT_OF_RANGE: &[(&str, &str, &str)] = &[
    ("kafka.bootstrap_servers", "", "host:port"),
    ("kafka.bootstrap_servers", "broker", "host:port"),
    ("kafka.connect_timeout", "601s", "\"1s\" to \"600s\""),
    ("kafka.request_timeout", "0s", "\"1s\" to \"300s\""),
    ("kafka.metadata_refresh", "0s", "\"1s\" to \"3600s\""),
    ("kafka.statistics_interval", "1ms", "\"0s\" (off) or \"100ms\" to \"1d\""),
    ("kafka.statistics_interval", "2d", "\"0s\" (off) or \"100ms\" to \"1d\""),
    ("kafka.tls.ca", "nowhere/ca.pem", "kafka.tls.ca"),
    ("kafka.tls.certificate", "nowhere/me.pem", "a certificate needs its ca"),
    ("kafka.tls.key", "nowhere/me.key", "a key needs its certificate"),
    ("kafka.tls.bundle", "nowhere/me.p12", "kafka.tls.bundle"),
    ("kafka.tls.verify_hostname", "maybe", "true or false"),
    ("kafka.tls.check_every", "1ms", "\"10ms\" to \"1d\""),
    ("kafka.tls.settle_checks", "0", "1 to 1000"),
    ("kafka.tls.warn_before", "soon", "a duration such as"),
    ("kafka.tls.alarm_before", "60d", "not be longer than kafka.tls.warn_before"),
    ("kafka.tls.s3.region", "EU West", "such as eu-west-1"),
    ("kafka.tls.s3.endpoint_url", "ftp://x", "https://"),
    ("kafka.tls.s3.timeout", "1ms", "\"100ms\" to \"300s\""),
    ("consumer.group", "a b", "1 to 249 letters"),
    ("consumer.topics", "", "at least one topic"),
    ("consumer.topics", "a b", "topic name"),
    ("consumer.topics", "mt-c400,mt-c400", "once"),
    ("consumer.topics", "mt-c400.dlq", "dead-letter topics are not consumed"),
    ("consumer.instance_id", "a/b", "up to 249 letters"),
    ("consumer.topics", "mt-c400,mt-c400.retry.5s", "retry topics are read by themselves"),
    ("consumer.protocol", "modern", "classic"),
    ("consumer.assignor", "sticky", "without effect while consumer.protocol is \"classic\""),
    ("consumer.read_ahead", "1KiB", "1048576 to"),
    ("consumer.session_timeout", "0s", "\"1s\" to \"3600s\""),
    ("consumer.max_poll_interval", "0s", "\"1s\" to \"86400s\""),
    ("consumer.start", "somewhere", "earliest"),
    ("consumer.lanes", "0", "1 to 64"),
    ("consumer.lanes", "65", "1 to 64"),
    ("consumer.epoch", "-1", "allowed"),
    ("batch.records", "0", "1 to 10000"),
    ("batch.records", "10001", "1 to 10000"),
    ("batch.adaptive", "sometimes", "true or false"),
    ("batch.least", "0", "1 to 500"),
    ("batch.least", "501", "1 to 500"),
    ("batch.age", "0s", "1ms to 60s"),
    ("batch.age", "61s", "1ms to 60s"),
    ("batch.size", "1KB", "1024 to 6291456"),
    ("batch.size", "7MiB", "1024 to 6291456"),
    ("batch.waiting", "65", "0 to 64"),
    ("batch.memory", "65GiB", "to 68719476736"),
    ("function.name", "", "a function's name"),
    ("function.name", "my function", "a function's name"),
    ("function.endpoint_url", "127.0.0.1:9000", "http:// or https:// URL"),
    ("function.endpoint_url", "http://", "http:// or https:// URL"),
    ("function.endpoint_url", "https://lambda host/", "http:// or https:// URL"),
    ("function.region", "EU West", "such as eu-west-1"),
    ("function.timeout", "0s", "1s to 900s"),
    ("function.timeout", "901s", "1s to 900s"),
    ("function.max_in_flight", "0", "1 to 10000"),
    ("function.max_in_flight", "10001", "1 to 10000"),
    ("function.invocations_per_second", "0.01", "0 (no limit) or 0.1 to 100000"),
    ("function.invocations_per_second", "-1", "0 (no limit) or 0.1 to 100000"),
    ("breaker.failures", "0", "1 to 10000"),
    ("breaker.share", "0", "0.01 to 1"),
    ("breaker.share", "1.01", "0.01 to 1"),
    ("breaker.window", "0s", "1s to 3600s"),
    ("breaker.open_for", "1ms", "100ms to 3600s"),
    ("breaker.open_cap", "2h", "to 3600s"),
    ("breaker.probe_records", "0", "1 to 10000"),
    ("concurrency.adaptive", "sometimes", "true or false"),
    ("concurrency.latency_budget", "2h", "0 (no budget) or 1ms to 900s"),
    ("retry.base", "0s", "1ms to 60s"),
    ("retry.cap", "2h", "to 3600s"),
    ("retry.suspect_after", "0", "1 to 100"),
    ("retry.attempts", "1001", "1 to 1000"),
    ("retry.deferred", "mt-c500", "mt-c500 is not in consumer.topics"),
    ("retry.deferred", "mt-c400,mt-c400", "once"),
    ("retry.delays", "5s", "without effect while retry.deferred is empty"),
    ("flood.in_a_row", "-1", "allowed"),
    ("flood.in_window", "-1", "allowed"),
    ("flood.share", "1.5", "0 (off) to 1"),
    ("flood.enough", "0", "1 to 1000000000"),
    ("flood.window", "0s", "1s to 3600s"),
    ("dead_letter.timeout", "0s", "1s to 3600s"),
    ("commit.interval", "1ms", "10ms to 60s"),
    ("commit.interval", "61s", "10ms to 60s"),
    ("commit.interval", "200", "allowed"),
    ("drain.revoke", "-1s", "allowed"),
    ("drain.shutdown", "2h", "0ns to 3600s"),
    ("drain.close", "0s", "1s to 600s"),
    ("admin.listen", "localhost", "an address and port"),
    ("admin.listen", "0.0.0.0:9465", "admin.token_file"),
    ("admin.token_file", "nowhere/token", "admin.token_file"),
    ("admin.address_file", "nowhere/admin", "a file in a folder that exists"),
    ("logs.filter", "loud", "warn"),
    ("logs.format", "xml", "json"),
    ("metrics.otlp_endpoint", "collector", "http://"),
    ("metrics.otlp_interval", "1ms", "100ms or more"),
    ("traces.otlp_endpoint", "collector", "http://"),
    ("traces.sample_ratio", "1.1", "0 to 1"),
];

/// What cannot be said of a topic: the list of them, the setting that is named, and words of the sentence.
const OF_A_TOPIC: &[(&str, &str, &str)] = &[
    (r#"[{name = "mt-c500"}]"#, "topic[0].name", "one of consumer.topics: mt-c400"),
    (r#"[{name = "mt-c400.retry.5s"}]"#, "topic[0].name", "one of consumer.topics: mt-c400"),
    (r#"[{name = "mt-c400", weight = 0}]"#, "topic[0].weight", "1 to 20"),
    (r#"[{name = "mt-c400", weight = 21}]"#, "topic[0].weight", "1 to 20"),
    (r#"[{name = "mt-c400", weight = 4}]"#, "topic[0].weight", "without effect while consumer.topics has one topic"),
    (r#"[{name = "mt-c400", function = "my function"}]"#, "topic[0].function", "a function's name"),
];

type Beside = (&'static [(&'static str, &'static str)], &'static str, &'static str);

/// Settings that are fine alone and are refused beside another, the setting that is named, and words of the sentence.
const BESIDE: &[Beside] = &[
    (&[("consumer.max_poll_interval", "30s")], "consumer.max_poll_interval", "not be shorter than session_timeout"),
    (
        &[("consumer.protocol", "consumer"), ("consumer.session_timeout", "30s")],
        "consumer.session_timeout",
        "without effect while consumer.protocol is \"consumer\"",
    ),
    (
        &[("consumer.protocol", "consumer"), ("consumer.assignor", "sticky")],
        "consumer.assignor",
        "\"uniform\", \"range\"",
    ),
    (&[("topic", r#"[{name = "mt-c400"}, {name = "mt-c400"}]"#)], "topic[1].name", "may have one"),
    (
        &[("topic", r#"[{name = "mt-c400", function = "own"}]"#)],
        "function.name",
        "without effect while every topic has a function of its own",
    ),
    (&[("drain.revoke", "151s")], "drain.revoke", "0s to 150s"),
    (&[("consumer.max_poll_interval", "60s"), ("drain.revoke", "31s")], "drain.revoke", "0s to 30s"),
    (&[("batch.memory", "1MiB")], "batch.memory", "5767168 to"),
    (&[("retry.base", "2s"), ("retry.cap", "1s")], "retry.cap", "2s to 3600s"),
    (&[("retry.attempts", "10")], "retry.attempts", "11 to 1000: retry.suspect_after, and one for each cut"),
    (&[("retry.suspect_after", "8")], "retry.attempts", "17 to 1000"),
    (&[("batch.records", "10000"), ("retry.suspect_after", "3")], "retry.attempts", "17 to 1000"),
    (&[("kafka.tls.bundle_password", "hush")], "kafka.tls.bundle", "a password of a bundle is set, and no bundle"),
    (&[("kafka.tls.bundle_password_file", "x")], "kafka.tls.bundle", "a password of a bundle is set, and no bundle"),
    (&[("batch.records", "1"), ("retry.suspect_after", "3")], "retry.suspect_after", "one record is not cut"),
    (&[("breaker.open_for", "10s"), ("breaker.open_cap", "5s")], "breaker.open_cap", "10s to 3600s"),
    (&[("batch.records", "50"), ("breaker.probe_records", "51")], "breaker.probe_records", "1 to 50"),
    (&[("breaker.share", "1"), ("breaker.window", "20s")], "breaker.window", "without effect while breaker.share is 1"),
    (
        &[("concurrency.adaptive", "false"), ("batch.adaptive", "false"), ("concurrency.latency_budget", "1s")],
        "concurrency.latency_budget",
        "without effect while concurrency.adaptive and batch.adaptive are false",
    ),
    (
        &[("batch.adaptive", "false"), ("batch.least", "20")],
        "batch.least",
        "without effect while batch.adaptive is false",
    ),
    (&[("retry.deferred", "mt-c400"), ("retry.delays", "5s,5s")], "retry.delays", "ascend"),
    (&[("retry.deferred", "mt-c400"), ("retry.delays", "1ms")], "retry.delays", "1 to 8 delays of 100ms to 1d"),
    (&[("retry.deferred", "mt-c400"), ("consumer.start", "latest")], "consumer.start", "allowed is earliest"),
    (&[("function.timeout", "5s"), ("concurrency.latency_budget", "6s")], "concurrency.latency_budget", "0 to 5s"),
    (&[("flood.share", "0"), ("flood.enough", "10")], "flood.enough", "without effect while flood.share is 0"),
    (&[("flood.share", "0"), ("flood.in_window", "0"), ("flood.window", "10s")], "flood.window", "without effect"),
    (&[("kafka.tls.verify_hostname", "false")], "kafka.tls.verify_hostname", "the connection is plaintext"),
    (&[("kafka.tls.check_every", "2m")], "kafka.tls.check_every", "the connection is plaintext"),
    (&[("kafka.tls.settle_checks", "5")], "kafka.tls.settle_checks", "the connection is plaintext"),
    (&[("kafka.tls.warn_before", "20d")], "kafka.tls.warn_before", "the connection is plaintext"),
    (&[("kafka.tls.alarm_before", "2d")], "kafka.tls.alarm_before", "the connection is plaintext"),
    (&[("traces.sample_ratio", "0.5")], "traces.sample_ratio", "without effect while traces.otlp_endpoint is empty"),
    (
        &[("metrics.otlp_interval", "5s")],
        "metrics.otlp_interval",
        "without effect while metrics.otlp_endpoint is empty",
    ),
];

/// What `comboio-consumer check` says to these settings, and its exit code.
fn check(settings: &[(&str, &str)], more: &[&str]) -> (Option<i32>, String) {
    let folder = TempDir::new().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_comboio-consumer"));
    program.arg("check").args(more).env_clear().current_dir(folder.path());
    for (key, value) in LEAST.iter().chain(settings) {
        program.env(format!("COMBOIO_{}", key.to_uppercase().replace('.', "__")), value);
    }
    let log = folder.path().join("log");
    let mut process = Guarded::spawn("check", program, &log).unwrap();
    let status = process.wait_exit(Duration::from_secs(30)).unwrap().expect("ends in time");
    (status.code(), std::fs::read_to_string(&log).unwrap())
}

/// What is wrong with the refusal of these settings, if anything: it must be exit code 64, and one sentence that names the key, its value and
/// where that came from, and what is allowed.
fn complaint(settings: &[(&str, &str)], key: &str, words: &str) -> Option<String> {
    let (code, said) = check(settings, &[]);
    println!("{said}");
    // A part of a list comes from the variable of the whole list.
    let of = |written: &str| key == written || key.starts_with(&format!("{written}["));
    let written = settings.iter().chain(LEAST).find(|(written, _)| of(written));
    let variable = written.map(|(written, _)| format!("COMBOIO_{}", written.to_uppercase().replace('.', "__")));
    let origin = variable.as_deref().unwrap_or("default");
    let value = written.filter(|(written, _)| *written == key).map_or("", |(_, value)| value);
    let told = said.contains(key) && said.contains(origin) && said.contains(words);
    // A list is shown with its brackets.
    let shown = value.split(',').all(|part| said.contains(part));
    let secret = said.contains("hush");
    let good = code == Some(64) && said.lines().count() == 1 && told && shown && !secret;
    (!good).then(|| format!("{settings:?}: exit {code:?}: {said}"))
}

fn assert_all_refused<'a>(cases: impl Iterator<Item = (Vec<(&'a str, &'a str)>, &'a str, &'a str)>) {
    let wrong: Vec<String> = cases.filter_map(|(settings, key, words)| complaint(&settings, key, words)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_setting_cannot_be_is_refused() {
    assert_all_refused(OUT_OF_RANGE.iter().map(|(key, value, words)| (vec![(*key, *value)], *key, *words)));
}

#[test]
fn what_cannot_be_said_of_a_topic_is_refused() {
    assert_all_refused(OF_A_TOPIC.iter().map(|(list, key, words)| (vec![("topic", *list)], *key, *words)));
}

/// Only what somebody would miss is refused.
#[test]
fn a_default_that_is_written_down_is_taken_where_it_does_nothing() {
    let (by_brokers, session) = (("consumer.protocol", "consumer"), ("consumer.session_timeout", "45s"));
    for settings in [&[by_brokers, session][..], &[("topic", r#"[{name = "mt-c400", weight = 1}]"#)]] {
        let (code, said) = check(settings, &[]);
        assert_eq!(code, Some(0), "{said}");
    }
}

#[test]
fn what_would_do_nothing_beside_others_is_refused() {
    assert_all_refused(BESIDE.iter().map(|(settings, key, words)| (settings.to_vec(), *key, *words)));
}

/// A new setting must be in one of the tables.
#[test]
fn every_setting_there_is_is_in_the_tables() {
    let (code, said) = check(&[("topic", r#"[{name = "mt-c400"}]"#)], &["--json"]);
    assert_eq!(code, Some(0), "{said}");
    let effective: Vec<Value> = serde_json::from_str(&said).unwrap();
    let there: BTreeSet<&str> = effective.iter().map(|setting| setting["key"].as_str().unwrap()).collect();
    let known = OUT_OF_RANGE.iter().map(|(key, _, _)| *key).chain(OF_A_TOPIC.iter().map(|(_, key, _)| *key));
    let known: BTreeSet<&str> = known.chain(ANY).collect();
    assert_eq!(there, known, "settings there are, and settings with a value that is refused");
}
