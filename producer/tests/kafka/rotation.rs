//! New certificates at full load, good ones and bad ones in turns.

use crate::stage::{Stage, from_environment};
use localenv::authority::Authority;
use localenv::process::Guarded;

#[test]
fn three_rotations_and_three_refusals_at_full_load_harm_no_event() {
    let mut stage = Stage::new("rotation");
    let (other, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let foreign = Authority::create(elsewhere.path()).unwrap();
    let mut producer = stage.start(&stage.generator(13_000, 300));
    // The bundles come in the first, the second and the third part of the load.
    let part = 13_000 * from_environment("ROTATION_SECONDS", 9) / 3;
    let loaded = |stage: &Stage, producer: &mut Guarded, parts: u64| {
        stage.shows(producer, "acknowledged events", |status| status["acknowledged"].as_u64() > Some(part * parts));
    };
    stage.shows(&mut producer, "acknowledged events", |status| status["acknowledged"].as_u64() > Some(13_000));

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
    taken_over(&mut stage, &mut producer, 2);

    loaded(&stage, &mut producer, 2);
    let expired = stage.broker().authority().issue_expired("rotation").unwrap();
    stage.put_identity(&expired);
    refused(&stage, &mut producer, "expired on");
    stage.put_identity(&foreign.issue("rotation").unwrap());
    refused(&stage, &mut producer, "issued by");
    let before = stage.status().unwrap();
    assert_eq!((&before["client_changes"], &before["failed"]), (&2.into(), &0.into()), "the old one goes on: {before}");
    taken_over(&mut stage, &mut producer, 3);

    loaded(&stage, &mut producer, 3);
    let after = stage.status().unwrap()["acknowledged"].as_u64().unwrap() + 13_000;
    stage.shows(&mut producer, "the load to go on", |status| status["acknowledged"].as_u64() > Some(after));
    let report = stage.stop(&mut producer);
    eprintln!("{report}");
    assert_eq!((report.client_changes, report.failed, report.acknowledged), (3, 0, report.offered), "{report}");
    let proof = stage.proof();
    assert!(proof.duplicates_delivered <= report.maybe_twice, "{proof:?}\n{report}");
}
