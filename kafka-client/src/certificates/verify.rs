//! Whether certificate, key and authority fit together at a given time.

use super::facts::{epoch_ms, name, short_name};
use super::fault::{CertificateError, Role};
use super::material::Parts;
use openssl::error::ErrorStack;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::{X509VerifyFlags, X509VerifyParam};
use openssl::x509::{X509, X509PurposeId, X509Ref, X509StoreContext, X509VerifyResult};
use std::path::Path;

/// X509_V_ERR_INVALID_PURPOSE of OpenSSL's x509_vfy.h.
const INVALID_PURPOSE: i32 = 26;

/// Every fault of the bundle, the most telling first.
pub(super) fn faults(parts: &Parts, now_ms: i64) -> Vec<CertificateError> {
    let Some(leaf) = parts.chain.first() else {
        return vec![CertificateError::no_certificate(&parts.certificate_file)];
    };
    let mut faults = Vec::new();
    if !parts.key.belongs_to(leaf) {
        faults.push(CertificateError::KeyMismatch {
            key: parts.key_file.clone(),
            certificate: parts.certificate_file.clone(),
        });
    }
    let certificate = &parts.certificate_file;
    faults.extend(parts.chain.iter().filter_map(|link| outside(certificate, Role::Certificate, link, now_ms)));
    match vouched(parts, leaf, None) {
        Some(refusal) => faults.push(refusal.into_fault(parts, leaf)),
        None if faults.is_empty() => faults.extend(expired_authority(parts, leaf, now_ms)),
        None => {}
    }
    faults
}

/// A fault if not one authority of the file is valid now.
pub(super) fn first_expired_authority(file: &Path, authorities: &[X509], now_ms: i64) -> Option<CertificateError> {
    let mut faults: Vec<_> = authorities.iter().map(|authority| outside(file, Role::Ca, authority, now_ms)).collect();
    if faults.iter().any(Option::is_none) { None } else { faults.swap_remove(0) }
}

fn outside(file: &Path, role: Role, certificate: &X509Ref, now_ms: i64) -> Option<CertificateError> {
    let (file, subject) = (file.to_owned(), short_name(certificate));
    if now_ms < epoch_ms(certificate.not_before()) {
        let from = certificate.not_before().to_string();
        return Some(CertificateError::NotYetValid { file, role, subject, from });
    }
    if now_ms >= epoch_ms(certificate.not_after()) {
        let until = certificate.not_after().to_string();
        return Some(CertificateError::Expired { file, role, subject, until });
    }
    None
}

/// The chain holds but for time: then it is an authority that is out of time.
fn expired_authority(parts: &Parts, leaf: &X509, now_ms: i64) -> Option<CertificateError> {
    vouched(parts, leaf, Some(now_ms))?;
    let late = parts.authorities.iter().find_map(|authority| outside(&parts.ca_file, Role::Ca, authority, now_ms));
    late.or_else(|| vouched(parts, leaf, Some(now_ms)).map(|refusal| refusal.into_fault(parts, leaf)))
}

struct Refusal {
    code: i32,
    reason: String,
}

impl Refusal {
    fn into_fault(self, parts: &Parts, leaf: &X509) -> CertificateError {
        let (file, subject) = (parts.certificate_file.clone(), short_name(leaf));
        if self.code == INVALID_PURPOSE {
            return CertificateError::WrongUse { file, subject };
        }
        let (ca, issuer) = (parts.ca_file.clone(), name(leaf.issuer_name()));
        CertificateError::Untrusted { file, ca, subject, issuer, reason: self.reason }
    }
}

/// Asks OpenSSL, as a broker will: `None` means that the chain ends at an authority. Without a time, time plays no role.
fn vouched(parts: &Parts, leaf: &X509, now_ms: Option<i64>) -> Option<Refusal> {
    match verify(parts, leaf, now_ms) {
        Ok(X509VerifyResult::OK) => None,
        Ok(result) => Some(Refusal { code: result.as_raw(), reason: result.error_string().to_owned() }),
        Err(stack) => Some(Refusal { code: -1, reason: stack.to_string() }),
    }
}

fn verify(parts: &Parts, leaf: &X509, now_ms: Option<i64>) -> Result<X509VerifyResult, ErrorStack> {
    let mut param = X509VerifyParam::new()?;
    param.set_purpose(X509PurposeId::SSL_CLIENT)?;
    // An authority of the file is trusted as it stands, also when it is an intermediate.
    param.set_flags(X509VerifyFlags::PARTIAL_CHAIN)?;
    match now_ms {
        Some(now_ms) => param.set_time(now_ms.div_euclid(1_000)),
        None => param.set_flags(X509VerifyFlags::NO_CHECK_TIME)?,
    }
    let mut store = X509StoreBuilder::new()?;
    store.set_param(&param)?;
    for authority in &parts.authorities {
        store.add_cert(authority.clone())?;
    }
    let mut links = Stack::new()?;
    for link in parts.chain.iter().skip(1) {
        links.push(link.clone())?;
    }
    X509StoreContext::new()?.init(&store.build(), leaf, &links, |context| {
        context.verify_cert()?;
        Ok(context.error())
    })
}
