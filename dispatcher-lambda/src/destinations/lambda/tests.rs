//! What the configuration refuses, and what the function gets.

use super::{Invocation, LambdaDestination, LambdaRaw, payload};
use crate::aws::Aws;
use crate::destinations::parcels::{entries, parcel};
use crate::destinations::{Destination, Outcome};
use domain::failure::FailureClass;
use runtime::config::{Settings, Size};

fn build(raw: &LambdaRaw) -> String {
    let raw = LambdaRaw { region: "sa-east-1".into(), ..raw.clone() };
    let built = LambdaDestination::build("destinations.a.lambda", &raw, &Aws::default(), &Settings::of(&raw));
    built.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn every_mistake_names_its_setting() {
    let named = |function: &str| LambdaRaw { function: function.into(), ..LambdaRaw::default() };
    for function in ["events", "events:live", "arn:aws:lambda:sa-east-1:000000000000:function:events:live"] {
        assert_eq!(build(&named(function)), "");
    }
    for function in ["", "two words", "arn:aws:lambda:sa-east-1:000000000000:layer:x"] {
        let refused = build(&named(function));
        assert!(refused.starts_with("destinations.a.lambda.function is "), "{refused}");
    }
}

#[test]
fn a_parcel_is_no_larger_than_what_lambda_takes() {
    for (invocation, written, bytes) in [
        (Invocation::Synchronous, Size::from_mib(5), 5_242_880),
        (Invocation::Synchronous, Size::from_mib(9), 6_291_456),
        (Invocation::Asynchronous, Size::from_mib(5), 1_048_576),
        (Invocation::Asynchronous, Size::from_kib(64), 65_536),
    ] {
        let mut raw = LambdaRaw { function: "events".into(), invocation, ..LambdaRaw::default() };
        raw.batch.bytes = written;
        raw.region = "sa-east-1".into();
        let built = LambdaDestination::build("x", &raw, &Aws::default(), &Settings::of(&raw)).unwrap();
        assert_eq!(built.limits().bytes, bytes);
    }
}

#[tokio::test]
async fn a_payload_that_its_offsets_make_too_large_is_cut() {
    let mut raw = LambdaRaw { function: "events".into(), region: "sa-east-1".into(), ..LambdaRaw::default() };
    raw.invocation = Invocation::Asynchronous;
    let built = LambdaDestination::build("x", &raw, &Aws::default(), &Settings::of(&raw)).unwrap();
    let value: &'static str = Box::leak(format!("{{\"a\":\"{}\"}}", "x".repeat(524_270)).into_boxed_str());
    let entries = entries(&[value, value]);
    let outcome = built.deliver(parcel(&entries)).await;
    assert!(matches!(outcome, Outcome::Failed(failure) if failure.class == FailureClass::TooLarge));
}

#[test]
fn the_function_gets_the_values_byte_for_byte() {
    let entries = entries(&["{\"a\": 1.50}", "{}"]);
    let text = String::from_utf8(payload(&parcel(&entries))).unwrap();
    assert!(text.ends_with("\"events\":[{\"a\": 1.50},{}]}"), "{text}");
    let payload: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(payload["offsets"], serde_json::json!([1, 2]));
    assert_eq!((payload["topic"].as_str(), payload["partition"].as_i64()), (Some("t"), Some(0)));
}
