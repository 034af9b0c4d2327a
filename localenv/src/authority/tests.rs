//! What openssl, as an independent reader, says about our certificates.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::*;

/// Runs `openssl verify`, which prints "OK" or the reason.
fn verify(ca: &Path, certificate: &Path, purpose: &str) -> String {
    let output = Command::new("openssl")
        .args(["verify", "-purpose", purpose, "-CAfile"])
        .args([ca, certificate])
        .output()
        .expect("openssl is needed");
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_client_certificate_verifies_against_its_own_authority_only() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (authority, foreign) = (Authority::create(ours.path()).unwrap(), Authority::create(theirs.path()).unwrap());
    let identity = authority.issue("producer").unwrap();
    assert!(verify(&identity.ca, &identity.certificate, "sslclient").contains("OK"));
    assert!(!verify(&foreign.ca(), &identity.certificate, "sslclient").contains("OK"));
    assert!(!verify(&identity.ca, &identity.certificate, "sslserver").contains("OK"));
    assert_eq!(identity.principal(), "User:CN=producer");
}

#[test]
fn an_expired_certificate_is_expired_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path()).unwrap();
    let expired = authority.issue_expired("late").unwrap();
    let answer = verify(&expired.ca, &expired.certificate, "sslclient");
    assert!(answer.contains("certificate has expired"), "{answer}");
    let brief = authority.issue_for("brief", Duration::from_secs(60)).unwrap();
    assert!(verify(&brief.ca, &brief.certificate, "sslclient").contains("OK"));
}

#[test]
fn keys_are_for_their_owner_only_and_replaced_by_the_next_issue() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path()).unwrap();
    let first = authority.issue("consumer").unwrap();
    let key = std::fs::read_to_string(&first.key).unwrap();
    assert_eq!(std::fs::metadata(&first.key).unwrap().permissions().mode() & 0o777, 0o600);
    let second = authority.issue("consumer").unwrap();
    assert_eq!(first.key, second.key);
    assert_ne!(key, std::fs::read_to_string(&second.key).unwrap());
}

#[test]
fn a_server_key_store_holds_key_certificate_and_authority_in_this_order() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::create(folder.path()).unwrap();
    let path = authority.issue_server("broker").unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let kinds: Vec<&str> = text.lines().filter(|line| line.starts_with("-----BEGIN")).collect();
    assert_eq!(kinds, ["-----BEGIN PRIVATE KEY-----", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----"]);
    assert!(verify(&authority.ca(), &path, "sslserver").contains("OK"));
    assert!(verify(&authority.ca(), &path, "sslclient").contains("OK"));
}
