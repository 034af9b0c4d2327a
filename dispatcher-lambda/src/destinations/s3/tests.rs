//! What the configuration refuses, and that a repeat packs the same bytes.

use super::{S3Destination, S3Raw, gzip};
use crate::aws::Aws;
use runtime::config::Settings;
use std::io::Read;

#[test]
fn every_mistake_names_its_setting() {
    let raw = |bucket: &str, key: &str| S3Raw {
        bucket: bucket.into(),
        key: if key.is_empty() { S3Raw::default().key } else { key.into() },
        region: "sa-east-1".into(),
        ..S3Raw::default()
    };
    let build = |raw: &S3Raw| {
        let built = S3Destination::build("destinations.a.s3", raw, &Aws::default(), &Settings::of(raw));
        built.err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(build(&raw("events", "")), "");
    assert!(build(&raw("", "")).starts_with("destinations.a.s3.bucket is "));
    assert!(build(&raw("a/b/c", "")).starts_with("destinations.a.s3.bucket is "));
    let refused = build(&raw("events", "{topic}/{partition}/{first}-{last}"));
    assert!(refused.starts_with("destinations.a.s3.key is ") && refused.contains("{digest} is missing"), "{refused}");
}

#[test]
fn the_same_lines_pack_to_the_same_bytes() {
    let lines = "{\"a\":1}\n".repeat(1_000);
    let packed = gzip(lines.as_bytes()).unwrap();
    assert_eq!(packed, gzip(lines.as_bytes()).unwrap());
    assert!(packed.len() < 200, "{}", packed.len());
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, lines);
}
