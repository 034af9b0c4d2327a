//! The program as an operator meets it: sentences, exit codes, and an end in every case.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "process/program.rs"]
mod program;

use localenv::lambda_host::{HostOptions, LambdaHost};
use program::{Consumer, DEADLINE, NOBODY, ask, broker};
use std::path::PathBuf;
use std::time::{Duration, Instant};

#[test]
fn a_bad_configuration_exits_64_and_names_the_setting() {
    let settings = [("KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9"), ("CONSUMER__TOPICS", "t"), ("CONSUMER__LANES", "0")];
    for command in ["check", "run"] {
        let (code, said) = Consumer::start(command, &settings).end();
        assert_eq!(code, Some(64), "{said}");
        assert!(said.contains("consumer.lanes") && said.contains("COMBOIO_CONSUMER__LANES"), "{said}");
    }
}

#[test]
fn check_shows_every_setting_with_its_origin() {
    let settings = [("KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9"), ("CONSUMER__TOPICS", "t")];
    let (code, said) = Consumer::start("check", &settings).end();
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("batch.records") && said.contains("500") && said.contains("COMBOIO_CONSUMER__TOPICS"),
        "{said}"
    );
    let (code, said) =
        Consumer::start("check", &[&settings[..], &[("KAFKA__TLS__KEY_PASSWORD", "hush")]].concat()).end();
    assert_eq!(code, Some(64), "a password of no key: {said}");
    assert!(said.contains("kafka.tls.key_password is `***`") && !said.contains("hush"), "{said}");
}

#[test]
fn a_missing_retry_topic_exits_1_and_is_named() {
    let broker = broker(&["t", "t.dlq", "t.retry.5s"]);
    let bootstrap = broker.bootstrap();
    let settings = [
        ("KAFKA__BOOTSTRAP_SERVERS", bootstrap.as_str()),
        ("CONSUMER__TOPICS", "t"),
        ("RETRY__DEFERRED", "t"),
        ("RETRY__DELAYS", "5s,30s"),
    ];
    let (code, said) = Consumer::start("run", &settings).end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("t.retry.30s") && !said.contains("t.retry.5s,"), "{said}");
}

#[test]
fn a_missing_topic_exits_1_and_is_named() {
    let broker = broker(&["t"]);
    let (code, said) =
        Consumer::start("run", &[("KAFKA__BOOTSTRAP_SERVERS", &broker.bootstrap()), ("CONSUMER__TOPICS", "t")]).end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("t.dlq"), "{said}");
}

