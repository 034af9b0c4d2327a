//! Opens a PKCS#12 file: key, certificate, intermediates and authorities in one.
//!
//! Who nobody else in the file vouches for is an authority; whoever stands between is an intermediate.

use super::fault::CertificateError;
use super::material::{Parts, Piece};
use super::pem::{self, Key};
use openssl::error::ErrorStack;
use openssl::pkcs12::{ParsedPkcs12_2, Pkcs12};
use openssl::provider::Provider;
use openssl::x509::{X509, X509VerifyResult};
use std::sync::OnceLock;

/// OpenSSL's home of algorithms that are out of use, RC2 above all; once loaded it stays.
static LEGACY: OnceLock<Option<Provider>> = OnceLock::new();

/// The parts of the file. An empty password means none.
pub(super) fn open(piece: &Piece, password: &str) -> Result<Parts, CertificateError> {
    let file = piece.file.clone();
    let bad = || CertificateError::BadBundle { file: file.clone() };
    let lacks = |what| CertificateError::BundleLacks { file: file.clone(), what };
    let sealed = Pkcs12::from_der(&piece.bytes).map_err(|_| bad())?;
    let parsed = unseal(&sealed, password).map_err(|refusal| refusal.into_fault(piece, password))?;
    let key = parsed.pkey.ok_or_else(|| lacks("private key"))?;
    let others: Vec<X509> = parsed.ca.into_iter().flatten().collect();
    let Some(leaf) = parsed.cert else {
        return Err(match others.is_empty() {
            true => lacks("certificate"),
            // OpenSSL takes for ours the certificate that the key belongs to.
            false => CertificateError::KeyMismatch { key: file.clone(), certificate: file.clone() },
        });
    };
    let (chain, authorities) = arrange(leaf, others);
    if authorities.is_empty() {
        return Err(lacks("authority"));
    }
    let pem = |certificates: &[X509]| pem::write(certificates).map_err(|_| bad());
    Ok(Parts {
        ca_pem: pem(&authorities)?,
        certificate_pem: pem(&chain)?,
        ca_file: file.clone(),
        certificate_file: file.clone(),
        key_file: file.clone(),
        authorities,
        chain,
        key: Key::new(key),
    })
}

enum Refusal {
    Password,
    Algorithm,
    Damaged,
}

impl Refusal {
    fn of(stack: &ErrorStack) -> Self {
        let says = |words: &str| stack.errors().iter().any(|error| error.reason().is_some_and(|r| r.contains(words)));
        match () {
            () if says("unsupported") => Self::Algorithm,
            () if says("mac verify failure") => Self::Password,
            () => Self::Damaged,
        }
    }

    fn into_fault(self, piece: &Piece, password: &str) -> CertificateError {
        let file = piece.file.clone();
        match self {
            Self::Password if password.is_empty() => CertificateError::BundlePasswordMissing { file },
            Self::Password => CertificateError::BundlePasswordWrong { file },
            Self::Algorithm => CertificateError::OldAlgorithm { file },
            Self::Damaged => CertificateError::BadBundle { file },
        }
    }
}

/// Old algorithms are looked for only when a file needs them.
fn unseal(sealed: &Pkcs12, password: &str) -> Result<ParsedPkcs12_2, Refusal> {
    // A zero byte would end the password for OpenSSL; no bundle has one.
    if password.contains('\0') {
        return Err(Refusal::Password);
    }
    match sealed.parse2(password).map_err(|stack| Refusal::of(&stack)) {
        Err(Refusal::Algorithm) if legacy() => sealed.parse2(password).map_err(|stack| Refusal::of(&stack)),
        outcome => outcome,
    }
}

fn legacy() -> bool {
    LEGACY.get_or_init(|| Provider::try_load(None, "legacy", true).ok()).is_some()
}

/// Our certificate with its intermediates in order, and the authorities.
fn arrange(leaf: X509, others: Vec<X509>) -> (Vec<X509>, Vec<X509>) {
    let vouches = |issuer: &X509, subject: &X509| issuer.issued(subject) == X509VerifyResult::OK;
    let topmost: Vec<bool> = others
        .iter()
        .map(|one| !others.iter().any(|other| other != one && vouches(other, one) && !vouches(one, other)))
        .collect();
    let (tops, mut between): (Vec<_>, Vec<_>) = others.into_iter().zip(topmost).partition(|(_, top)| *top);
    let mut chain = vec![leaf];
    while let Some(place) = chain.last().and_then(|last| between.iter().position(|(one, _)| vouches(one, last))) {
        chain.push(between.swap_remove(place).0);
    }
    (chain, tops.into_iter().map(|(one, _)| one).collect())
}
