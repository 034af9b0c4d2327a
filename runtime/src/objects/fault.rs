//! What went wrong with an object: one table from the errors of S3 to a fault, and one sentence with a next step.

use std::error::Error;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use domain::failure::FailureClass;

use super::uri::ObjectUri;

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectFault {
    /// No such object or bucket.
    Missing,
    /// No credentials, or not the rights.
    AccessDenied,
    /// The object's key in KMS may not be used, or is disabled or gone.
    Kms,
    /// Larger than anything that belongs here.
    TooLarge,
    /// The store asks to come less often.
    Throttled,
    /// No answer, or none in time.
    Unreachable,
    /// The bucket is in another region, or none is known.
    Region,
    /// Any other no.
    Refused,
}

/// Why an object could not be read or written: one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct ObjectError {
    fault: ObjectFault,
    sentence: String,
}

/// Error codes of S3 as they stand on the wire. Sources: Amazon S3 API Reference, "Error responses"; for KMS also the
/// errors of `Decrypt` in the AWS KMS API Reference, which S3 passes on with `KMS.` in front.
const CODES: &[(&str, ObjectFault)] = &[
    ("NoSuchKey", ObjectFault::Missing),
    ("NoSuchBucket", ObjectFault::Missing),
    ("NotFound", ObjectFault::Missing),
    ("AccessDenied", ObjectFault::AccessDenied),
    ("AllAccessDisabled", ObjectFault::AccessDenied),
    ("AccountProblem", ObjectFault::AccessDenied),
    ("InvalidAccessKeyId", ObjectFault::AccessDenied),
    ("SignatureDoesNotMatch", ObjectFault::AccessDenied),
    ("ExpiredToken", ObjectFault::AccessDenied),
    ("InvalidToken", ObjectFault::AccessDenied),
    ("TokenRefreshRequired", ObjectFault::AccessDenied),
    ("PermanentRedirect", ObjectFault::Region),
    ("AuthorizationHeaderMalformed", ObjectFault::Region),
    ("IllegalLocationConstraintException", ObjectFault::Region),
    ("EntityTooLarge", ObjectFault::TooLarge),
    ("SlowDown", ObjectFault::Throttled),
    ("ThrottlingException", ObjectFault::Throttled),
    ("KMS.ThrottlingException", ObjectFault::Throttled),
    ("RequestTimeout", ObjectFault::Unreachable),
];

/// What was tried.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    Read,
    Write,
}

impl ObjectError {
    /// What kind of trouble it is.
    pub fn fault(&self) -> ObjectFault {
        self.fault
    }

    /// Whether waiting may help, or somebody has to act.
    pub fn class(&self) -> FailureClass {
        match self.fault {
            ObjectFault::Throttled => FailureClass::Throttled,
            ObjectFault::Unreachable => FailureClass::Transient,
            ObjectFault::TooLarge => FailureClass::TooLarge,
            _ => FailureClass::Ours,
        }
    }

    pub(super) fn no_region() -> Self {
        let sentence = "no AWS region is known for S3: write it into the section s3, or set AWS_REGION";
        Self { fault: ObjectFault::Region, sentence: sentence.to_owned() }
    }

    pub(super) fn late(uri: &ObjectUri, waited: Duration) -> Self {
        Self::unreachable(uri, &format!("no answer within {} ms", waited.as_millis()))
    }

    pub(super) fn cut(uri: &ObjectUri, error: &dyn Error) -> Self {
        Self::unreachable(uri, &format!("the answer broke off: {}", causes(error)))
    }

    pub(super) fn too_large(uri: &ObjectUri) -> Self {
        let sentence = format!("{uri} is larger than {} bytes: it is not what belongs here", super::MOST_BYTES);
        Self { fault: ObjectFault::TooLarge, sentence }
    }

    pub(super) fn unreachable(uri: &ObjectUri, why: &str) -> Self {
        let sentence = format!("{uri} cannot be reached ({why}): check the network, the endpoint and the region");
        Self { fault: ObjectFault::Unreachable, sentence }
    }
}

/// A conditional read was answered with 304.
pub(super) fn is_not_modified<E>(error: &SdkError<E, HttpResponse>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == 304)
}

/// The sentence for an error of the SDK.
pub(super) fn of<E>(uri: &ObjectUri, deed: Deed, error: &SdkError<E, HttpResponse>) -> ObjectError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(refusal) => {
            let (code, message) = (refusal.err().code(), refusal.err().message().unwrap_or_default());
            refused(uri, deed, Answer { status: refusal.raw().status().as_u16(), code, message })
        }
        // Missing credentials surface here, before anything was sent.
        other if causes(other).contains("credential") => {
            let sentence = format!(
                "no AWS credentials for {uri} ({}): give the machine a role, or set AWS_PROFILE",
                causes(other)
            );
            ObjectError { fault: ObjectFault::AccessDenied, sentence }
        }
        other => ObjectError::unreachable(uri, &causes(other)),
    }
}

