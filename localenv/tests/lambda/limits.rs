//! Sizes and concurrency: what is just allowed, and what AWS says beyond.

use crate::probe::{PROBE, Stage, refusal};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::ThrottleReason;
use localenv::lambda_host::{HostOptions, MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES};

/// An event of exactly this many bytes.
fn event_of(bytes: usize) -> Vec<u8> {
    let (head, tail) = (r#"{"do":"env","fill":""#, r#""}"#);
    format!("{head}{}{tail}", "x".repeat(bytes - head.len() - tail.len())).into_bytes()
}

#[tokio::test]
async fn a_request_may_have_6_mib_and_not_a_byte_more() {
    let stage = Stage::start().await;
    let full = stage.invoke(event_of(MAX_REQUEST_BYTES)).await.unwrap();
    assert_eq!(full.function_error(), None);
    let over = refusal(stage.invoke(event_of(MAX_REQUEST_BYTES + 1)).await);
    assert_eq!(over, (413, "RequestTooLargeException".into()));
    assert_eq!(stage.stats().executions, 1);
}

#[tokio::test]
async fn a_response_over_6_mib_is_a_function_error_and_the_process_lives_on() {
    let stage = Stage::start().await;
    let first = stage.answer("{}").await;
    let full = stage.invoke(format!(r#"{{"do":"big","bytes":{MAX_RESPONSE_BYTES}}}"#)).await.unwrap();
    assert_eq!((full.function_error(), full.payload().unwrap().as_ref().len()), (None, MAX_RESPONSE_BYTES));
    let over = stage.function_error(&format!(r#"{{"do":"big","bytes":{}}}"#, MAX_RESPONSE_BYTES + 1)).await;
    assert_eq!(over.0, "Function.ResponseSizeTooLarge");
    assert_eq!(over.1, "Response payload size exceeded maximum allowed payload size (6291556 bytes).");
    assert_eq!(stage.answer("{}").await["pid"], first["pid"]);
}

#[tokio::test]
async fn what_is_no_json_does_not_reach_the_function() {
    let stage = Stage::start().await;
    assert_eq!(refusal(stage.invoke("{nope").await), (400, "InvalidRequestContentException".into()));
    let empty = stage.client.invoke().function_name(PROBE).payload(Blob::new(Vec::new())).send().await.unwrap();
    assert_eq!(empty.function_error(), None);
}

#[tokio::test]
async fn reserved_concurrency_throttles_with_its_reason() {
    let stage = Stage::with(HostOptions::default(), |probe| probe.reserved_concurrency = Some(1)).await;
    let (first, second) = both(&stage).await;
    assert_eq!(first.unwrap().function_error(), None);
    let error = second.unwrap_err().into_service_error();
    let aws_sdk_lambda::operation::invoke::InvokeError::TooManyRequestsException(throttled) = error else {
        panic!("{error:?}")
    };
    assert_eq!(throttled.reason(), Some(&ThrottleReason::ReservedFunctionConcurrentInvocationLimitExceeded));
    assert_eq!((throttled.retry_after_seconds(), throttled.message()), (Some("1"), Some("Rate Exceeded.")));
    stage.answer("{}").await;
    assert_eq!(stage.stats().outcomes["TooManyRequestsException"], 1);
}

#[tokio::test]
async fn the_accounts_concurrency_throttles_with_another_reason() {
    let options = HostOptions { account_concurrency: 1, ..HostOptions::default() };
    let stage = Stage::with(options, |_| {}).await;
    let (_, second) = both(&stage).await;
    let error = format!("{:?}", second.unwrap_err());
    assert!(error.contains("ConcurrentInvocationLimitExceeded") && !error.contains("Reserved"), "{error}");
}

#[tokio::test]
async fn a_sequence_of_calls_never_throttles_itself() {
    let stage = Stage::with(HostOptions::default(), |probe| probe.reserved_concurrency = Some(1)).await;
    for _ in 0..200 {
        stage.answer("{}").await;
    }
    assert_eq!(stage.stats().processes.started, 1);
}

/// Two calls, the second while the first is running.
async fn both(stage: &Stage) -> (crate::probe::Invoked, crate::probe::Invoked) {
    let second = async {
        stage.until("the first call is running", |stats| stats.executions == 1).await;
        stage.invoke("{}").await
    };
    tokio::join!(stage.invoke(r#"{"do":"sleep","ms":2000}"#), second)
}
