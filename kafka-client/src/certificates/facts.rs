//! What a certificate says about itself, as an operator wants to read it.

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::nid::Nid;
use openssl::x509::{X509, X509NameRef, X509Ref};
use serde::Serialize;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

const DAY_MS: i64 = 86_400_000;

/// One certificate of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CertificateFacts {
    pub file: PathBuf,
    /// As Kafka's ACLs name it (RFC 2253, most specific part first), for example `CN=producer,OU=fleet`.
    pub subject: String,
    pub issuer: String,
    /// Subject alternative names, for example `DNS:localhost`, `IP:127.0.0.1`.
    pub alternative_names: Vec<String>,
    /// Hexadecimal.
    pub serial: String,
    /// As text, UTC.
    pub not_before: String,
    pub not_after: String,
    /// Milliseconds since the epoch.
    pub not_before_ms: i64,
    pub not_after_ms: i64,
    /// Whole days until it ends, rounded down; negative when it has ended.
    pub days_left: i64,
}

impl CertificateFacts {
    pub(super) fn of(file: &Path, certificate: &X509Ref, now_ms: i64) -> Self {
        let (not_before_ms, not_after_ms) = (epoch_ms(certificate.not_before()), epoch_ms(certificate.not_after()));
        Self {
            file: file.to_owned(),
            subject: name(certificate.subject_name()),
            issuer: name(certificate.issuer_name()),
            alternative_names: alternative_names(certificate),
            serial: serial(certificate),
            not_before: certificate.not_before().to_string(),
            not_after: certificate.not_after().to_string(),
            not_before_ms,
            not_after_ms,
            days_left: (not_after_ms - now_ms).div_euclid(DAY_MS),
        }
    }

    pub(super) fn of_all(file: &Path, certificates: &[X509], now_ms: i64) -> Vec<Self> {
        certificates.iter().map(|certificate| Self::of(file, certificate, now_ms)).collect()
    }
}

/// A distinguished name as Java writes it, which is how Kafka compares it.
pub(crate) fn name(name: &X509NameRef) -> String {
    let mut parts: Vec<String> = name
        .entries()
        .map(|entry| {
            let label = entry.object().nid().short_name().unwrap_or("OID");
            let value = entry.data().to_string().unwrap_or_default();
            format!("{label}={}", escaped(&value))
        })
        .collect();
    parts.reverse();
    parts.join(",")
}

fn escaped(value: &str) -> String {
    value.chars().fold(String::with_capacity(value.len()), |mut text, c| {
        if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            text.push('\\');
        }
        text.push(c);
        text
    })
}

/// Milliseconds since the epoch; a time that OpenSSL cannot compare counts as the epoch itself, long gone.
pub(super) fn epoch_ms(time: &Asn1TimeRef) -> i64 {
    let Ok(since) = Asn1Time::from_unix(0).and_then(|epoch| epoch.diff(time)) else { return 0 };
    (i64::from(since.days) * 86_400 + i64::from(since.secs)) * 1_000
}

fn serial(certificate: &X509Ref) -> String {
    let hex = certificate.serial_number().to_bn().and_then(|number| number.to_hex_str());
    hex.map(|text| text.to_string()).unwrap_or_default()
}

pub(crate) fn alternative_names(certificate: &X509Ref) -> Vec<String> {
    let names = certificate.subject_alt_names().into_iter().flatten();
    names
        .filter_map(|name| {
            let dns = name.dnsname().map(|dns| format!("DNS:{dns}"));
            let uri = || name.uri().map(|uri| format!("URI:{uri}"));
            let email = || name.email().map(|email| format!("email:{email}"));
            dns.or_else(|| name.ipaddress().and_then(address)).or_else(uri).or_else(email)
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(bytes).ok().map(|octets| Ipv4Addr::from(octets).to_string());
    let v6 = || <[u8; 16]>::try_from(bytes).ok().map(|octets| Ipv6Addr::from(octets).to_string());
    v4.or_else(v6).map(|text| format!("IP:{text}"))
}

/// The common name alone, for sentences.
pub(super) fn short_name(certificate: &X509Ref) -> String {
    let common = certificate.subject_name().entries_by_nid(Nid::COMMONNAME).next();
    let text = common.and_then(|entry| entry.data().to_string().ok()).map(|text| format!("CN={text}"));
    text.unwrap_or_else(|| name(certificate.subject_name()))
}
