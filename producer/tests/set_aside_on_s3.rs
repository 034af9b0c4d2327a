//! Set-aside lines as objects, through the real SDK against the local store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use localenv::bundle_store::{BundleStore, StoreFault};
use producer::set_aside::{Bytes, SetAside};
use producer::set_aside_objects::SetAsideObjects;
use runtime::aws::AwsSettings;
use runtime::objects::ObjectStoreSettings;
use std::time::Duration;

const AT_MS: i64 = 1_763_701_200_123;

#[test]
fn lines_become_one_object_each_time_and_a_refusal_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let store = BundleStore::start(folder.path()).unwrap();
    store.put("fleet-dead/made", b"so that the bucket is there").unwrap();
    let aws = AwsSettings { region: None, endpoint_url: Some(store.endpoint().to_owned()) };
    let settings = ObjectStoreSettings { aws, timeout: Duration::from_secs(20) };
    let objects = SetAsideObjects::start(settings, "s3://fleet-dead/letters".parse().unwrap(), "smoke").unwrap();
    let line = |value| SetAside { class: "rejected", reason: "schema", value: Bytes(value), ..SetAside::default() };
    let uri = objects.write(&[line(b"{\"a\":1}"), line(b"\xff\x00")], AT_MS).unwrap();
    assert_eq!(uri.to_string(), "s3://fleet-dead/letters/2025-11-21/smoke-1763701200123-0.ndjson");
    let text = String::from_utf8(store.read("fleet-dead/letters/2025-11-21/smoke-1763701200123-0.ndjson").unwrap());
    let lines: Vec<serde_json::Value> = text.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["value"], &lines[1]["value"]["hex"]), (&"{\"a\":1}".into(), &"ff00".into()));
    let next = "fleet-dead/letters/2025-11-21/smoke-1763701200123-1.ndjson";
    store.fail(next, StoreFault::access_denied());
    let error = objects.write(&[line(b"{}")], AT_MS).unwrap_err();
    assert!(error.to_string().contains("s3:PutObject"), "{error}");
    assert!(store.read(next).is_err());
}
