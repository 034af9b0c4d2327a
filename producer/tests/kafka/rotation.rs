//! New certificates at full load, good ones and bad ones in turns.

use crate::stage::{Stage, counted, from_environment};
use localenv::authority::Authority;
use localenv::process::Guarded;
use serde_json::Value;

const RATE: u64 = 13_000;
/// Milliseconds. The old client is drained before the next one goes on: its linger and what the brokers need.
pub const LATEST: f64 = 1_500.0;
/// Of the rate, over the run.
const CLOSE: f64 = 0.01;

fn acknowledged(status: &Value) -> Option<u64> {
    status["acknowledged"].as_u64()
}

/// The old bundle goes on after a bad one: a second's load more is acknowledged, none failed, by the same client.
fn goes_on(stage: &Stage, producer: &mut Guarded, changes: u64) {
    let before = acknowledged(&stage.status().unwrap()).unwrap();
    let status = stage.shows(producer, "the old bundle to go on", |now| acknowledged(now) > Some(before + RATE));
    assert_eq!((&status["client_changes"], &status["failed"]), (&changes.into(), &0.into()), "{status}");
}

#[test]
fn three_rotations_and_three_refusals_at_full_load_harm_no_event() {
    let mut stage = Stage::new("rotation");
    let (other, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let foreign = Authority::create(elsewhere.path()).unwrap();
    let mut producer = stage.start(&stage.generator(RATE as u32, 300));
    // The bundles come in the first, the second and the third part of the load.
    let part = RATE * from_environment("ROTATION_SECONDS", 9) / 3;
    let loaded = |stage: &Stage, producer: &mut Guarded, parts: u64| {
        stage.shows(producer, "acknowledged events", |status| acknowledged(status) > Some(part * parts));
    };
    stage.shows(&mut producer, "acknowledged events", |status| acknowledged(status) > Some(RATE));

    let refused = |stage: &Stage, producer: &mut Guarded, words: &str| {
        stage.until(producer, words, || {
            stage.log().lines().any(|line| line.contains("are refused") && line.contains(words)).then_some(())
        });
    };
    let taken_over = |stage: &mut Stage, producer: &mut Guarded, times: u64| {
        let identity = stage.broker().authority().issue("rotation").unwrap();
        stage.put_identity(&identity);
        stage.shows(producer, "another client", |status| status["client_changes"].as_u64() >= Some(times));
    };
    taken_over(&mut stage, &mut producer, 1);

    loaded(&stage, &mut producer, 1);
    let stray = Authority::create(other.path()).unwrap().issue("rotation").unwrap();
    stage.put("client.key", &stray.key);
    refused(&stage, &mut producer, "does not belong to the certificate");
    goes_on(&stage, &mut producer, 1);
    taken_over(&mut stage, &mut producer, 2);

    loaded(&stage, &mut producer, 2);
    let expired = stage.broker().authority().issue_expired("rotation").unwrap();
    stage.put_identity(&expired);
    refused(&stage, &mut producer, "expired on");
    goes_on(&stage, &mut producer, 2);
    stage.put_identity(&foreign.issue("rotation").unwrap());
    refused(&stage, &mut producer, "issued by");
    goes_on(&stage, &mut producer, 2);
    taken_over(&mut stage, &mut producer, 3);

    loaded(&stage, &mut producer, 3);
    goes_on(&stage, &mut producer, 3);
    let report = stage.stop(&mut producer);
    eprintln!("{report}");
    assert_eq!((report.client_changes, report.failed, report.acknowledged), (3, 0, report.offered), "{report}");
    assert!((report.rate.mean / RATE as f64 - 1.0).abs() < CLOSE, "{report}");
    assert!(report.lateness_max_ms < LATEST, "{report}");
    let proof = stage.proof();
    assert!(proof.duplicates_delivered <= report.maybe_twice, "{proof:?}\n{report}");
    stage.showed(&format!(
        "{} new bundles and three bad ones in {:.0} s at {:.0} events/s, none sent more than {:.0} ms late: {}, {} failed",
        report.client_changes,
        report.duration_seconds,
        report.rate.mean,
        report.lateness_max_ms,
        counted(&proof),
        report.failed,
    ));
}
