//! TLS of the ingest server: certificate, key and the authorities of clients, checked before anything starts.

use super::config::IngestTlsRaw;
use kafka_client::certificates::{Form, Material, Place, Reader, Source};
use runtime::clock::{Clock, SystemClock};
use runtime::config::{ConfigError, Secret, Settings};
use runtime::objects::{ObjectStoreRaw, ObjectStoreSettings};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What a server needs to speak TLS.
#[derive(Clone)]
pub(super) struct Tls {
    pub(super) server: Arc<ServerConfig>,
    clients_required: bool,
}

impl Tls {
    /// True when only clients with a certificate get in.
    pub(super) fn knows_clients(&self) -> bool {
        self.clients_required
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("clients_required", &self.clients_required).finish_non_exhaustive()
    }
}

/// Reads the section `ingest.tls`; `None` when no certificate is written.
///
/// # Errors
/// A file that cannot be read, a certificate that has expired, a key that does not belong to it: the setting and what is wrong.
pub(super) fn read(settings: &Settings, raw: &IngestTlsRaw) -> Result<Option<Tls>, ConfigError> {
    let refuse = |key: &str, sentence: String| settings.refuse(&format!("ingest.tls.{key}"), sentence);
    // By default it is true and means nothing; whoever writes it relies on it.
    if raw.client_required && raw.client_ca.is_empty() && settings.is_written("ingest.tls.client_required") {
        return Err(refuse("client_required", "it needs ingest.tls.client_ca: without it every client gets in".into()));
    }
    match (raw.certificate.is_empty(), raw.key.is_empty(), raw.client_ca.is_empty()) {
        (true, true, true) => return Ok(None),
        (true, _, _) => return Err(refuse("certificate", "write the server's certificate beside the rest".into())),
        (false, true, _) => return Err(refuse("key", "write the key of ingest.tls.certificate".into())),
        (false, false, _) => {}
    }
    sound(Path::new(&raw.certificate), Path::new(&raw.key)).map_err(|why| refuse("certificate", why))?;
    for_servers(&raw.certificate).map_err(|why| refuse("certificate", why))?;
    let verifier = match raw.client_ca.is_empty() {
        true => None,
        false => Some(clients(raw).map_err(|why| refuse("client_ca", why))?),
    };
    let clients_required = verifier.is_some() && raw.client_required;
    let server = server(raw, verifier).map_err(|why| refuse("certificate", why))?;
    Ok(Some(Tls { server: Arc::new(server), clients_required }))
}

/// Whether the certificate holds now and the key is its own.
fn sound(certificate: &Path, key: &Path) -> Result<(), String> {
    let now_ms = SystemClock.wall_ms();
    // Its own file in place of an authority: who vouches for a server is the clients' question.
    let found = material(certificate, Some((certificate, key)))?.inspect(now_ms).map_err(|error| error.to_string())?;
    if !found.key_matches {
        return Err(format!("the key in {} does not belong to it", key.display()));
    }
    match found.certificate.first() {
        Some(facts) if facts.not_after_ms <= now_ms => Err(format!("it expired on {}", facts.not_after)),
        Some(facts) if facts.not_before_ms > now_ms => Err(format!("it is not valid before {}", facts.not_before)),
        _ => Ok(()),
    }
}

/// Whether its extended key usage, when it has one, holds servers: clients would turn it down.
fn for_servers(file: &str) -> Result<(), String> {
    let chain = certificates(file)?;
    let Some(Ok(own)) = chain.first().map(ParsedCertificate::try_from) else { return Ok(()) };
    let now = UnixTime::since_unix_epoch(Duration::from_millis(SystemClock.wall_ms().unsigned_abs()));
    let algorithms = provider().signature_verification_algorithms.all;
    // Nobody vouches for it here, which is always the last thing to be found.
    match verify_server_cert_signed_by_trust_anchor(&own, &RootCertStore::empty(), &[], now, algorithms) {
        Err(Error::InvalidCertificate(
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
        )) => Err("its extended key usage is not for servers: it needs serverAuth".into()),
        _ => Ok(()),
    }
}

