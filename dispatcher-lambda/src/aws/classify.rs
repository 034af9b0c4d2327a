//! The class of every error of the AWS services, in one table; the only place that knows the SDKs' errors.
//!
//! Sources: the API references of SQS `SendMessageBatch`, SNS `PublishBatch`, DynamoDB `BatchWriteItem` and `PutItem`, S3
//! `PutObject` and "Error responses", Lambda `Invoke`, and the "Common errors" of each.

use crate::failure::Failure;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::failure::FailureClass::{self, Ours, Rejected, Throttled, TooLarge, Transient};
use std::error::Error;
use std::time::Duration;

/// This much of what a service said is kept for people.
const DETAIL_CHARACTERS: usize = 200;
const LONGEST_WAIT: u32 = 300;

/// Code on the wire, without what comes before its last `.` or `#` and without the ending `Exception`; words in the message
/// that must be there, for codes that mean several things; class. The first row that fits decides, letter case is not looked at.
const ROWS: &[(&str, &str, FailureClass)] = &[
    // All services.
    ("Throttling", "", Throttled),
    ("Throttled", "", Throttled),
    ("RequestThrottled", "", Throttled),
    ("RequestLimitExceeded", "", Throttled),
    ("TooManyRequests", "", Throttled),
    ("LimitExceeded", "", Throttled),
    ("SlowDown", "", Throttled),
    ("ProvisionedThroughputExceeded", "", Throttled),
    ("KmsThrottled", "", Throttled),
    ("KmsThrottling", "", Throttled),
    ("KMS.Throttling", "", Throttled),
    ("OverLimit", "", Throttled),
    ("InternalFailure", "", Transient),
    ("InternalError", "", Transient),
    ("InternalServerError", "", Transient),
    ("Service", "", Transient),
    ("ServiceUnavailable", "", Transient),
    ("RequestTimeout", "", Transient),
    ("RequestExpired", "", Transient),
    ("RequestTimeTooSkewed", "", Transient),
    ("AccessDenied", "", Ours),
    ("AuthorizationError", "", Ours),
    ("NotAuthorized", "", Ours),
    ("OptInRequired", "", Ours),
    ("ExpiredToken", "", Ours),
    ("IncompleteSignature", "", Ours),
    ("InvalidAccessKeyId", "", Ours),
    ("InvalidClientTokenId", "", Ours),
    ("InvalidSecurity", "", Ours),
    ("InvalidSignature", "", Ours),
    ("SignatureDoesNotMatch", "", Ours),
    ("MissingAuthenticationToken", "", Ours),
    ("UnrecognizedClient", "", Ours),
    ("KmsAccessDenied", "", Ours),
    ("KmsDisabled", "", Ours),
    ("KmsInvalidKeyUsage", "", Ours),
    ("KmsInvalidState", "", Ours),
    ("KmsNotFound", "", Ours),
    ("KmsOptInRequired", "", Ours),
    // SQS, of a request or of one entry.
    ("InvalidMessageContents", "", Rejected),
    ("InvalidParameterValue", "message must be shorter", TooLarge),
    ("InvalidParameterValue", "invalid character", Rejected),
    ("InvalidParameterValue", "invalid binary character", Rejected),
    ("BatchRequestTooLong", "", TooLarge),
    ("QueueDoesNotExist", "", Ours),
    ("NonExistentQueue", "", Ours),
    ("QueueDeletedRecently", "", Ours),
    ("InvalidAddress", "", Ours),
    ("UnsupportedOperation", "", Ours),
    ("MissingParameter", "", Ours),
    ("InvalidParameterValue", "", Ours),
    // SNS.
    ("InvalidParameter", "too long", TooLarge),
    ("InvalidParameter", "invalid character", Rejected),
    ("InvalidParameter", "", Ours),
    ("NotFound", "", Ours),
    ("EndpointDisabled", "", Ours),
    ("PlatformApplicationDisabled", "", Ours),
    // SQS and SNS: requests that we would have made wrong.
    ("BatchEntryIdsNotDistinct", "", Ours),
    ("EmptyBatchRequest", "", Ours),
    ("InvalidBatchEntryId", "", Ours),
    ("TooManyEntriesInBatchRequest", "", Ours),
    // DynamoDB.
    ("Validation", "item size has exceeded", TooLarge),
    ("Validation", "size of hashkey has exceeded", Rejected),
    ("Validation", "size of rangekey has exceeded", Rejected),
    ("Validation", "empty string value", Rejected),
    ("Validation", "number overflow", Rejected),
    ("Validation", "number underflow", Rejected),
    ("Validation", "38 significant digits", Rejected),
    ("Validation", "magnitude", Rejected),
    ("Validation", "nesting levels", Rejected),
    ("Validation", "", Ours),
    ("ItemCollectionSizeLimitExceeded", "", Ours),
    ("ResourceNotFound", "", Ours),
    ("InvalidEndpoint", "", Ours),
    ("TransactionConflict", "", Transient),
    ("ReplicatedWriteConflict", "", Transient),
    // S3.
    ("EntityTooLarge", "", TooLarge),
    ("MaxMessageLengthExceeded", "", TooLarge),
    ("BadDigest", "", Transient),
    ("InvalidDigest", "", Transient),
    ("XAmzContentSHA256Mismatch", "", Transient),
    ("XAmzContentChecksumMismatch", "", Transient),
    ("IncompleteBody", "", Transient),
    ("OperationAborted", "", Transient),
    ("NoSuchBucket", "", Ours),
    ("AllAccessDisabled", "", Ours),
    ("AccountProblem", "", Ours),
    ("InvalidBucketName", "", Ours),
    ("InvalidBucketState", "", Ours),
    ("KeyTooLongError", "", Ours),
    ("PermanentRedirect", "", Ours),
    ("AuthorizationHeaderMalformed", "", Ours),
    // Lambda, before the function ran.
    ("RequestTooLarge", "", TooLarge),
    ("RequestEntityTooLarge", "", TooLarge),
    ("EC2Throttled", "", Throttled),
    ("EC2Unexpected", "", Transient),
    ("ENILimitReached", "", Transient),
    ("ENINotReady", "", Transient),
    ("ResourceConflict", "", Transient),
    ("ResourceNotReady", "", Transient),
    ("SnapStartNotReady", "", Transient),
    ("SnapStartTimeout", "", Transient),
    ("EFSIO", "", Transient),
    ("EFSMountTimeout", "", Transient),
    ("InvalidRequestContent", "", Ours),
    ("RecursiveInvocation", "", Ours),
];

