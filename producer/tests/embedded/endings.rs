//! Ends that a person brings about: a signal, and a configuration that is wrong.

use crate::admin::{ask, status};
use crate::stage::{DEADLINE, Stage};
use localenv::process::Guarded;
use std::time::{Duration, Instant};

/// A drain without Kafka is still going on after this; its deadline is ten minutes.
const PATIENT: Duration = Duration::from_secs(2);
/// What is left to do at the second signal.
const HURRIED: Duration = Duration::from_secs(15);

#[test]
fn a_signal_stops_the_source_and_everything_sent_is_acknowledged() {
    let stage = Stage::new();
    let mut producer = stage.start("", &["--duration", "10m"]);
    let admin = stage.running(&mut producer);
    let answer = ask(&admin, "PUT /control/limits", "{\"events_per_second\":200}");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("200.0"), "{answer}");
    let acknowledged = |answer: String| {
        let status: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1)?).ok()?;
        status["acknowledged"].as_u64().filter(|count| *count > 100)
    };
    stage.until(&mut producer, "acknowledgements", || acknowledged(ask(&admin, "GET /status", "")));
    let status = producer.stop(DEADLINE).unwrap();
    assert_eq!(status.code(), Some(0), "{}", stage.log());
    let report = stage.report();
    assert_eq!((report.acknowledged, report.failed), (report.offered, 0));
    assert_eq!(report.ended, "stopped: SIGTERM");
    let ledger = stage.ledger();
    assert_eq!(ledger.keys().map(|(_, key)| key.acknowledged.count()).sum::<u64>(), report.acknowledged);
}

/// Told to stop while no broker answers, with all the time it may want.
fn draining_without_kafka(stage: &Stage, more: &str) -> Guarded {
    let config = format!("[run]\nshutdown_deadline = \"10m\"\n{more}");
    let mut producer = stage.start(&config, &["--duration", "10m"]);
    let admin = stage.running(&mut producer);
    stage.all_brokers_down();
    let unanswered = || status(&admin)["queue"].as_u64().filter(|queue| *queue > 100);
    stage.until(&mut producer, "events without an answer", unanswered);
    producer.terminate().unwrap();
    stage.until(&mut producer, "the drain", || (status(&admin)["state"] == "draining").then_some(()));
    producer
}

#[test]
fn a_second_signal_hurries_a_drain_that_would_wait_for_kafka() {
    // With a spool nothing is lost by the hurry, without one the report says what is.
    for (more, code) in [(String::new(), 1), ("[spool]\ndir = \"SPOOL\"\nafter = \"1h\"".to_owned(), 0)] {
        let stage = Stage::new();
        let more = more.replace("SPOOL", stage.path("spool").to_str().unwrap());
        let mut producer = draining_without_kafka(&stage, &more);
        assert_eq!(producer.wait_exit(PATIENT).unwrap(), None, "one signal alone waits:\n{}", stage.log());
        let begin = Instant::now();
        producer.terminate().unwrap();
        let ended = producer.wait_exit(DEADLINE).unwrap().expect("it ends");
        assert!(begin.elapsed() < HURRIED, "{:?}", begin.elapsed());
        let report = stage.report();
        assert_eq!(ended.code(), Some(code), "{report}\n{}", stage.log());
        assert!(report.adds_up() && report.failed + report.in_spool > 100, "{report}");
        assert_eq!((report.failed == 0, report.in_spool == 0), (code == 0, code == 1), "{report}");
        assert!(stage.log().contains("told to hurry"), "{}", stage.log());
    }
}

#[test]
fn a_wrong_configuration_exits_64_before_anything_starts() {
    let stage = Stage::new();
    assert_eq!(stage.run("[key]\nstrategy = \"random\"", &[]), Some(64));
    assert!(stage.log().contains("key.strategy"), "{}", stage.log());
    assert_eq!(stage.run("", &["--rate", "x"]), Some(64));
    assert_eq!(stage.run("", &["--profile", "/nowhere.toml"]), Some(64));
    assert_eq!(stage.run("[run]\ninstance = \"3/2\"", &[]), Some(64));
    assert!(stage.log().contains("`3/2` is no instance: allowed is number/count"), "{}", stage.log());
}