/// The files as Kafka's certificates are read, to be looked at.
fn material(ca: &Path, own: Option<(&Path, &Path)>) -> Result<Material, String> {
    let file = |path: &Path| Place::File(path.to_owned());
    let form = match own {
        None => Form::Authority { ca: file(ca) },
        Some((certificate, key)) => {
            let password = Secret::default();
            Form::Pem { ca: file(ca), certificate: file(certificate), key: file(key), password }
        }
    };
    let store = ObjectStoreSettings::validate(&Settings::default(), "s3", &ObjectStoreRaw::default());
    let source = Source { form, store: store.map_err(|error| error.to_string())? };
    Reader::new(source).read().map_err(|error| error.to_string())
}

fn clients(raw: &IngestTlsRaw) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let authority = material(Path::new(&raw.client_ca), None)?;
    authority.bundle(SystemClock.wall_ms()).map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    for authority in certificates(&raw.client_ca)? {
        roots.add(authority).map_err(|error| error.to_string())?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let builder = if raw.client_required { builder } else { builder.allow_unauthenticated() };
    builder.build().map_err(|error| error.to_string())
}

fn server(raw: &IngestTlsRaw, verifier: Option<Arc<dyn ClientCertVerifier>>) -> Result<ServerConfig, String> {
    let key = PrivateKeyDer::from_pem_file(&raw.key).map_err(|error| format!("the key cannot be read: {error}"))?;
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let server = builder.with_single_cert(certificates(&raw.certificate)?, key);
    let mut server = server.map_err(|error| error.to_string())?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(server)
}

fn certificates(file: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    read.map_err(|error| format!("{file} cannot be read: {error}"))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[cfg(test)]
mod tests {
    use super::{IngestTlsRaw, Settings, Tls, read};
    use localenv::authority::Authority;

    fn tried(raw: &IngestTlsRaw) -> Result<Option<Tls>, String> {
        let settings = Settings::of(&serde_json::json!({ "ingest": { "tls": raw } }));
        read(&settings, raw).map_err(|error| error.to_string())
    }

    #[test]
    fn what_fits_together_is_taken_and_what_does_not_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path()).unwrap();
        let text = |path: &std::path::Path| path.display().to_string();
        let server = text(&authority.issue_server("ingest").unwrap());
        let (ca, old) = (text(&authority.ca()), authority.issue_expired("old").unwrap());
        let other = authority.issue("other").unwrap();
        let good =
            IngestTlsRaw { certificate: server.clone(), key: server, client_ca: ca.clone(), client_required: true };
        assert!(tried(&IngestTlsRaw::default()).unwrap().is_none());
        assert!(tried(&good).unwrap().unwrap().knows_clients());
        let optional = IngestTlsRaw { client_required: false, ..good.clone() };
        assert!(!tried(&optional).unwrap().unwrap().knows_clients());
        let for_clients = IngestTlsRaw { certificate: text(&other.certificate), key: text(&other.key), ..good.clone() };
        let expired = IngestTlsRaw { certificate: text(&old.certificate), key: text(&old.key), ..good.clone() };
        for (raw, said) in [
            (IngestTlsRaw { certificate: String::new(), ..good.clone() }, "ingest.tls.certificate"),
            (IngestTlsRaw { key: String::new(), ..good.clone() }, "ingest.tls.key"),
            (IngestTlsRaw { key: text(&other.key), ..good.clone() }, "does not belong to it"),
            (IngestTlsRaw { key: ca, ..good.clone() }, "ingest.tls.certificate"),
            (IngestTlsRaw { client_ca: "/nowhere".into(), ..good }, "ingest.tls.client_ca"),
            (expired, "it expired on"),
            (for_clients, "it needs serverAuth"),
        ] {
            let sentence = tried(&raw).expect_err(said);
            assert!(sentence.contains(said) && !sentence.contains("PRIVATE"), "{said}: {sentence}");
        }
    }
}
