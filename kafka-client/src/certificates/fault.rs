//! What is wrong with a file of the bundle, or between two of them: one sentence each, and never a byte of the key.

use std::path::{Path, PathBuf};

/// A fault of a bundle. Every one can be seen without the network: exit code 64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// A file is missing or may not be read.
    #[error("{} cannot be read: {reason}", file.display())]
    Unreadable { file: PathBuf, role: Role, reason: String },
    /// A certificate file without a certificate.
    #[error("{} holds no certificate: it must be PEM, with a block that begins with BEGIN CERTIFICATE", file.display())]
    NoCertificate { file: PathBuf, role: Role },
    /// A PEM block that is not what it says.
    #[error("{} holds a certificate that cannot be parsed: {reason}", file.display())]
    BadCertificate { file: PathBuf, role: Role, reason: String },
    /// A key file without a key.
    #[error("{} holds no private key that can be read: it must be PEM, PKCS#8 or traditional", file.display())]
    NoKey { file: PathBuf },
    /// An encrypted key.
    #[error("the key in {} is encrypted: set kafka.tls.key_password, or give a key without a password", file.display())]
    PasswordMissing { file: PathBuf },
    /// An encrypted key and another password.
    #[error("the key in {} cannot be decrypted: kafka.tls.key_password does not fit", file.display())]
    PasswordWrong { file: PathBuf },
    /// Not PKCS#12.
    #[error("{} is no PKCS#12 bundle that can be read: it must be as `openssl pkcs12 -export` writes it", file.display())]
    BadBundle { file: PathBuf },
    /// A PKCS#12 file without one of its parts.
    #[error("the bundle {} holds no {what}: write it anew with `openssl pkcs12 -export -inkey KEY -in CERTIFICATE \
        -certfile AUTHORITIES`", file.display())]
    BundleLacks { file: PathBuf, what: &'static str },
    /// A PKCS#12 file that wants a password.
    #[error("the bundle {} needs a password: set kafka.tls.bundle_password or kafka.tls.bundle_password_file",
        file.display())]
    BundlePasswordMissing { file: PathBuf },
    /// A PKCS#12 file and another password.
    #[error("the bundle {} cannot be opened: its password does not fit", file.display())]
    BundlePasswordWrong { file: PathBuf },
    /// A PKCS#12 file from before AES.
    #[error("the bundle {} is encrypted with an algorithm that the installed OpenSSL no longer offers: write it anew \
        with `openssl pkcs12 -export -keypbe AES-256-CBC -certpbe AES-256-CBC -macalg SHA256`, or install OpenSSL's \
        legacy provider", file.display())]
    OldAlgorithm { file: PathBuf },
    /// Two files that do not belong together.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    KeyMismatch { key: PathBuf, certificate: PathBuf },
    /// A certificate from the future.
    #[error("the certificate {subject} in {} is not valid before {from}: check the machine's clock", file.display())]
    NotYetValid { file: PathBuf, role: Role, subject: String, from: String },
    /// A certificate from the past.
    #[error("the certificate {subject} in {} expired on {until}: have a new one issued", file.display())]
    Expired { file: PathBuf, role: Role, subject: String, until: String },
    /// An authority that does not vouch.
    #[error("the certificate {subject} in {} is not vouched for by {} ({reason}); it was issued by {issuer}",
        file.display(), ca.display())]
    Untrusted { file: PathBuf, ca: PathBuf, subject: String, issuer: String, reason: String },
    /// A certificate for another use.
    #[error("the certificate {subject} in {} may not be used by a client: its extended key usage lacks clientAuth",
        file.display())]
    WrongUse { file: PathBuf, subject: String },
}

/// Which part is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Ca,
    Certificate,
    Key,
    /// PKCS#12: all of them in one.
    Bundle,
    /// The file of a PKCS#12 bundle's password.
    BundlePassword,
}

impl Role {
    /// The setting that names it.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Ca => "kafka.tls.ca",
            Self::Certificate => "kafka.tls.certificate",
            Self::Key => "kafka.tls.key",
            Self::Bundle => "kafka.tls.bundle",
            Self::BundlePassword => "kafka.tls.bundle_password_file",
        }
    }
}

impl CertificateError {
    /// The setting that names the faulty file.
    pub fn setting(&self) -> &'static str {
        match self {
            Self::Unreadable { role, .. }
            | Self::NoCertificate { role, .. }
            | Self::BadCertificate { role, .. }
            | Self::NotYetValid { role, .. }
            | Self::Expired { role, .. } => role.setting(),
            Self::NoKey { .. } | Self::KeyMismatch { .. } => Role::Key.setting(),
            Self::PasswordMissing { .. } | Self::PasswordWrong { .. } => "kafka.tls.key_password",
            Self::Untrusted { .. } | Self::WrongUse { .. } => Role::Certificate.setting(),
            Self::BadBundle { .. } | Self::BundleLacks { .. } | Self::OldAlgorithm { .. } => Role::Bundle.setting(),
            Self::BundlePasswordMissing { .. } | Self::BundlePasswordWrong { .. } => "kafka.tls.bundle_password",
        }
    }

    /// Whether it may be seen while the parts of a new bundle are put in place one after the other. What is about time,
    /// use or settings is not mended by another look.
    pub fn may_settle(&self) -> bool {
        !matches!(
            self,
            Self::Expired { .. }
                | Self::NotYetValid { .. }
                | Self::WrongUse { .. }
                | Self::PasswordMissing { .. }
                | Self::OldAlgorithm { .. }
        )
    }

    pub(super) fn no_certificate(file: &Path) -> Self {
        Self::NoCertificate { file: file.to_owned(), role: Role::Certificate }
    }
}
