//! Brokers that are not there: from the beginning, during the run, and when a signal comes.

use crate::admin::ask;
use crate::stage::{DEADLINE, Stage};
use std::time::{Duration, Instant};

#[test]
fn events_that_kafka_does_not_acknowledge_in_time_are_told_and_the_run_fails() {
    let stage = Stage::new();
    let mut producer = stage.start("[send]\ndelivery_timeout = \"1s\"", &["--duration", "4s"]);
    stage.running(&mut producer);
    stage.all_brokers_down();
    let status = producer.wait_exit(DEADLINE).unwrap().expect("it ends");
    assert_eq!(status.code(), Some(1), "{}", stage.log());
    let report = stage.report();
    assert!(report.failed > 0 && report.adds_up(), "{report}");
    assert!(report.failures.contains_key("message-timed-out"), "{:?}", report.failures);
    assert!(stage.log().contains("were not acknowledged by Kafka"), "{}", stage.log());
}

#[test]
fn a_signal_during_an_outage_ends_within_its_deadline_and_tells_what_is_open() {
    let stage = Stage::new();
    let mut producer = stage.start("[run]\nshutdown_deadline = \"1s\"", &["--duration", "10m"]);
    stage.running(&mut producer);
    stage.all_brokers_down();
    let waits = || stage.log().contains("brokers are down").then_some(());
    stage.until(&mut producer, "the outage", waits);
    let begin = Instant::now();
    assert_eq!(producer.stop(DEADLINE).unwrap().code(), Some(1), "{}", stage.log());
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    let report = stage.report();
    assert!(report.failed > 0 && report.adds_up() && report.ended == "stopped: SIGTERM", "{report}");
    assert!(report.failures.keys().any(|reason| reason.starts_with("purge")), "{:?}", report.failures);
}

#[test]
fn a_broker_that_is_not_there_is_one_sentence_and_exit_1() {
    let stage = Stage::new();
    let config = "[run]\nstart_deadline = \"1s\"";
    stage.all_brokers_down();
    let begin = Instant::now();
    assert_eq!(stage.run(config, &[]), Some(1));
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert!(stage.log().contains("no Kafka broker of 127.0.0.1"), "{}", stage.log());
}

#[test]
fn a_signal_before_kafka_has_answered_ends_at_once_with_a_report_and_loses_nothing() {
    let stage = Stage::new();
    let spool = format!("[spool]\ndir = {:?}\nafter = \"1s\"", stage.path("spool"));
    let short = "[run]\nstart_deadline = \"1s\"\nshutdown_deadline = \"1s\"\n";
    stage.all_brokers_down();
    let mut first = stage.start(&format!("{short}{spool}"), &["--duration", "10m"]);
    let address = stage.running(&mut first);
    let spooled = || (!ask(&address, "GET /status", "").contains("\"taken\":0")).then_some(());
    stage.until(&mut first, "an event in the spool", spooled);
    assert_eq!(first.stop(DEADLINE).unwrap().code(), Some(0), "{}", stage.log());
    let kept = stage.report().in_spool;
    assert!(kept > 0);

    for (more, kept) in [(spool.as_str(), kept), ("", 0)] {
        std::fs::remove_file(stage.path("report.json")).unwrap();
        std::fs::remove_file(stage.path("ledger.ndjson")).unwrap();
        let log = ["--histogram", stage.path("latency.hlog").to_str().unwrap(), "--duration", "10m"].map(str::to_owned);
        let log: Vec<&str> = log.iter().map(String::as_str).collect();
        let mut producer = stage.start(&format!("[run]\nstart_deadline = \"600s\"\n{more}"), &log);
        stage.until(&mut producer, "the admin port", || stage.path("admin").exists().then_some(()));
        let begin = Instant::now();
        assert_eq!(producer.stop(DEADLINE).unwrap().code(), Some(0), "{}", stage.log());
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        let report = stage.report();
        assert_eq!((report.recovered, report.in_spool, report.offered, report.failed), (kept, kept, 0, 0), "{report}");
        assert!(report.adds_up() && report.ended == "stopped: SIGTERM", "{report}");
        assert!(stage.ledger().is_empty() && stage.path("latency.hlog").exists(), "{}", stage.log());
        assert!(!stage.path("admin").exists());
    }
}

#[test]
fn a_run_that_starts_without_kafka_tells_its_topics_and_how_long_its_events_waited() {
    let stage = Stage::new();
    let more = format!(
        "[run]\nstart_deadline = \"1s\"\nshutdown_deadline = \"1s\"\n[spool]\ndir = {:?}\nafter = \"1s\"",
        stage.path("spool")
    );
    stage.all_brokers_down();
    let mut first = stage.start(&more, &["--duration", "10m"]);
    let address = stage.running(&mut first);
    let spooled = || (!ask(&address, "GET /status", "").contains("\"taken\":0")).then_some(());
    stage.until(&mut first, "an event in the spool", spooled);
    assert_eq!(first.stop(DEADLINE).unwrap().code(), Some(0), "{}", stage.log());
    let first = stage.report();
    assert!(first.in_spool > 0, "{first}");

    let mut second = stage.start(&more, &["--duration", "2s"]);
    stage.running(&mut second);
    stage.all_brokers_up();
    let status = second.wait_exit(DEADLINE).unwrap().expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", stage.log());
    let report = stage.report();
    assert!(report.recovered == first.in_spool && report.adds_up(), "{report}");
    let told: u64 = report.topics.iter().map(|topic| topic.acknowledged).sum();
    assert_eq!((report.topics.len(), told), (3, report.acknowledged), "{report}");
    let between = (report.started_ms - first.started_ms) as f64;
    assert!(report.ack_latency_ms.max >= between - 500.0, "{report}: the first event was due {between} ms before");
}
