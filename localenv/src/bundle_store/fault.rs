//! Faults of the store on command, in the words that S3 uses.

/// What a request gets in place of its object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreFault {
    /// An error answer.
    Refuses { status: u16, code: &'static str, message: &'static str },
    /// No answer at all.
    Silence,
}

impl StoreFault {
    /// The role lacks s3:GetObject.
    #[must_use]
    pub fn access_denied() -> Self {
        Self::Refuses { status: 403, code: "AccessDenied", message: "Access Denied" }
    }

    /// The role lacks kms:Decrypt; S3 says AccessDenied, and KMS stands in the message only.
    #[must_use]
    pub fn no_decrypt() -> Self {
        let message = "User: arn:aws:sts::111122223333:assumed-role/producer/i-0 is not authorized to perform: kms:Decrypt on \
            the resource associated with this ciphertext";
        Self::Refuses { status: 403, code: "AccessDenied", message }
    }

    /// The key of the object is disabled.
    #[must_use]
    pub fn key_disabled() -> Self {
        Self::Refuses { status: 400, code: "KMS.DisabledException", message: "the key is disabled" }
    }

    /// Too many requests.
    #[must_use]
    pub fn slow_down() -> Self {
        Self::Refuses { status: 503, code: "SlowDown", message: "Please reduce your request rate." }
    }
}
