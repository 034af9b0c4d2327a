//! The certificate bundle: CA, certificate and key from PEM files, checked before any client sees them.
//!
//! *In*: three files, a password, the wall clock. *Out*: a [`Bundle`] whose parts fit together, or one sentence that
//! names the file. *Never*: the key, or a piece of it, in an error, in `Debug` or in a log line.

/// What is wrong with a file, or between two of them.
mod fault;
/// Reads PEM files into certificates and keys.
mod pem;
/// What a certificate says about itself.
mod facts;
/// Whether certificate, key and authority fit together at a given time.
mod verify;

pub use facts::CertificateFacts;
pub(crate) use facts::{alternative_names, name as distinguished_name};
pub use fault::{CertificateError, Role};

use openssl::x509::X509;
use runtime::clock::{Clock, SystemClock};
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
    /// Reads and checks an authority, a certificate and its key. `password` is that of an encrypted key.
    pub fn load(ca: &Path, certificate: &Path, key: &Path, password: Option<&str>) -> Result<Self, CertificateError> {
        Self::load_at(ca, certificate, key, password, SystemClock.wall_ms())
    }

    /// The same at a given wall clock, in milliseconds since the epoch.
    pub fn load_at(
        ca: &Path,
        certificate: &Path,
        key: &Path,
        password: Option<&str>,
        now_ms: i64,
    ) -> Result<Self, CertificateError> {
        let parts = Parts::read(ca, certificate, key, password)?;
        match verify::faults(&parts, now_ms).into_iter().next() {
            Some(fault) => Err(fault),
            None => parts.into_bundle(),
        }
    }

    /// Reads an authority alone: brokers are checked, and ask for no certificate.
    pub fn load_ca(ca: &Path) -> Result<Self, CertificateError> {
        let (certificates, pem) = pem::certificates(ca, Role::Ca)?;
        if let Some(expired) = verify::first_expired_authority(ca, &certificates, SystemClock.wall_ms()) {
            return Err(expired);
        }
        Ok(Self { ca: Authority { file: ca.to_owned(), pem }, identity: None })
    }

    /// The authorities, as PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca.pem
    }

    /// The file of the authorities.
    pub fn ca_file(&self) -> &Path {
        &self.ca.file
    }

    /// Our certificate and key; `None` when only the brokers are checked.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
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

/// Looks at a bundle without refusing it. An error means that a file could not even be read.
pub fn inspect(
    ca: &Path,
    certificate: &Path,
    key: &Path,
    password: Option<&str>,
    now_ms: i64,
) -> Result<Inspection, CertificateError> {
    let parts = Parts::read(ca, certificate, key, password)?;
    let faults = verify::faults(&parts, now_ms);
    Ok(Inspection {
        certificate: CertificateFacts::of_all(certificate, &parts.chain, now_ms),
        authorities: CertificateFacts::of_all(ca, &parts.authorities, now_ms),
        key_matches: !faults.iter().any(|fault| matches!(fault, CertificateError::KeyMismatch { .. })),
        trusted: !faults.iter().any(|fault| matches!(fault, CertificateError::Untrusted { .. })),
        faults: faults.iter().map(ToString::to_string).collect(),
    })
}

/// What the three files hold, not yet checked against each other.
struct Parts {
    ca_file: PathBuf,
    ca_pem: String,
    authorities: Vec<X509>,
    certificate_file: PathBuf,
    certificate_pem: String,
    chain: Vec<X509>,
    key_file: PathBuf,
    key: pem::Key,
}

impl Parts {
    fn read(ca: &Path, certificate: &Path, key: &Path, password: Option<&str>) -> Result<Self, CertificateError> {
        let (authorities, ca_pem) = pem::certificates(ca, Role::Ca)?;
        let (chain, certificate_pem) = pem::certificates(certificate, Role::Certificate)?;
        Ok(Self {
            ca_file: ca.to_owned(),
            ca_pem,
            authorities,
            certificate_file: certificate.to_owned(),
            certificate_pem,
            chain,
            key_file: key.to_owned(),
            key: pem::key(key, password)?,
        })
    }

    fn into_bundle(self) -> Result<Bundle, CertificateError> {
        let leaf = self.chain.first().ok_or_else(|| CertificateError::no_certificate(&self.certificate_file))?;
        let identity = Identity {
            facts: CertificateFacts::of(&self.certificate_file, leaf, SystemClock.wall_ms()),
            certificate_pem: self.certificate_pem,
            key_pem: self.key.to_pem(&self.key_file)?,
        };
        Ok(Bundle { ca: Authority { file: self.ca_file, pem: self.ca_pem }, identity: Some(identity) })
    }
}

/// Certificates made for tests.
#[cfg(test)]
pub(crate) mod made;
#[cfg(test)]
mod tests;
