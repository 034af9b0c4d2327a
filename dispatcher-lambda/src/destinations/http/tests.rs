//! Statuses and their classes, and what the configuration refuses.

use super::{HttpDestination, HttpRaw, class_of};
use domain::failure::FailureClass::{Ours, Rejected, Throttled, TooLarge, Transient};
use runtime::config::Settings;

#[test]
fn each_status_has_its_class() {
    let cases = [
        (200, None),
        (202, None),
        (204, None),
        (301, Some(Ours)),
        (400, Some(Rejected)),
        (401, Some(Ours)),
        (403, Some(Ours)),
        (404, Some(Ours)),
        (405, Some(Ours)),
        (408, Some(Transient)),
        (409, Some(Rejected)),
        (413, Some(TooLarge)),
        (422, Some(Rejected)),
        (425, Some(Transient)),
        (429, Some(Throttled)),
        (500, Some(Transient)),
        (503, Some(Transient)),
        (599, Some(Transient)),
    ];
    for (status, class) in cases {
        assert_eq!(class_of(status), class, "{status}");
    }
}

fn refused(raw: &HttpRaw) -> String {
    HttpDestination::build("destinations.a.http", raw, &Settings::of(raw)).unwrap_err().to_string()
}

#[test]
fn what_is_no_url_is_refused_by_name() {
    for url in ["", "collector", "ftp://x/y", "http://"] {
        let sentence = refused(&HttpRaw { url: url.into(), ..HttpRaw::default() });
        assert!(sentence.starts_with("destinations.a.http.url is "), "{sentence}");
    }
}

#[test]
fn https_needs_authorities_that_can_be_read() {
    let url = "https://127.0.0.1/x".to_owned();
    let missing = refused(&HttpRaw { url: url.clone(), ca: "/no/such/ca.pem".into(), ..HttpRaw::default() });
    assert!(missing.contains("cannot be read"), "{missing}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let empty = refused(&HttpRaw { url, ca: file.path().display().to_string(), ..HttpRaw::default() });
    assert!(empty.contains("no PEM certificate"), "{empty}");
}

#[test]
fn a_limit_of_zero_is_refused_by_name() {
    let mut raw = HttpRaw { url: "http://127.0.0.1:1/".into(), ..HttpRaw::default() };
    raw.batch.records = 0;
    assert!(refused(&raw).starts_with("destinations.a.http.batch.records is "));
}