#[test]
fn without_a_committed_offset_start_error_exits_1_and_says_what_to_do() {
    let broker = broker(&["t", "t.dlq"]);
    let bootstrap = broker.bootstrap();
    let settings = [
        ("KAFKA__BOOTSTRAP_SERVERS", bootstrap.as_str()),
        ("CONSUMER__TOPICS", "t"),
        ("CONSUMER__START", "error"),
        ("FUNCTION__ENDPOINT_URL", NOBODY),
    ];
    let (code, said) = Consumer::start("run", &settings).end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("no committed offset in t/0") && said.contains("consumer.start"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_function_exits_1_and_is_named() {
    let (broker, host) = (broker(&["t", "t.dlq"]), LambdaHost::start(HostOptions::default()).await.unwrap());
    let settings = [
        ("KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap()),
        ("CONSUMER__TOPICS", "t".into()),
        ("FUNCTION__ENDPOINT_URL", host.endpoint()),
    ];
    let borrowed: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let consumer = Consumer::start("run", &borrowed);
    let (code, said) = tokio::task::spawn_blocking(|| consumer.end()).await.unwrap();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("function dispatcher cannot be invoked") && said.contains("404"), "{said}");
}

/// Closing a Kafka client whose brokers are gone can block for ever.
#[test]
fn sigterm_ends_the_process_within_ten_seconds_although_the_brokers_are_gone() {
    for instance in ["", "static-1"] {
        let broker = broker(&["t", "t.dlq"]);
        let bootstrap = broker.bootstrap();
        let settings = [
            ("KAFKA__BOOTSTRAP_SERVERS", bootstrap.as_str()),
            ("CONSUMER__TOPICS", "t"),
            ("FUNCTION__ENDPOINT_URL", NOBODY),
            ("CONSUMER__INSTANCE_ID", instance),
        ];
        let mut consumer = Consumer::start("run", &settings);
        consumer.wait_for("partitions assigned");
        drop(broker);
        consumer.wait_for("Kafka's client reports an error");
        let begun = Instant::now();
        let status = consumer.process.stop(DEADLINE).unwrap();
        assert_eq!(status.code(), Some(0), "{}", consumer.said());
        assert!(begun.elapsed() < Duration::from_secs(10), "took {:?}: {}", begun.elapsed(), consumer.said());
    }
}

#[test]
fn sigterm_before_kafka_has_answered_ends_the_process_at_once() {
    let settings = [("KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9"), ("CONSUMER__TOPICS", "t")];
    let mut consumer = Consumer::start("run", &settings);
    consumer.wait_for("admin port is open");
    let begun = Instant::now();
    assert_eq!(consumer.process.stop(DEADLINE).unwrap().code(), Some(0), "{}", consumer.said());
    assert!(begun.elapsed() < Duration::from_secs(5), "took {:?}: {}", begun.elapsed(), consumer.said());
}

#[test]
fn the_address_file_is_there_while_it_runs() {
    let broker = broker(&["t", "t.dlq"]);
    let settings = [
        ("KAFKA__BOOTSTRAP_SERVERS", broker.bootstrap()),
        ("CONSUMER__TOPICS", "t".into()),
        ("FUNCTION__ENDPOINT_URL", NOBODY.into()),
    ];
    let borrowed: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut consumer = Consumer::start("run", &borrowed);
    consumer.wait_for("partitions assigned");
    let file: PathBuf = consumer.folder.path().join("address");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("127.0.0.1:"));
    assert_eq!(consumer.process.stop(DEADLINE).unwrap().code(), Some(0), "{}", consumer.said());
    assert!(!file.exists());
}

#[test]
fn an_operator_forces_the_breaker_and_moves_the_limits_and_nonsense_is_refused() {
    let broker = broker(&["t", "t.dlq"]);
    let bootstrap = broker.bootstrap();
    let settings = [
        ("KAFKA__BOOTSTRAP_SERVERS", bootstrap.as_str()),
        ("CONSUMER__TOPICS", "t"),
        ("FUNCTION__ENDPOINT_URL", NOBODY),
    ];
    let mut consumer = Consumer::start("run", &settings);
    consumer.wait_for("partitions assigned");
    let address = std::fs::read_to_string(consumer.folder.path().join("address")).unwrap();
    let ask = |request: &str, body: &str| {
        let answer = ask(address.trim(), request, body);
        (answer[9..12].to_owned(), answer.split("\r\n\r\n").nth(1).unwrap().to_owned())
    };
    let (code, said) = ask("POST /control/breaker", r#"{"force":"open"}"#);
    assert!(
        code == "200" && said.contains(r#""state":"open""#) && said.contains(r#""forced":"open""#),
        "{code} {said}"
    );
    consumer.wait_for("the breaker is open");
    let (_, status) = ask("GET /status", "");
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        (&status["guard"]["breaker"]["state"], &status["guard"]["concurrency_limit"]),
        (&"open".into(), &64.into())
    );
    assert!(status["not_ready"].as_str().unwrap().contains("the breaker of function dispatcher is open"), "{status}");
    let (code, said) = ask("PUT /control/limits", r#"{"max_in_flight":7,"invocations_per_second":2.5}"#);
    assert_eq!((code.as_str(), said.as_str()), ("200", "{\"max_in_flight\":7,\"invocations_per_second\":2.5}\n"));
    assert!(ask("GET /metrics", "").1.contains("comboio_consumer_invoke_concurrency_limit{function=\"dispatcher\"} 7"));
    for (request, body, word) in [
        ("POST /control/breaker", r#"{"force":"ajar"}"#, "closed"),
        ("PUT /control/limits", r#"{"max_in_flight":101}"#, "allowed is 1 to 100"),
        ("PUT /control/limits", "seven", "allowed are max_in_flight"),
    ] {
        let (code, said) = ask(request, body);
        assert!(code == "400" && said.contains(word) && said.contains("error"), "{code} {said}");
    }
    assert_eq!(ask("GET /control/limits", "").1, said, "what was refused changed nothing");
    assert!(ask("POST /control/breaker", r#"{"force":"auto"}"#).1.contains("half-open"));
    assert_eq!(consumer.process.stop(DEADLINE).unwrap().code(), Some(0), "{}", consumer.said());
}
