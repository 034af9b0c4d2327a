//! The certificate bundle: CA, certificate and key from PEM or PKCS#12, checked before any client sees them.
//!
//! *In*: the parts' bytes from files or S3, a password, the wall clock. *Out*: a [`Bundle`] whose parts fit together, or
//! one sentence that names the part. *Never*: the key, or a piece of it, in an error, in `Debug` or in a log line.

/// What is wrong with a part, or between two of them.
mod fault;
/// Where one part lies.
mod place;
/// Where a bundle comes from.
mod source;
/// What was read, not yet checked.
mod material;
/// Reads files within a time limit.
mod files;
/// Reads all parts, again and again.
mod reader;
/// From PEM text to certificates and keys.
mod pem;
/// Opens a PKCS#12 file.
mod pkcs12;
/// What a certificate says about itself.
mod facts;
/// Whether certificate, key and authority fit together at a given time.
mod verify;

pub use facts::CertificateFacts;
pub(crate) use facts::{alternative_names, name as distinguished_name};
pub use fault::{CertificateError, Role};
pub use material::{Fingerprint, Material};
pub use place::{BadPlace, Place};
pub use reader::{ReadError, Reader};
pub use source::{Form, Password, Source};

use std::fmt;
use std::path::{Path, PathBuf};

/// A checked bundle: an authority, and for mutual TLS an identity that it vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    ca: Authority,
    identity: Option<Identity>,
}

#[derive(Clone, PartialEq, Eq)]
struct Authority {
    file: PathBuf,
    pem: String,
}

/// Our certificate (with its intermediates) and its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    facts: CertificateFacts,
    certificate_pem: String,
    key_pem: String,
}

/// All that can be said about a bundle, sound or not.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Inspection {
    /// The certificate first, then its intermediates.
    pub certificate: Vec<CertificateFacts>,
    /// The authorities of the CA file.
    pub authorities: Vec<CertificateFacts>,
    /// Whether the key belongs to the certificate.
    pub key_matches: bool,
    /// Whether an authority of the CA file vouches for the certificate.
    pub trusted: bool,
    /// One sentence for each fault; empty means sound.
    pub faults: Vec<String>,
}

impl Bundle {
    /// The authorities, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca.pem
    }

    /// Where the authorities lie: a path or an `s3://` address.
    pub fn ca_file(&self) -> &Path {
        &self.ca.file
    }

    /// Our certificate and key; `None` when only the brokers are checked.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Whether it is the same as another one, wherever they come from.
    pub fn is_same(&self, other: &Self) -> bool {
        let identities = match (&self.identity, &other.identity) {
            (Some(ours), Some(theirs)) => {
                ours.certificate_pem == theirs.certificate_pem && ours.key_pem == theirs.key_pem
            }
            (None, None) => true,
            _ => false,
        };
        self.ca.pem == other.ca.pem && identities
    }

    /// When our certificate ends, milliseconds since the epoch.
    pub fn expires_at(&self) -> Option<i64> {
        self.identity.as_ref().map(|identity| identity.facts.not_after_ms)
    }

    /// Our certificate's subject as Kafka's ACLs name it, for example `CN=producer`.
    pub fn subject(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.facts.subject.as_str())
    }
}

impl Identity {
    /// What the certificate says about itself.
    pub fn facts(&self) -> &CertificateFacts {
        &self.facts
    }

    /// The certificate, followed by its intermediates, as PEM.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The key, decrypted, as PEM. For the client's settings alone: never log it.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("file", &self.file).finish_non_exhaustive()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificate", &self.facts).field("key", &"***").finish()
    }
}

/// Certificates made for tests.
#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod tests;