/// The class of a refusal: by its code and message, else by its HTTP status. What nobody knows is never the event's fault:
/// a dead letter would be a lie.
pub fn class_of(code: Option<&str>, message: &str, status: u16) -> FailureClass {
    let code = code.map(plain).unwrap_or_default();
    let message = message.to_ascii_lowercase();
    let fits = |row: &&(&str, &str, FailureClass)| plain(row.0).eq_ignore_ascii_case(code) && message.contains(row.1);
    match ROWS.iter().find(fits) {
        Some((_, _, class)) => *class,
        None => match status {
            413 => TooLarge,
            429 => Throttled,
            408 | 500..=599 => Transient,
            400..=499 => Ours,
            _ => Transient,
        },
    }
}

/// `AWS.SimpleQueueService.NonExistentQueue`, `com.amazonaws.dynamodb.v20120810#ThrottlingException` and plain names.
fn plain(code: &str) -> &str {
    let name = code.rsplit(['.', '#']).next().unwrap_or(code);
    let name = if code.starts_with("KMS.") { code } else { name };
    name.strip_suffix("Exception").unwrap_or(name)
}

/// The failure of a call that brought no good answer.
pub fn failure_of<E>(error: SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match &error {
        SdkError::ServiceError(refusal) => {
            let (code, message) = (refusal.err().code(), refusal.err().message().unwrap_or_default());
            let status = refusal.raw().status().as_u16();
            let said = short(&format!("HTTP {status} {}: {message}", code.unwrap_or("without a code")));
            Failure { retry_after: retry_after(refusal.raw()), ..Failure::new(class_of(code, message, status), said) }
        }
        SdkError::ConstructionFailure(_) => Failure::new(Ours, chain(&error)),
        SdkError::DispatchFailure(failure) => {
            let said = chain(&error);
            // Missing credentials surface here too, before anything was sent.
            let class = if failure.is_user() || said.contains("credential") { Ours } else { Transient };
            Failure::new(class, said)
        }
        // No answer, or one that cannot be read: it may have worked.
        _ => Failure::new(Transient, chain(&error)),
    }
}

/// The failure of a request that could not even be put together.
pub fn unmade(error: &(dyn Error + 'static)) -> Failure {
    Failure::new(Ours, chain(error))
}

fn retry_after(raw: &HttpResponse) -> Option<Duration> {
    let seconds = raw.headers().get("retry-after")?.trim().parse::<u32>().ok()?;
    Some(Duration::from_secs(u64::from(seconds.min(LONGEST_WAIT))))
}

/// The error and its causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    short(&runtime::exit::chain(error))
}

/// One line of what was said, cut to size.
pub fn short(said: &str) -> String {
    said.replace(['\n', '\r'], " ").chars().take(DETAIL_CHARACTERS).collect()
}

#[cfg(test)]
mod tests;
