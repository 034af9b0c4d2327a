//! A throw-away certificate authority: everything that mutual TLS needs, made in the process within milliseconds.

/// TLS for servers that play AWS.
pub mod http2_tls;
mod pem_file;
mod validity;

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
};

use validity::Validity;

/// Signs certificates; its own key stays in memory.
pub struct Authority {
    folder: PathBuf,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// The PEM files of one client: what goes into the `[kafka.tls]` settings of a service.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The common name.
    pub name: String,
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The client's certificate.
    pub certificate: PathBuf,
    /// The client's private key (PKCS#8, not encrypted, mode 0600).
    pub key: PathBuf,
}

impl Identity {
    /// How Kafka names this client in ACLs: `User:CN=<name>`.
    #[must_use]
    pub fn principal(&self) -> String {
        format!("User:CN={}", self.name)
    }

    /// What names its files in the environment of a service, without the prefix of all settings.
    #[must_use]
    pub fn settings(&self) -> [(&'static str, String); 3] {
        let text = |path: &Path| path.display().to_string();
        [
            ("KAFKA__TLS__CA", text(&self.ca)),
            ("KAFKA__TLS__CERTIFICATE", text(&self.certificate)),
            ("KAFKA__TLS__KEY", text(&self.key)),
        ]
    }
}

impl Authority {
    /// Makes a new authority and writes its certificate to `folder`/ca.crt. Two authorities know nothing of each other.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn create(folder: &Path) -> anyhow::Result<Self> {
        let mut params = params("comboio throw-away authority", &Validity::long());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let folder = std::path::absolute(folder)?;
        pem_file::write(&folder.join("ca.crt"), &issuer.pem())?;
        Ok(Self { folder, issuer })
    }

    /// The authority's certificate, for clients and servers that shall trust it.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// Issues a client certificate, valid for a year. Issuing the same name again replaces its files: a rotation.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn issue(&self, name: &str) -> anyhow::Result<Identity> {
        self.client(name, &Validity::long())
    }

    /// Issues a client certificate that expired an hour ago.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn issue_expired(&self, name: &str) -> anyhow::Result<Identity> {
        self.client(name, &Validity::past())
    }

    /// Issues a client certificate that expires `lifetime` from now.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn issue_for(&self, name: &str, lifetime: Duration) -> anyhow::Result<Identity> {
        self.client(name, &Validity::lasting(lifetime))
    }

    /// Issues a server certificate for localhost and 127.0.0.1 and returns the one file that Kafka takes as key store:
    /// key, certificate, authority.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn issue_server(&self, name: &str) -> anyhow::Result<PathBuf> {
        let mut params = params(name, &Validity::long());
        params.subject_alt_names =
            vec![SanType::DnsName("localhost".try_into()?), SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST))];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = self.sign(&params)?;
        let path = self.folder.join(format!("{name}.pem"));
        let all = [key.serialize_pem(), certificate.pem(), self.issuer.pem()].concat();
        pem_file::write(&path, &all)?;
        Ok(path)
    }

    fn client(&self, name: &str, validity: &Validity) -> anyhow::Result<Identity> {
        let mut params = params(name, validity);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let (certificate, key) = self.sign(&params)?;
        let file = |ending: &str| self.folder.join(format!("{name}.{ending}"));
        let identity = Identity { name: name.to_owned(), ca: self.ca(), certificate: file("crt"), key: file("key") };
        pem_file::write(&identity.key, &key.serialize_pem())?;
        pem_file::write(&identity.certificate, &certificate.pem())?;
        Ok(identity)
    }

    fn sign(&self, params: &CertificateParams) -> anyhow::Result<(Certificate, KeyPair)> {
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer).context("cannot sign a certificate")?;
        Ok((certificate, key))
    }
}

/// A subject of one common name: Kafka's principal is the full subject, and that keeps it short.
fn params(name: &str, validity: &Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = validity.from;
    params.not_after = validity.until;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    params
}

#[cfg(test)]
mod tests;
