//! Ends that a person brings about: a signal, and a configuration that is wrong.

use crate::admin::ask;
use crate::stage::{DEADLINE, Stage};

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
