//! The real binary and certificates on S3: what `check` says, and with which exit code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use localenv::authority::Authority;
use localenv::bundle_store::{BundleStore, StoreFault};
use std::path::Path;
use std::process::Command;

const BUNDLE: &str = "fleet-certs/producer.p12";

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn check(endpoint: &str, tls: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let profile = Path::new(env!("CARGO_MANIFEST_DIR")).join("../loadgen-profiles/smoke.toml");
    let config = format!(
        "[source]\nprofile = {profile:?}\n[[routes]]\ncodigo = \"*\"\ntopic = \"mt-c400\"\n[kafka]\n\
         bootstrap_servers = [\"localhost:1\"]\n[kafka.tls]\n{tls}\n[kafka.tls.s3]\nendpoint_url = {endpoint:?}\n"
    );
    let file = folder.path().join("producer.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_comboio-producer"));
    let output = command.arg("check").arg("--config").arg(&file).current_dir(folder.path()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn check_shows_where_certificates_come_from_and_tells_a_bad_bundle_from_a_silent_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = BundleStore::start(&folder.path().join("store")).unwrap();
    let authority = Authority::create(folder.path()).unwrap();
    let identity = authority.issue("producer").unwrap();
    let sealed = folder.path().join("producer.p12");
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs12", "-export", "-passout", "pass:hunter2", "-inkey"]).arg(&identity.key).arg("-in");
    openssl.arg(&identity.certificate).arg("-certfile").arg(authority.ca()).arg("-out").arg(&sealed);
    assert!(openssl.output().expect("openssl is needed").status.success());
    store.put(BUNDLE, &std::fs::read(&sealed).unwrap()).unwrap();
    let tls = |password: &str| format!("bundle = \"s3://{BUNDLE}\"\nbundle_password = {password:?}");

    let fine = check(store.endpoint(), &tls("hunter2"));
    assert_eq!(fine.code, Some(0), "{}", fine.err);
    for words in
        ["certificate  CN=producer from s3://fleet-certs/producer.p12, until ", "days left", "kafka.tls.bundle "]
    {
        assert!(fine.out.contains(words), "{words} is not in:\n{}", fine.out);
    }
    let wrong = check(store.endpoint(), &tls("hunter3"));
    assert_eq!(wrong.code, Some(64), "{}", wrong.err);
    assert!(wrong.err.contains("its password does not fit"), "{}", wrong.err);
    let both = check(store.endpoint(), &format!("{}\nca = \"ca.pem\"", tls("hunter2")));
    assert_eq!(both.code, Some(64), "{}", both.err);
    assert!(both.err.contains("allowed is one way"), "{}", both.err);
    store.fail(BUNDLE, StoreFault::access_denied());
    let denied = check(store.endpoint(), &tls("hunter2"));
    assert_eq!(denied.code, Some(1), "{}", denied.err);
    assert!(denied.err.contains("s3:GetObject") && denied.err.lines().count() == 1, "{}", denied.err);
    for ran in [fine, wrong, both, denied] {
        assert!(!format!("{}{}", ran.out, ran.err).contains("hunter"), "{}{}", ran.out, ran.err);
    }
}
