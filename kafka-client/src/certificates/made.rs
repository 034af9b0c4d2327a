//! Certificates made for tests: authorities, intermediates and identities with any dates and uses.

use super::{Bundle, CertificateError, Form, Password, Place, ReadError, Reader, Source};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::stack::Stack;
use openssl::symm::Cipher;
use openssl::x509::extension::{BasicConstraints, ExtendedKeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name};
use runtime::config::Secret;
use runtime::objects::ObjectStoreSettings;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// The wall clock of these tests: 2026-01-01, milliseconds since the epoch.
pub(crate) const NOW_MS: i64 = 1_767_225_600_000;
const DAY: i64 = 86_400;

pub(crate) struct Made {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

/// What a certificate shall be; days are counted from [`NOW_MS`].
#[derive(Clone, Copy)]
pub(crate) struct Wish {
    pub(crate) name: &'static str,
    pub(crate) from_day: i64,
    pub(crate) until_day: i64,
    pub(crate) authority: bool,
    pub(crate) server_only: bool,
}

impl Wish {
    pub(crate) fn authority(name: &'static str) -> Self {
        Self { name, from_day: -10, until_day: 3_650, authority: true, server_only: false }
    }

    pub(crate) fn client(name: &'static str) -> Self {
        Self { authority: false, until_day: 90, ..Self::authority(name) }
    }
}

/// Makes a certificate; without an issuer it signs itself.
pub(crate) fn make(wish: Wish, issuer: Option<&Made>) -> Made {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_text("O", "Comboio, test").unwrap();
    name.append_entry_by_text("CN", wish.name).unwrap();
    let name = name.build();
    let at = |day: i64| Asn1Time::from_unix(NOW_MS / 1_000 + day * DAY).unwrap();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    builder.set_serial_number(&BigNum::from_u32(77).unwrap().to_asn1_integer().unwrap()).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(issuer.map_or(&*name, |issuer| issuer.certificate.subject_name())).unwrap();
    builder.set_not_before(&at(wish.from_day)).unwrap();
    builder.set_not_after(&at(wish.until_day)).unwrap();
    builder.set_pubkey(&key).unwrap();
    extend(&mut builder, wish);
    builder.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256()).unwrap();
    Made { certificate: builder.build(), key }
}

fn extend(builder: &mut X509Builder, wish: Wish) {
    if wish.authority {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
        return;
    }
    let mut usage = ExtendedKeyUsage::new();
    usage.server_auth();
    if !wish.server_only {
        usage.client_auth();
    }
    builder.append_extension(usage.build().unwrap()).unwrap();
    let names =
        SubjectAlternativeName::new().dns("localhost").ip("127.0.0.1").build(&builder.x509v3_context(None, None));
    builder.append_extension(names.unwrap()).unwrap();
}

/// A folder with `ca.pem`, `client.pem` and `client.key`.
pub(crate) struct Files {
    pub(crate) dir: TempDir,
}

impl Files {
    pub(crate) fn write(authorities: &[&Made], chain: &[&Made], key: &Made) -> Self {
        let files = Self { dir: tempfile::tempdir().unwrap() };
        std::fs::write(files.ca(), pem(authorities)).unwrap();
        std::fs::write(files.certificate(), pem(chain)).unwrap();
        std::fs::write(files.key(), key.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        files
    }

    /// A sound bundle: one authority, one client certificate, its key.
    pub(crate) fn sound() -> Self {
        let ca = make(Wish::authority("ca"), None);
        let client = make(Wish::client("producer"), Some(&ca));
        Self::write(&[&ca], &[&client], &client)
    }

    /// The same, with a certificate that ends on another day.
    pub(crate) fn until(day: i64) -> Self {
        let ca = make(Wish::authority("ca"), None);
        let client = make(Wish { until_day: day, ..Wish::client("producer") }, Some(&ca));
        Self::write(&[&ca], &[&client], &client)
    }

    /// These files as they would stand in `[kafka.tls]`.
    pub(crate) fn source(&self, password: &str) -> Source {
        let file = |path: PathBuf| Place::File(path);
        let (ca, certificate, key) = (file(self.ca()), file(self.certificate()), file(self.key()));
        files_only(Form::Pem { ca, certificate, key, password: Secret::new(password) })
    }

    pub(crate) fn bundle(&self, now_ms: i64) -> Result<Bundle, CertificateError> {
        load(&self.source(""), now_ms)
    }

    pub(crate) fn encrypt_key(&self, made: &Made, password: &str) {
        let pem = made.key.private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), password.as_bytes()).unwrap();
        std::fs::write(self.key(), pem).unwrap();
    }

    pub(crate) fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.path().join("client.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.path().join("client.key")
    }
}

/// A source without S3.
pub(crate) fn files_only(form: Form) -> Source {
    Source { form, store: ObjectStoreSettings { aws: Default::default(), timeout: Duration::from_secs(1) } }
}

/// A PKCS#12 file as a source.
pub(crate) fn pkcs12_at(file: PathBuf, password: &str) -> Source {
    files_only(Form::Pkcs12 { bundle: Place::File(file), password: Password::Text(Secret::new(password)) })
}

/// Reads and checks a source of files.
pub(crate) fn load(source: &Source, now_ms: i64) -> Result<Bundle, CertificateError> {
    match Reader::new(source.clone()).read() {
        Ok(material) => material.bundle(now_ms),
        Err(ReadError::File(fault)) => Err(fault),
        Err(error) => panic!("{error}"),
    }
}

/// A PKCS#12 file of a key, its certificate and what else shall be in it.
pub(crate) fn pkcs12(key: &Made, others: &[&Made], password: &str) -> Vec<u8> {
    let mut stack = Stack::new().unwrap();
    others.iter().for_each(|made| stack.push(made.certificate.clone()).unwrap());
    let mut builder = Pkcs12::builder();
    builder.name("comboio").pkey(&key.key).cert(&key.certificate).ca(stack);
    builder.build2(password).unwrap().to_der().unwrap()
}

fn pem(certificates: &[&Made]) -> Vec<u8> {
    certificates.iter().flat_map(|made| made.certificate.to_pem().unwrap()).collect()
}
