//! Every row of the table, and the errors as the SDKs hand them over.

use super::{ROWS, class_of, failure_of, plain};
use aws_sdk_sqs::error::{ErrorMetadata, SdkError};
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use domain::failure::FailureClass::{Ours, Rejected, Throttled, TooLarge, Transient};
use std::time::Duration;

#[test]
fn every_row_decides_for_itself() {
    for (code, words, class) in ROWS {
        for written in
            [(*code).to_owned(), format!("{code}Exception"), format!("com.amazonaws#{code}"), code.to_uppercase()]
        {
            let message = format!("One or more: {}.", words.to_uppercase());
            assert_eq!(class_of(Some(&written), &message, 400), *class, "{written}: {message}");
        }
    }
}

#[test]
fn no_row_hides_another_and_what_needs_no_words_comes_last() {
    for (place, (code, words, _)) in ROWS.iter().enumerate() {
        let hidden = |row: &&(&str, &str, _)| plain(row.0).eq_ignore_ascii_case(plain(code)) && words.contains(row.1);
        assert_eq!(ROWS[..place].iter().find(hidden), None, "{code} {words:?}");
    }
}

/// As the services write them. Sources: their API references, and what developers report.
#[test]
fn what_services_say_has_its_class() {
    for (code, message, status, class) in [
        ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", 400, Ours),
        ("InvalidMessageContents", "Invalid characters found in the message body", 400, Rejected),
        (
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 262144 bytes.",
            400,
            TooLarge,
        ),
        (
            "AWS.SimpleQueueService.BatchRequestTooLong",
            "Batch requests cannot be longer than 1048576 bytes.",
            400,
            TooLarge,
        ),
        ("MissingParameter", "The request must contain the parameter MessageGroupId.", 400, Ours),
        ("KMS.AccessDeniedException", "no", 400, Ours),
        ("InvalidParameter", "Invalid parameter: Message too long", 400, TooLarge),
        ("NotFound", "Topic does not exist", 404, Ours),
        ("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "slow", 400, Throttled),
        ("ValidationException", "Item size has exceeded the maximum allowed size", 400, TooLarge),
        ("ValidationException", "One or more parameter values were invalid: Missing the key id in the item", 400, Ours),
        ("ValidationException", "The provided key element does not match the schema", 400, Ours),
        (
            "ValidationException",
            "Number overflow. Attempting to store a number with magnitude larger than supported range",
            400,
            Rejected,
        ),
        ("SlowDown", "Please reduce your request rate.", 503, Throttled),
        ("NoSuchBucket", "The specified bucket does not exist", 404, Ours),
        ("AccessDenied", "Access Denied", 403, Ours),
        ("TooManyRequestsException", "Rate Exceeded.", 429, Throttled),
        ("ResourceNotFoundException", "Function not found", 404, Ours),
    ] {
        assert_eq!(class_of(Some(code), message, status), class, "{code}: {message}");
    }
}

#[test]
fn an_unknown_code_is_judged_by_its_status_and_is_never_the_events_fault() {
    for (status, class) in [
        (400, Ours),
        (404, Ours),
        (408, Transient),
        (413, TooLarge),
        (429, Throttled),
        (500, Transient),
        (503, Transient),
        (302, Transient),
    ] {
        assert_eq!(class_of(Some("Unheard"), "of", status), class, "{status}");
        assert_eq!(class_of(None, "", status), class, "{status}");
    }
}

fn response(status: u16) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::empty())
}

fn refusal(code: &str, response: HttpResponse) -> SdkError<SendMessageBatchError, HttpResponse> {
    let error = SendMessageBatchError::generic(ErrorMetadata::builder().code(code).message("a\nb").build());
    SdkError::service_error(error, response)
}

#[test]
fn a_refusal_says_status_code_and_message_and_how_long_to_wait() {
    let mut slow = response(400);
    slow.headers_mut().insert("retry-after", "7");
    let failure = failure_of(refusal("RequestThrottled", slow));
    assert_eq!((failure.class, failure.retry_after), (Throttled, Some(Duration::from_secs(7))));
    assert_eq!(failure.detail, "HTTP 400 RequestThrottled: a b");
    assert_eq!(failure_of(refusal("AccessDenied", response(403))).class, Ours);
}

#[test]
fn without_an_answer_it_may_have_worked() {
    type Error = SdkError<SendMessageBatchError, HttpResponse>;
    let io = |kind| ConnectorError::io(std::io::Error::from(kind).into());
    for error in [
        Error::timeout_error("late"),
        Error::dispatch_failure(io(std::io::ErrorKind::ConnectionReset)),
        Error::response_error("cut", response(200)),
    ] {
        assert_eq!(failure_of(error).class, Transient);
    }
    assert_eq!(failure_of(Error::dispatch_failure(ConnectorError::user("x".into()))).class, Ours);
    let nobody = ConnectorError::other("no credential in the environment".into(), None);
    assert_eq!(failure_of(Error::dispatch_failure(nobody)).class, Ours);
    assert_eq!(failure_of(Error::construction_failure("no")).class, Ours);
}
