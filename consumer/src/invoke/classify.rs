//! One table from the errors of AWS Lambda's Invoke to the failure classes; each error is classified here and nowhere else.

use super::InvokeFailure;
use aws_sdk_lambda::config::http::HttpResponse;
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::InvokeError;
use domain::failure::FailureClass::{self, FunctionError, Ours, Throttled, TooLarge, Transient};
use std::error::Error;
use std::time::Duration;

/// Error codes of the Invoke API, as they stand on the wire, without the common ending `Exception`.
/// Sources: AWS Lambda API Reference, "Invoke" and "Common Errors". Letter case is not looked at.
const CODES: &[(&str, FailureClass)] = &[
    ("TooManyRequests", Throttled),
    ("Throttling", Throttled),
    ("Throttled", Throttled),
    ("RequestLimitExceeded", Throttled),
    ("ServiceQuotaExceeded", Throttled),
    ("EC2Throttled", Throttled),
    ("Service", Transient),
    ("InternalFailure", Transient),
    ("InternalServerError", Transient),
    ("ServiceUnavailable", Transient),
    ("EC2Unexpected", Transient),
    ("ENINotReady", Transient),
    ("ENILimitReached", Transient),
    ("SubnetIPAddressLimitReached", Transient),
    ("ResourceNotReady", Transient),
    ("ResourceConflict", Transient),
    ("CodeArtifactUserPending", Transient),
    ("SnapStartNotReady", Transient),
    ("SnapStartTimeout", Transient),
    ("EFSIO", Transient),
    ("EFSMountConnectivity", Transient),
    ("EFSMountTimeout", Transient),
    ("S3FilesMountConnectivity", Transient),
    ("S3FilesMountTimeout", Transient),
    ("RequestExpired", Transient),
    ("RequestTooLarge", TooLarge),
    ("SerializedRequestEntityTooLarge", TooLarge),
    ("RequestEntityTooLarge", TooLarge),
    ("ResourceNotFound", Ours),
    ("AccessDenied", Ours),
    ("NotAuthorized", Ours),
    ("OptInRequired", Ours),
    ("ExpiredToken", Ours),
    ("IncompleteSignature", Ours),
    ("InvalidClientTokenId", Ours),
    ("InvalidSignature", Ours),
    ("SignatureDoesNotMatch", Ours),
    ("MissingAuthenticationToken", Ours),
    ("UnrecognizedClient", Ours),
    ("InvalidParameterValue", Ours),
    ("InvalidRequestContent", Ours),
    ("InvalidRuntime", Ours),
    ("InvalidSecurityGroupID", Ours),
    ("InvalidSubnetID", Ours),
    ("InvalidZipFile", Ours),
    ("UnsupportedMediaType", Ours),
    ("KMSAccessDenied", Ours),
    ("KMSDisabled", Ours),
    ("KMSInvalidState", Ours),
    ("KMSNotFound", Ours),
    ("EC2AccessDenied", Ours),
    ("EFSMountFailure", Ours),
    ("S3FilesMountFailure", Ours),
    ("CodeArtifactUserDeleted", Ours),
    ("CodeArtifactUserFailed", Ours),
    ("DurableExecutionAlreadyStarted", Ours),
    ("ModeNotSupported", Ours),
    ("NoPublishedVersion", Ours),
    ("RecursiveInvocation", Ours),
    ("SnapStart", Ours),
    ("SnapStartRegenerationFailure", Ours),
];

/// The class of a refusal: by its code, or by its HTTP status when the code is not known.
pub(super) fn class_of(code: Option<&str>, status: u16) -> FailureClass {
    let plain = |code| str::strip_suffix(code, "Exception").unwrap_or(code);
    let known = |code: &str| CODES.iter().find(|(name, _)| name.eq_ignore_ascii_case(code));
    match code.map(plain).and_then(known) {
        Some((_, class)) => *class,
        None => match status {
            413 => TooLarge,
            429 => Throttled,
            408 | 500..=599 => Transient,
            400..=499 => Ours,
            _ => Transient,
        },
    }
}

/// The failure of a call that brought no answer of the function.
pub(super) fn failure_of(error: SdkError<InvokeError, HttpResponse>) -> InvokeFailure {
    let detail = sentence(&error);
    match &error {
        SdkError::ServiceError(refusal) => {
            let class = class_of(refusal.err().code(), refusal.raw().status().as_u16());
            let retry_after = retry_after(refusal.err(), refusal.raw());
            InvokeFailure { retry_after, ..InvokeFailure::new(class, detail) }
        }
        SdkError::ConstructionFailure(_) => InvokeFailure::new(Ours, detail),
        // Missing credentials surface here too, before anything was sent.
        SdkError::DispatchFailure(failure) if failure.is_user() || detail.contains("credential") => {
            InvokeFailure::new(Ours, detail)
        }
        // Of the attempt; a connection that cannot be made in time is a dispatch failure.
        SdkError::TimeoutError(_) => InvokeFailure { timed_out: true, ..InvokeFailure::new(Transient, detail) },
        _ => InvokeFailure::new(Transient, detail),
    }
}

/// The failure of a call that was answered with 200 and `X-Amz-Function-Error`: the function ran and failed.
pub(super) fn function_failure(kind: &str, payload: &[u8]) -> InvokeFailure {
    #[derive(serde::Deserialize, Default)]
    #[serde(default, rename_all = "camelCase")]
    struct Thrown {
        error_type: String,
        error_message: String,
    }
    let Thrown { error_type, error_message } = serde_json::from_slice(payload).unwrap_or_default();
    let class = if error_type == "Function.ResponseSizeTooLarge" { TooLarge } else { FunctionError };
    // A body may name neither.
    let said = [kind, &error_type, &error_message].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let said: String = said.join(": ").chars().take(500).collect();
    // Source: AWS Lambda's answers; older ones have no type, only the words.
    let timed_out = error_type == "Sandbox.Timedout" || error_message.contains("Task timed out after");
    InvokeFailure { timed_out, ..InvokeFailure::new(class, said) }
}

/// Seconds, in the error's body or the standard header.
fn retry_after(error: &InvokeError, raw: &HttpResponse) -> Option<Duration> {
    let modelled = match error {
        InvokeError::TooManyRequestsException(throttled) => throttled.retry_after_seconds(),
        _ => None,
    };
    let seconds = modelled.or_else(|| raw.headers().get("retry-after"))?.trim().parse::<u32>().ok()?;
    Some(Duration::from_secs(u64::from(seconds.min(300))))
}

/// The error and its causes in one line.
fn sentence(error: &SdkError<InvokeError, HttpResponse>) -> String {
    if let SdkError::ServiceError(refusal) = error {
        let code = refusal.err().code().unwrap_or("no code");
        return format!(
            "HTTP {} {code}: {}",
            refusal.raw().status().as_u16(),
            refusal.err().message().unwrap_or("no message")
        );
    }
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}

#[cfg(test)]
mod tests;
