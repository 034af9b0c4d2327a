//! From PEM text to certificates and keys.

use super::fault::CertificateError;
use super::material::Piece;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;
use std::path::Path;

/// A private key. It has no `Debug`, so that it cannot be shown by accident.
pub(super) struct Key(PKey<Private>);

/// The certificates of a part, and the same again as PEM: whatever else stands in it (a key, text) is left out.
pub(super) fn certificates(piece: &Piece) -> Result<(Vec<X509>, String), CertificateError> {
    let (file, role) = (&piece.file, piece.role);
    let bad = |stack: ErrorStack| CertificateError::BadCertificate { file: file.clone(), role, reason: first(&stack) };
    let certificates = X509::stack_from_pem(text(piece)?.as_bytes()).map_err(bad)?;
    if certificates.is_empty() {
        return Err(CertificateError::NoCertificate { file: file.clone(), role });
    }
    let pem = write(&certificates).map_err(bad)?;
    Ok((certificates, pem))
}

/// Certificates as PEM, one behind the other.
pub(super) fn write(certificates: &[X509]) -> Result<String, ErrorStack> {
    let mut pem = String::new();
    for certificate in certificates {
        pem.push_str(&String::from_utf8_lossy(&certificate.to_pem()?));
    }
    Ok(pem)
}

/// The private key of a part. OpenSSL's own words are dropped: they say nothing to a reader, and nothing of the key gets out.
pub(super) fn key(piece: &Piece, password: Option<&str>) -> Result<Key, CertificateError> {
    let (file, text) = (&piece.file, text(piece)?);
    let encrypted = text.contains("ENCRYPTED");
    if encrypted && password.is_none() {
        return Err(CertificateError::PasswordMissing { file: file.clone() });
    }
    // Always with a passphrase: without one OpenSSL would ask on the terminal.
    let parsed = PKey::private_key_from_pem_passphrase(text.as_bytes(), password.unwrap_or_default().as_bytes());
    parsed.map(Key).map_err(|_| match encrypted {
        true => CertificateError::PasswordWrong { file: file.clone() },
        false => CertificateError::NoKey { file: file.clone() },
    })
}

/// The part as text.
pub(super) fn text(piece: &Piece) -> Result<&str, CertificateError> {
    let binary = |_| CertificateError::Unreadable {
        file: piece.file.clone(),
        role: piece.role,
        reason: "it is binary; convert it to PEM".to_owned(),
    };
    std::str::from_utf8(&piece.bytes).map_err(binary)
}

impl Key {
    pub(super) fn new(key: PKey<Private>) -> Self {
        Self(key)
    }

    /// Whether the public half is the certificate's.
    pub(super) fn belongs_to(&self, certificate: &X509) -> bool {
        certificate.public_key().is_ok_and(|public| public.public_eq(&self.0))
    }

    /// The key without a password, for the client's settings.
    pub(super) fn to_pem(&self, file: &Path) -> Result<String, CertificateError> {
        let pem = self.0.private_key_to_pem_pkcs8().ok().and_then(|bytes| String::from_utf8(bytes).ok());
        pem.ok_or_else(|| CertificateError::NoKey { file: file.to_owned() })
    }
}

fn first(stack: &ErrorStack) -> String {
    let reason = stack.errors().iter().find_map(|error| error.reason());
    reason.unwrap_or("it is damaged").to_owned()
}
