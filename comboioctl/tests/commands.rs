//! What a person gets from `comboioctl` without any Kafka: help, usage errors, certificates, files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use localenv::authority::{Authority, Identity};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }
}

fn comboioctl(args: &[&str]) -> Ran {
    comboioctl_with(&[], args)
}

fn comboioctl_with(variables: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comboioctl"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("COMBOIO_")) {
        command.env_remove(name);
    }
    let output = command.args(args).envs(variables.iter().copied()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn certs(identity: &Identity, more: &[&str]) -> Ran {
    let files =
        ["--ca", text(&identity.ca), "--certificate", text(&identity.certificate), "--key", text(&identity.key)];
    comboioctl(&[&["certs"], &files[..], more].concat())
}

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let ran = comboioctl(&["--help"]);
    assert_eq!(ran.code, 0);
    for word in ["certs", "topics", "lag", "--json", "--config", "Exit codes: 0 fine"] {
        assert!(ran.out.contains(word), "{word} is not in:\n{}", ran.out);
    }
}

#[test]
fn wrong_usage_exits_64_and_says_what_is_missing() {
    for (args, words) in [
        (&["nonsense"][..], "nonsense"),
        (&["lag"][..], "--group"),
        (&["lag", "--group", "g"][..], "give --config FILE with kafka.bootstrap_servers"),
        (&["lag", "--group", "g", "--bootstrap-servers", "nowhere"][..], "host:port"),
        (&["lag", "--group", "g", "--timeout", "soon"][..], "a duration such as"),
        (&["topics", "plan", "--file", "/no/such/topics.toml"][..], "/no/such/topics.toml cannot be read"),
        (&["topics", "list", "--config", "/no/such.toml"][..], "/no/such.toml"),
        (&["certs"][..], "kafka.tls.ca is not set"),
        (&["certs", "--bundle", "/no/b.p12"][..], "/no/b.p12 cannot be read"),
        (&["certs", "--bundle", "s3://bucket"][..], "allowed is s3://bucket/key"),
        (&["certs", "--bundle", "/no/b.p12", "--ca", "/no/ca"][..], "allowed is one way"),
        (&["certs", "--ca", "/no/ca", "--certificate", "/no/c", "--key", "/no/k"][..], "/no/ca cannot be read"),
    ] {
        let ran = comboioctl(args);
        assert_eq!(ran.code, 64, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
        assert!(ran.out.is_empty(), "{args:?}: {}", ran.out);
    }
}

#[test]
fn an_unreachable_broker_exits_1_with_one_line() {
    let ran = comboioctl(&["topics", "list", "--bootstrap-servers", "127.0.0.1:1", "--timeout", "1s"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("no Kafka broker of 127.0.0.1:1") && ran.err.lines().count() == 1, "{}", ran.err);
}

#[test]
fn sound_certificates_are_shown_and_exit_0() {
    let dir = tempfile::tempdir().unwrap();
    let identity = Authority::create(dir.path()).unwrap().issue("producer").unwrap();
    let ran = certs(&identity, &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for words in ["CN=producer", "comboio throw-away authority", "belongs to the certificate", "days left"] {
        assert!(ran.out.contains(words), "{words} is not in:\n{}", ran.out);
    }
    assert!(!ran.out.contains("PRIVATE KEY"));
    let json = certs(&identity, &["--json"]).json();
    assert_eq!((&json["key_matches"], &json["trusted"]), (&true.into(), &true.into()));
    assert_eq!(json["certificate"][0]["subject"], "CN=producer");
    assert!(json["certificate"][0]["days_left"].as_i64().unwrap() > 30);
}

/// A PKCS#12 file as the `openssl` command writes it.
fn sealed(identity: &Identity, more: &[&str]) -> std::path::PathBuf {
    let file = identity.key.with_extension("p12");
    let mut openssl = Command::new("openssl");
    openssl.args(["pkcs12", "-export", "-passout", "pass:hunter2"]).args(more).arg("-inkey").arg(&identity.key);
    openssl.arg("-in").arg(&identity.certificate).arg("-certfile").arg(&identity.ca).arg("-out").arg(&file);
    assert!(openssl.output().expect("openssl is needed").status.success());
    file
}

#[test]
fn a_pkcs12_file_is_shown_like_its_parts_and_its_password_comes_from_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let file = sealed(&Authority::create(dir.path()).unwrap().issue("producer").unwrap(), &[]);
    let args = ["certs", "--bundle", text(&file), "--json"];
    let ran = comboioctl_with(&[("COMBOIO_KAFKA__TLS__BUNDLE_PASSWORD", "hunter2")], &args);
    assert_eq!((ran.code, &ran.json()["trusted"]), (0, &true.into()), "{}{}", ran.out, ran.err);
    assert_eq!(ran.json()["certificate"][0]["file"], text(&file));
    assert_eq!(comboioctl(&args).code, 64);
}

#[test]
fn a_pkcs12_file_of_old_without_the_legacy_provider_says_how_to_write_it_anew() {
    let dir = tempfile::tempdir().unwrap();
    let file = sealed(&Authority::create(dir.path()).unwrap().issue("producer").unwrap(), &["-legacy"]);
    let password = ("COMBOIO_KAFKA__TLS__BUNDLE_PASSWORD", "hunter2");
    let args = ["certs", "--bundle", text(&file)];
    assert_eq!(comboioctl_with(&[password], &args).code, 0);
    let ran = comboioctl_with(&[password, ("OPENSSL_MODULES", "/nowhere")], &args);
    assert_eq!(ran.code, 64, "{}", ran.err);
    assert!(ran.err.contains("no longer offers") && ran.err.contains("-keypbe AES-256-CBC"), "{}", ran.err);
}

#[test]
fn a_bundle_on_s3_is_fetched() {
    let dir = tempfile::tempdir().unwrap();
    let store = localenv::bundle_store::BundleStore::start(&dir.path().join("store")).unwrap();
    let file = sealed(&Authority::create(dir.path()).unwrap().issue("producer").unwrap(), &[]);
    let variables = [
        ("COMBOIO_KAFKA__TLS__BUNDLE_PASSWORD", "hunter2"),
        ("COMBOIO_KAFKA__TLS__S3__ENDPOINT_URL", store.endpoint()),
    ];
    let args = ["certs", "--bundle", "s3://fleet-certs/producer.p12"];
    let missing = comboioctl_with(&variables, &args);
    assert_eq!(missing.code, 1, "{}", missing.err);
    assert!(missing.err.contains("does not exist"), "{}", missing.err);
    store.put("fleet-certs/producer.p12", &std::fs::read(file).unwrap()).unwrap();
    let ran = comboioctl_with(&variables, &args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("s3://fleet-certs/producer.p12"), "{}", ran.out);
}

#[test]
fn an_expired_certificate_is_a_finding() {
    let dir = tempfile::tempdir().unwrap();
    let identity = Authority::create(dir.path()).unwrap().issue_expired("producer").unwrap();
    let ran = certs(&identity, &[]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("expired on") && ran.out.contains(text(&identity.certificate)), "{}", ran.out);
}

#[test]
fn a_certificate_that_ends_soon_is_a_finding_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let week = Duration::from_secs(7 * 86_400);
    let identity = Authority::create(dir.path()).unwrap().issue_for("producer", week).unwrap();
    assert_eq!(certs(&identity, &[]).code, 0);
    let ran = certs(&identity, &["--warn-days", "30"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.out.contains("days from now"), "{}", ran.out);
}

#[test]
fn files_that_do_not_belong_together_are_findings() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let ours = Authority::create(dir.path()).unwrap();
    let (mut mixed, consumer) = (ours.issue("producer").unwrap(), ours.issue("consumer").unwrap());
    mixed.key = consumer.key;
    let ran = certs(&mixed, &["--json"]);
    assert_eq!((ran.code, &ran.json()["key_matches"]), (2, &false.into()), "{}", ran.out);
    let mut strange = ours.issue("producer").unwrap();
    strange.ca = Authority::create(other.path()).unwrap().ca();
    let ran = certs(&strange, &["--json"]);
    assert_eq!((ran.code, &ran.json()["trusted"]), (2, &false.into()), "{}", ran.out);
}

#[test]
fn a_service_s_file_serves_and_its_other_sections_are_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let identity = Authority::create(dir.path()).unwrap().issue("producer").unwrap();
    let file = dir.path().join("producer.toml");
    let toml = format!(
        "[source]\nprofile = \"hot.toml\"\n[send]\nanything = [1, 2]\n[kafka]\nbootstrap_servers = [\"b:9094\"]\n\
         [kafka.tls]\nca = {:?}\ncertificate = {:?}\nkey = {:?}\n",
        text(&identity.ca),
        text(&identity.certificate),
        text(&identity.key)
    );
    std::fs::write(&file, &toml).unwrap();
    let ran = comboioctl(&["certs", "--config", text(&file)]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    std::fs::write(&file, toml.replace("bootstrap_servers", "bootstrap_server")).unwrap();
    let ran = comboioctl(&["certs", "--config", text(&file)]);
    assert_eq!(ran.code, 64, "inside [kafka] a wrong key is an error all the same");
    assert!(ran.err.contains("did you mean kafka.bootstrap_servers"), "{}", ran.err);
}
