//! Tests of bundles: what is refused, in which words, and that the key is never shown.
use super::made::{Files, Made, NOW_MS, Wish, files_only, load as load_source, make, pkcs12, pkcs12_at};
use super::*;
use std::process::Command;

const DAY_MS: i64 = 86_400_000;

fn load(files: &Files, password: Option<&str>) -> Result<Bundle, CertificateError> {
    load_on_day(files, password, 0)
}

fn load_on_day(files: &Files, password: Option<&str>, day: i64) -> Result<Bundle, CertificateError> {
    load_source(&files.source(password.unwrap_or_default()), NOW_MS + day * DAY_MS)
}

fn refused(outcome: Result<Bundle, CertificateError>) -> (&'static str, String) {
    let fault = outcome.expect_err("a fault");
    (fault.setting(), fault.to_string())
}

fn authority() -> Made {
    make(Wish::authority("ca"), None)
}

#[test]
fn a_sound_bundle_knows_its_subject_and_its_end() {
    let bundle = load(&Files::sound(), None).unwrap();
    assert_eq!(bundle.subject(), Some(r"CN=producer,O=Comboio\, test"));
    assert_eq!(bundle.expires_at(), Some(NOW_MS + 90 * DAY_MS));
    assert!(bundle.identity().unwrap().key_pem().starts_with("-----BEGIN PRIVATE KEY-----"));
}

#[test]
fn an_intermediate_may_come_with_the_certificate() {
    let root = authority();
    let middle = make(Wish::authority("middle"), Some(&root));
    let client = make(Wish::client("producer"), Some(&middle));
    let bundle = load(&Files::write(&[&root], &[&client, &middle], &client), None).unwrap();
    assert_eq!(bundle.identity().unwrap().certificate_pem().matches("BEGIN CERTIFICATE").count(), 2);
    let (_, sentence) = refused(load(&Files::write(&[&root], &[&client], &client), None));
    assert!(sentence.contains("is not vouched for by"), "{sentence}");
}

#[test]
fn the_key_of_another_certificate_is_refused() {
    let ca = authority();
    let (client, other) = (make(Wish::client("producer"), Some(&ca)), make(Wish::client("other"), Some(&ca)));
    let files = Files::write(&[&ca], &[&client], &other);
    let (setting, sentence) = refused(load(&files, None));
    assert_eq!(setting, "kafka.tls.key");
    assert!(sentence.contains("client.key does not belong to the certificate in"), "{sentence}");
}

#[test]
fn an_expired_certificate_names_its_file_and_its_end() {
    let (setting, sentence) = refused(load_on_day(&Files::sound(), None, 90));
    assert_eq!(setting, "kafka.tls.certificate");
    assert!(sentence.contains("CN=producer in ") && sentence.contains("client.pem expired on Apr  1 "), "{sentence}");
    assert!(load_on_day(&Files::sound(), None, 89).is_ok(), "one day before it is still valid");
}

#[test]
fn a_certificate_from_the_future_points_at_the_clock() {
    let (_, sentence) = refused(load_on_day(&Files::sound(), None, -11));
    assert!(sentence.contains("is not valid before") && sentence.contains("clock"), "{sentence}");
}

#[test]
fn an_expired_authority_is_told_from_an_expired_certificate() {
    let ca = make(Wish { until_day: 5, ..Wish::authority("old-ca") }, None);
    let client = make(Wish::client("producer"), Some(&ca));
    let (setting, sentence) = refused(load_on_day(&Files::write(&[&ca], &[&client], &client), None, 6));
    assert_eq!(setting, "kafka.tls.ca");
    assert!(sentence.contains("CN=old-ca") && sentence.contains("ca.pem expired on"), "{sentence}");
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    let (ca, stranger) = (authority(), make(Wish::authority("stranger"), None));
    let client = make(Wish::client("producer"), Some(&stranger));
    let (setting, sentence) = refused(load(&Files::write(&[&ca], &[&client], &client), None));
    assert_eq!(setting, "kafka.tls.certificate");
    assert!(sentence.contains("ca.pem") && sentence.contains("issued by CN=stranger"), "{sentence}");
}

#[test]
fn a_server_s_certificate_is_no_client_s() {
    let ca = authority();
    let client = make(Wish { server_only: true, ..Wish::client("producer") }, Some(&ca));
    let (_, sentence) = refused(load(&Files::write(&[&ca], &[&client], &client), None));
    assert!(sentence.contains("lacks clientAuth"), "{sentence}");
}

