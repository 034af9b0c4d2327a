//! What was read, not yet checked: it becomes a bundle, or a list of its faults.

use super::fault::{CertificateError, Role};
use super::source::{Form, Password};
use super::{Authority, Bundle, Identity, Inspection, facts::CertificateFacts, pem, pkcs12, verify};
use openssl::sha::Sha256;
use openssl::x509::X509;
use std::path::PathBuf;

/// The bytes of one part; no `Debug`, they may be a key.
pub(super) struct Piece {
    pub(super) role: Role,
    /// Its path or `s3://` address.
    pub(super) file: PathBuf,
    pub(super) bytes: Vec<u8>,
}

/// The bytes of all parts.
pub struct Material {
    form: Form,
    pieces: Vec<Piece>,
}

/// Tells one content from another.
pub type Fingerprint = [u8; 32];

impl Material {
    pub(super) fn new(form: Form, pieces: Vec<Piece>) -> Self {
        Self { form, pieces }
    }

    /// The SHA-256 of all parts.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut sha = Sha256::new();
        for piece in &self.pieces {
            sha.update(&(piece.bytes.len() as u64).to_le_bytes());
            sha.update(&piece.bytes);
        }
        sha.finish()
    }

    /// The checked bundle.
    ///
    /// # Errors
    /// The most telling fault.
    pub fn bundle(&self, now_ms: i64) -> Result<Bundle, CertificateError> {
        if let Form::Authority { .. } = self.form {
            return self.authority(now_ms);
        }
        let parts = self.parts()?;
        match verify::faults(&parts, now_ms).into_iter().next() {
            Some(fault) => Err(fault),
            None => parts.into_bundle(now_ms),
        }
    }

    /// All that can be said about it, sound or not.
    ///
    /// # Errors
    /// A part that cannot be parsed.
    pub fn inspect(&self, now_ms: i64) -> Result<Inspection, CertificateError> {
        let parts = self.parts()?;
        let faults = verify::faults(&parts, now_ms);
        Ok(Inspection {
            certificate: CertificateFacts::of_all(&parts.certificate_file, &parts.chain, now_ms),
            authorities: CertificateFacts::of_all(&parts.ca_file, &parts.authorities, now_ms),
            key_matches: !faults.iter().any(|fault| matches!(fault, CertificateError::KeyMismatch { .. })),
            trusted: !faults.iter().any(|fault| matches!(fault, CertificateError::Untrusted { .. })),
            faults: faults.iter().map(ToString::to_string).collect(),
        })
    }

    fn authority(&self, now_ms: i64) -> Result<Bundle, CertificateError> {
        let ca = self.piece(Role::Ca)?;
        let (certificates, pem) = pem::certificates(ca)?;
        match verify::first_expired_authority(&ca.file, &certificates, now_ms) {
            Some(expired) => Err(expired),
            None => Ok(Bundle { ca: Authority { file: ca.file.clone(), pem }, identity: None }),
        }
    }

    fn parts(&self) -> Result<Parts, CertificateError> {
        match &self.form {
            Form::Pem { password, .. } => self.pem_parts(Some(password.expose()).filter(|text| !text.is_empty())),
            Form::Pkcs12 { password: Password::Text(password), .. } => {
                pkcs12::open(self.piece(Role::Bundle)?, password.expose())
            }
            Form::Pkcs12 { password: Password::File(_), .. } => {
                let piece = self.piece(Role::BundlePassword)?;
                let text = pem::text(piece)?;
                pkcs12::open(self.piece(Role::Bundle)?, text.lines().next().unwrap_or_default())
            }
            Form::Authority { .. } => self.pem_parts(None),
        }
    }

    fn pem_parts(&self, password: Option<&str>) -> Result<Parts, CertificateError> {
        let (ca, certificate) = (self.piece(Role::Ca)?, self.piece(Role::Certificate)?);
        let (authorities, ca_pem) = pem::certificates(ca)?;
        let (chain, certificate_pem) = pem::certificates(certificate)?;
        let key = self.piece(Role::Key)?;
        Ok(Parts {
            ca_file: ca.file.clone(),
            ca_pem,
            authorities,
            certificate_file: certificate.file.clone(),
            certificate_pem,
            chain,
            key_file: key.file.clone(),
            key: pem::key(key, password)?,
        })
    }

    fn piece(&self, role: Role) -> Result<&Piece, CertificateError> {
        let found = self.pieces.iter().find(|piece| piece.role == role);
        let missing = || CertificateError::Unreadable {
            file: PathBuf::from(role.setting()),
            role,
            reason: "it is not set".to_owned(),
        };
        found.ok_or_else(missing)
    }
}

/// What the parts hold, not yet checked against each other.
pub(super) struct Parts {
    pub(super) ca_file: PathBuf,
    pub(super) ca_pem: String,
    pub(super) authorities: Vec<X509>,
    pub(super) certificate_file: PathBuf,
    pub(super) certificate_pem: String,
    pub(super) chain: Vec<X509>,
    pub(super) key_file: PathBuf,
    pub(super) key: pem::Key,
}

impl Parts {
    fn into_bundle(self, now_ms: i64) -> Result<Bundle, CertificateError> {
        let leaf = self.chain.first().ok_or_else(|| CertificateError::no_certificate(&self.certificate_file))?;
        let identity = Identity {
            facts: CertificateFacts::of(&self.certificate_file, leaf, now_ms),
            certificate_pem: self.certificate_pem,
            key_pem: self.key.to_pem(&self.key_file)?,
        };
        Ok(Bundle { ca: Authority { file: self.ca_file, pem: self.ca_pem }, identity: Some(identity) })
    }
}
