//! A new PKCS#12 bundle at full load, as an object on S3 and as a file.

use crate::rotation::LATEST;
use crate::stage::{Stage, counted};
use localenv::authority::Identity;
use localenv::bundle_store::BundleStore;
use std::process::Command;

const RATE: u64 = 13_000;
const OBJECT: &str = "fleet-certs/producer.p12";

/// The bytes of a PKCS#12 file, as the `openssl` command writes them.
fn sealed(stage: &Stage, identity: &Identity) -> Vec<u8> {
    let out = stage.path("sealing.p12");
    let mut command = Command::new("openssl");
    command.args(["pkcs12", "-export", "-passout", "pass:hunter2", "-inkey"]).arg(&identity.key).arg("-in");
    command.arg(&identity.certificate).arg("-certfile").arg(&identity.ca).arg("-out").arg(&out);
    assert!(command.output().expect("openssl is needed").status.success());
    std::fs::read(out).unwrap()
}

/// Starts from the bundle at `place`, and takes a new one over while it sends; `put` replaces the bundle.
fn is_taken_over_at_full_load(stage: &mut Stage, place: &str, more: &str, put: impl Fn(&Stage, &[u8])) {
    put(stage, &sealed(stage, &stage.identity));
    let tls = format!("[kafka.tls]\nbundle = {place:?}\nbundle_password = \"hunter2\"\ncheck_every = \"1s\"\n{more}");
    let mut producer = stage.start(&(stage.generator(RATE as u32, 300) + &tls));
    let acknowledged = |stage: &Stage| stage.status().and_then(|status| status["acknowledged"].as_u64());
    stage.until(&mut producer, "a second's load", || acknowledged(stage).filter(|count| *count > RATE));
    let story = stage.story();
    let next = stage.broker().authority().issue(story).unwrap();
    put(stage, &sealed(stage, &next));
    stage.shows(&mut producer, "another client", |status| status["client_changes"] == 1);
    let before = acknowledged(stage).unwrap();
    stage.until(&mut producer, "another second's load", || acknowledged(stage).filter(|count| *count > before + RATE));
    let report = stage.stop(&mut producer);
    eprintln!("{report}");
    assert_eq!((report.client_changes, report.failed, report.acknowledged), (1, 0, report.offered), "{report}");
    assert!(report.lateness_max_ms < LATEST, "{report}");
    let proof = stage.proof();
    let kind = place.split_once("://").map_or("a file", |_| "S3");
    stage.showed(&format!("a new PKCS#12 bundle from {kind} taken over at 13,000 events/s: {}", counted(&proof)));
}

#[test]
fn a_new_bundle_on_s3_is_taken_over_at_full_load() {
    let mut stage = Stage::new("sealed-s3");
    let store = BundleStore::start(&stage.path("store")).unwrap();
    let s3 = format!("[kafka.tls.s3]\nendpoint_url = {:?}\n", store.endpoint());
    is_taken_over_at_full_load(&mut stage, &format!("s3://{OBJECT}"), &s3, |_, bytes| {
        store.put(OBJECT, bytes).unwrap();
    });
}

#[test]
fn a_new_bundle_in_a_file_is_taken_over_at_full_load() {
    let mut stage = Stage::new("sealed-file");
    let place = stage.path("client.p12");
    is_taken_over_at_full_load(&mut stage, place.to_str().unwrap(), "", |stage, bytes| {
        std::fs::write(stage.path("fresh.p12"), bytes).unwrap();
        stage.put("client.p12", &stage.path("fresh.p12"));
    });
}