#[test]
fn an_encrypted_key_wants_its_password() {
    let ca = authority();
    let client = make(Wish::client("producer"), Some(&ca));
    let files = Files::write(&[&ca], &[&client], &client);
    files.encrypt_key(&client, "hunter2");
    let bundle = load(&files, Some("hunter2")).unwrap();
    assert!(!bundle.identity().unwrap().key_pem().contains("ENCRYPTED"), "clients get it decrypted");
    let (setting, without) = refused(load(&files, None));
    assert_eq!(setting, "kafka.tls.key_password");
    assert!(without.contains("is encrypted: set kafka.tls.key_password"), "{without}");
    let (_, wrong) = refused(load(&files, Some("hunter3")));
    assert!(wrong.contains("does not fit") && !wrong.contains("hunter"), "{wrong}");
}

#[test]
fn every_file_that_cannot_be_used_is_named() {
    let files = Files::sound();
    std::fs::write(files.certificate(), "not a certificate").unwrap();
    assert_eq!(refused(load(&files, None)).0, "kafka.tls.certificate");
    std::fs::write(files.certificate(), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert!(refused(load(&files, None)).1.contains("cannot be parsed"));
    std::fs::remove_file(files.ca()).unwrap();
    let (setting, sentence) = refused(load(&files, None));
    assert_eq!(setting, "kafka.tls.ca");
    assert!(sentence.contains("ca.pem cannot be read: No such file"), "{sentence}");
    let files = Files::sound();
    std::fs::write(files.key(), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n").unwrap();
    let (setting, sentence) = refused(load(&files, None));
    assert_eq!(setting, "kafka.tls.key");
    assert!(sentence.contains("no private key") && !sentence.contains("c2VjcmV0"), "{sentence}");
    std::fs::write(files.key(), [0_u8, 0xff, 0xfe]).unwrap();
    assert!(refused(load(&files, None)).1.contains("convert it to PEM"));
}

#[test]
fn a_file_with_certificate_and_key_together_gives_only_its_certificates() {
    let files = Files::sound();
    let both = [std::fs::read(files.key()).unwrap(), std::fs::read(files.certificate()).unwrap()].concat();
    std::fs::write(files.certificate(), both).unwrap();
    let bundle = load(&files, None).unwrap();
    assert!(!bundle.identity().unwrap().certificate_pem().contains("PRIVATE KEY"));
}

#[test]
fn nothing_shows_the_key() {
    let bundle = load(&Files::sound(), None).unwrap();
    let shown = format!("{bundle:?} {:?} {bundle:#?}", bundle.identity());
    assert!(shown.contains("***") && !shown.contains("PRIVATE KEY"), "{shown}");
    let body = bundle.identity().unwrap().key_pem().lines().nth(1).unwrap().to_owned();
    assert!(!shown.contains(&body));
}

#[test]
fn an_inspection_tells_all_faults_at_once() {
    let (ca, stranger) = (authority(), make(Wish::authority("stranger"), None));
    let client = make(Wish::client("producer"), Some(&stranger));
    let files = Files::write(&[&ca], &[&client], &ca);
    let material = Reader::new(files.source("")).read().unwrap();
    let seen = material.inspect(NOW_MS + 100 * DAY_MS).unwrap();
    assert!(!seen.key_matches && !seen.trusted);
    assert_eq!(seen.faults.len(), 3, "{:?}", seen.faults);
    assert_eq!(seen.certificate[0].days_left, -10);
    assert_eq!(seen.certificate[0].alternative_names, ["DNS:localhost", "IP:127.0.0.1"]);
    assert_eq!(seen.certificate[0].serial, "4D");
}

/// A PKCS#12 file in a folder of its own.
struct Sealed {
    dir: tempfile::TempDir,
}

impl Sealed {
    fn of(bytes: &[u8]) -> Self {
        let sealed = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::write(sealed.file(), bytes).unwrap();
        sealed
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("client.p12")
    }

    fn load(&self, password: &str) -> Result<Bundle, CertificateError> {
        load_source(&pkcs12_at(self.file(), password), NOW_MS)
    }
}

#[test]
fn a_pkcs12_file_is_the_same_bundle_as_its_three_parts() {
    let root = authority();
    let (middle, lower) = (make(Wish::authority("middle"), Some(&root)), make(Wish::authority("stray"), None));
    let inner = make(Wish::authority("inner"), Some(&middle));
    let client = make(Wish::client("producer"), Some(&inner));
    let files = Files::write(&[&root, &lower], &[&client, &inner, &middle], &client);
    let sealed = Sealed::of(&pkcs12(&client, &[&root, &middle, &inner, &lower], "hunter2"));
    let (bundle, parts) = (sealed.load("hunter2").unwrap(), load(&files, None).unwrap());
    assert_eq!(bundle.subject(), parts.subject());
    let identity = |bundle: &Bundle| bundle.identity().unwrap().certificate_pem().to_owned();
    assert_eq!(identity(&bundle), identity(&parts), "the certificate first, then its issuers in order");
    assert_eq!(bundle.identity().unwrap().key_pem(), parts.identity().unwrap().key_pem());
    assert_eq!(bundle.ca_pem().matches("BEGIN CERTIFICATE").count(), 2);
    assert!(!format!("{bundle:?}").contains("PRIVATE KEY"));
}

#[test]
fn the_password_of_a_pkcs12_file_may_stand_in_a_file() {
    let ca = authority();
    let client = make(Wish::client("producer"), Some(&ca));
    let sealed = Sealed::of(&pkcs12(&client, &[&ca], "hunter2"));
    let word = sealed.dir.path().join("word");
    std::fs::write(&word, "hunter2\n").unwrap();
    let form = Form::Pkcs12 { bundle: Place::File(sealed.file()), password: Password::File(word.clone()) };
    assert_eq!(
        load_source(&files_only(form.clone()), NOW_MS).unwrap().subject(),
        Some(r"CN=producer,O=Comboio\, test")
    );
    std::fs::remove_file(&word).unwrap();
    let fault = load_source(&files_only(form), NOW_MS).unwrap_err();
    assert_eq!(fault.setting(), "kafka.tls.bundle_password_file");
}

#[test]
fn a_pkcs12_file_that_cannot_be_used_says_why_and_never_the_password() {
    let (ca, stranger) = (authority(), make(Wish::authority("stranger"), None));
    let client = make(Wish::client("producer"), Some(&ca));
    let sound = pkcs12(&client, &[&ca], "hunter2");
    for (bytes, password, words) in [
        (sound.clone(), "", "needs a password: set kafka.tls.bundle_password"),
        (sound.clone(), "hunter3", "its password does not fit"),
        (sound.clone(), "hunter2\0", "its password does not fit"),
        (sound[..sound.len() / 2].to_vec(), "hunter2", "is no PKCS#12 bundle"),
        (b"-----BEGIN CERTIFICATE-----".to_vec(), "hunter2", "is no PKCS#12 bundle"),
        (Vec::new(), "hunter2", "is no PKCS#12 bundle"),
        (pkcs12(&client, &[], "hunter2"), "hunter2", "holds no authority"),
        (pkcs12(&client, &[&stranger], "hunter2"), "hunter2", "is not vouched for by"),
    ] {
        let fault = Sealed::of(&bytes).load(password).unwrap_err();
        let sentence = fault.to_string();
        assert!(sentence.contains(words) && sentence.contains("client.p12"), "{sentence}");
        assert!(!sentence.contains("hunter") && !format!("{fault:?}").contains("hunter"), "{fault:?}");
        let setting = pkcs12_at(PathBuf::new(), "").setting(&fault);
        assert!(setting.starts_with("kafka.tls.bundle"), "{setting}");
    }
}

#[test]
fn a_pkcs12_file_with_algorithms_of_old_can_still_be_opened() {
    let ca = authority();
    let client = make(Wish::client("producer"), Some(&ca));
    let files = Files::write(&[&ca], &[&client], &client);
    let old = files.dir.path().join("old.p12");
    let made = Command::new("openssl")
        .args(["pkcs12", "-export", "-legacy", "-passout", "pass:hunter2", "-inkey"])
        .arg(files.key())
        .arg("-in")
        .arg(files.certificate())
        .arg("-certfile")
        .arg(files.ca())
        .arg("-out")
        .arg(&old)
        .output()
        .expect("openssl is needed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let bundle = load_source(&pkcs12_at(old, "hunter2"), NOW_MS).unwrap();
    assert!(bundle.is_same(&load(&files, None).unwrap()));
}

#[test]
fn what_lies_in_a_large_file_is_not_read() {
    let files = Files::sound();
    std::fs::write(files.key(), vec![b'x'; 5 << 20]).unwrap();
    assert!(refused(load(&files, None)).1.contains("larger than"));
}