/// What the store answered.
#[derive(Clone, Copy)]
struct Answer<'a> {
    status: u16,
    code: Option<&'a str>,
    message: &'a str,
}

fn refused(uri: &ObjectUri, deed: Deed, answer: Answer<'_>) -> ObjectError {
    let fault = fault_of(answer);
    let said = match answer.code {
        Some(code) => format!("HTTP {} {code}: {}", answer.status, line(answer.message)),
        None => format!("HTTP {}", answer.status),
    };
    let (verb, right, kms) = match deed {
        Deed::Read => ("read", "s3:GetObject", "kms:Decrypt"),
        Deed::Write => ("written", "s3:PutObject", "kms:GenerateDataKey"),
    };
    let sentence = match fault {
        ObjectFault::Missing => format!("{uri} does not exist ({said}): check bucket and key"),
        ObjectFault::AccessDenied => format!(
            "{uri} may not be {verb} ({said}): our role needs {right} on it; without s3:ListBucket, S3 says so of a \
             missing object too"
        ),
        ObjectFault::Kms => format!(
            "{uri} may not be {verb} because of its key in KMS ({said}): our role needs {kms} on that key, and the \
             key must be enabled"
        ),
        ObjectFault::Region => format!("{uri} is in another region ({said}): write the bucket's into the section s3"),
        ObjectFault::TooLarge => format!("{uri} is too large ({said})"),
        ObjectFault::Throttled => format!("{uri} could not be {verb}, the store asks to come less often ({said})"),
        ObjectFault::Unreachable => return ObjectError::unreachable(uri, &said),
        ObjectFault::Refused => format!("{uri} could not be {verb} ({said})"),
    };
    ObjectError { fault, sentence }
}

fn fault_of(answer: Answer<'_>) -> ObjectFault {
    let code = answer.code.unwrap_or_default();
    let known = CODES.iter().find(|(name, _)| *name == code).map(|(_, fault)| *fault);
    match (known, answer.status) {
        // Without the right to decrypt S3 says AccessDenied, and names KMS in the message only.
        (Some(ObjectFault::AccessDenied), _) if answer.message.contains("kms:") => ObjectFault::Kms,
        (Some(fault), _) => fault,
        (None, _) if code.starts_with("KMS.") => ObjectFault::Kms,
        (None, 404) => ObjectFault::Missing,
        (None, 401 | 403) => ObjectFault::AccessDenied,
        (None, 301 | 307) => ObjectFault::Region,
        (None, 429) => ObjectFault::Throttled,
        (None, 500..) => ObjectFault::Unreachable,
        (None, _) => ObjectFault::Refused,
    }
}

fn causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    line(&causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}")))
}

/// One line, and not endless.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, code: Option<&str>, message: &str) -> ObjectError {
        let uri = "s3://bucket/key".parse().unwrap();
        refused(&uri, Deed::Read, Answer { status, code, message })
    }

    #[test]
    fn each_answer_has_its_fault_its_class_and_a_next_step() {
        let kms = "User: x is not authorized to perform: kms:Decrypt on resource: y";
        for (status, code, message, fault, class, words) in [
            (404, Some("NoSuchKey"), "", ObjectFault::Missing, FailureClass::Ours, "check bucket and key"),
            (404, None, "", ObjectFault::Missing, FailureClass::Ours, "HTTP 404"),
            (403, Some("AccessDenied"), "no", ObjectFault::AccessDenied, FailureClass::Ours, "s3:GetObject"),
            (403, Some("AccessDenied"), kms, ObjectFault::Kms, FailureClass::Ours, "needs kms:Decrypt"),
            (400, Some("KMS.DisabledException"), "", ObjectFault::Kms, FailureClass::Ours, "must be enabled"),
            (301, Some("PermanentRedirect"), "", ObjectFault::Region, FailureClass::Ours, "another region"),
            (503, Some("SlowDown"), "", ObjectFault::Throttled, FailureClass::Throttled, "less often"),
            (500, Some("InternalError"), "", ObjectFault::Unreachable, FailureClass::Transient, "cannot be reached"),
            (400, Some("InvalidRequest"), "a\nb", ObjectFault::Refused, FailureClass::Ours, "a b"),
        ] {
            let error = said(status, code, message);
            assert_eq!((error.fault(), error.class()), (fault, class), "{error}");
            let sentence = error.to_string();
            assert!(sentence.contains(words) && sentence.contains("s3://bucket/key"), "{sentence}");
            assert!(!sentence.contains('\n'));
        }
    }
}
