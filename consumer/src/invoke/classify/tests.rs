//! One test per row of the table, and what is outside it.

use super::{CODES, class_of, failure_of, function_failure};
use aws_sdk_lambda::config::http::HttpResponse;
use aws_sdk_lambda::error::{ConnectorError, ErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::types::error::TooManyRequestsException;
use domain::failure::FailureClass;
use std::time::Duration;

/// Every row, with and without its ending, whatever the status says.
#[test]
fn every_row_has_its_class() {
    for (code, class) in CODES {
        assert_eq!(class_of(Some(&format!("{code}Exception")), 418), *class, "{code}");
        assert_eq!(class_of(Some(&code.to_uppercase()), 418), *class, "{code}");
    }
    let mut names: Vec<_> = CODES.iter().map(|(name, _)| name.to_lowercase()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), CODES.len(), "a row stands twice");
}

/// All rows once more, by class and without a look at the table, so that a slip in it shows.
#[test]
fn every_code_is_where_it_belongs() {
    let rows = [
        (
            FailureClass::Throttled,
            "TooManyRequests Throttling Throttled RequestLimitExceeded ServiceQuotaExceeded EC2Throttled",
        ),
        (
            FailureClass::Transient,
            "Service InternalFailure InternalServerError ServiceUnavailable EC2Unexpected ENINotReady \
             ENILimitReached SubnetIPAddressLimitReached ResourceNotReady ResourceConflict \
             CodeArtifactUserPending SnapStartNotReady SnapStartTimeout EFSIO EFSMountConnectivity \
             EFSMountTimeout S3FilesMountConnectivity S3FilesMountTimeout RequestExpired",
        ),
        (FailureClass::TooLarge, "RequestTooLarge SerializedRequestEntityTooLarge RequestEntityTooLarge"),
        (
            FailureClass::Ours,
            "ResourceNotFound AccessDenied NotAuthorized OptInRequired ExpiredToken IncompleteSignature \
             InvalidClientTokenId InvalidSignature SignatureDoesNotMatch MissingAuthenticationToken \
             UnrecognizedClient InvalidParameterValue InvalidRequestContent InvalidRuntime \
             InvalidSecurityGroupID InvalidSubnetID InvalidZipFile UnsupportedMediaType KMSAccessDenied \
             KMSDisabled KMSInvalidState KMSNotFound EC2AccessDenied EFSMountFailure S3FilesMountFailure \
             CodeArtifactUserDeleted CodeArtifactUserFailed DurableExecutionAlreadyStarted ModeNotSupported \
             NoPublishedVersion RecursiveInvocation SnapStart SnapStartRegenerationFailure",
        ),
    ];
    let mut known = 0;
    for (class, names) in rows {
        for name in names.split_whitespace() {
            assert_eq!(class_of(Some(&format!("{name}Exception")), 400), class, "{name}");
            known += 1;
        }
    }
    assert_eq!(known, CODES.len(), "a row of the table is not here");
}

#[test]
fn an_unknown_code_goes_by_its_status() {
    let rows = [
        (413, FailureClass::TooLarge),
        (429, FailureClass::Throttled),
        (408, FailureClass::Transient),
        (500, FailureClass::Transient),
        (503, FailureClass::Transient),
        (403, FailureClass::Ours),
        (404, FailureClass::Ours),
        (302, FailureClass::Transient),
    ];
    for (status, class) in rows {
        assert_eq!(class_of(None, status), class, "{status}");
        assert_eq!(class_of(Some("SomethingNewException"), status), class, "{status}");
    }
}

fn response(status: u16) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), "".into())
}

#[test]
fn throttling_carries_its_wait() {
    let meta = ErrorMetadata::builder().code("TooManyRequestsException").message("Rate Exceeded.").build();
    let throttled = TooManyRequestsException::builder().retry_after_seconds("7").meta(meta).build();
    let failure = failure_of(SdkError::service_error(InvokeError::TooManyRequestsException(throttled), response(429)));
    assert_eq!((failure.class, failure.retry_after), (FailureClass::Throttled, Some(Duration::from_secs(7))));
    assert_eq!(failure.detail, "HTTP 429 TooManyRequestsException: Rate Exceeded.");
}

#[test]
fn whatever_happens_on_the_way_may_work_the_next_time() {
    let cases = [
        SdkError::timeout_error("too slow"),
        SdkError::dispatch_failure(ConnectorError::io("connection reset".into())),
        SdkError::dispatch_failure(ConnectorError::timeout("connect".into())),
        SdkError::dispatch_failure(ConnectorError::other("GoAway(NO_ERROR)".into(), None)),
        SdkError::response_error("cut off", response(200)),
    ];
    for case in cases {
        assert_eq!(failure_of(case).class, FailureClass::Transient);
    }
}

#[test]
fn what_cannot_even_be_sent_is_ours() {
    assert_eq!(failure_of(SdkError::construction_failure("no region")).class, FailureClass::Ours);
    let missing = ConnectorError::other("no credential provider in the chain had credentials".into(), None);
    assert_eq!(failure_of(SdkError::dispatch_failure(missing)).class, FailureClass::Ours);
    assert_eq!(failure_of(SdkError::dispatch_failure(ConnectorError::user("bad".into()))).class, FailureClass::Ours);
}

#[test]
fn a_function_that_failed_is_told_from_one_that_said_too_much() {
    assert_eq!(function_failure("Unhandled", b"{}").detail, "Unhandled");
    let exit = function_failure("Unhandled", br#"{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}"#);
    assert_eq!(
        (exit.class, exit.detail.as_str()),
        (FailureClass::FunctionError, "Unhandled: Runtime.ExitError: exit status 1")
    );
    let large = function_failure(
        "Unhandled",
        br#"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"6291557 bytes"}"#,
    );
    assert_eq!(large.class, FailureClass::TooLarge);
    assert_eq!(function_failure("Handled", b"not json").class, FailureClass::FunctionError);
}

#[test]
fn no_answer_in_time_is_told_from_other_failures() {
    let timed_out = |said: &str| function_failure("Unhandled", said.as_bytes()).timed_out;
    assert!(timed_out(
        r#"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: x Error: Task timed out after 3.00 seconds"}"#
    ));
    assert!(timed_out(r#"{"errorMessage":"2026-01-01T00:00:00Z x Task timed out after 3.00 seconds"}"#));
    assert!(!timed_out(r#"{"errorType":"Runtime.ExitError","errorMessage":"exit status 1"}"#));
    assert!(failure_of(SdkError::timeout_error("too slow")).timed_out);
    let never_sent = SdkError::dispatch_failure(ConnectorError::timeout("connect".into()));
    assert!(!failure_of(never_sent).timed_out);
}
