//! Where a bundle comes from: three PEM parts, one PKCS#12 file, or the authorities alone; each in a file or on S3.

use super::fault::{CertificateError, Role};
use super::place::Place;
use runtime::config::Secret;
use runtime::objects::ObjectStoreSettings;
use std::path::PathBuf;

/// What is configured; `Debug` shows no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub form: Form,
    /// How to reach S3, for parts that lie there.
    pub store: ObjectStoreSettings,
}

/// The three ways to give certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The brokers are checked, and ask for no certificate.
    Authority { ca: Place },
    /// Mutual TLS from PEM.
    Pem { ca: Place, certificate: Place, key: Place, password: Secret },
    /// Mutual TLS from PKCS#12; authorities, certificate and key are all in it.
    Pkcs12 { bundle: Place, password: Password },
}

/// The password of a PKCS#12 file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Password {
    /// Empty means none.
    Text(Secret),
    /// The first line of a file, read anew with every bundle.
    File(PathBuf),
}

impl Source {
    /// All that has to be read.
    pub fn places(&self) -> Vec<(Role, Place)> {
        match &self.form {
            Form::Authority { ca } => vec![(Role::Ca, ca.clone())],
            Form::Pem { ca, certificate, key, .. } => {
                vec![(Role::Ca, ca.clone()), (Role::Certificate, certificate.clone()), (Role::Key, key.clone())]
            }
            Form::Pkcs12 { bundle, password: Password::Text(_) } => vec![(Role::Bundle, bundle.clone())],
            Form::Pkcs12 { bundle, password: Password::File(file) } => {
                vec![(Role::Bundle, bundle.clone()), (Role::BundlePassword, Place::File(file.clone()))]
            }
        }
    }

    /// The setting that a fault is about.
    pub fn setting(&self, fault: &CertificateError) -> &'static str {
        let named = fault.setting();
        match self.form {
            Form::Pkcs12 { .. } if !named.starts_with(Role::Bundle.setting()) => Role::Bundle.setting(),
            _ => named,
        }
    }
}
