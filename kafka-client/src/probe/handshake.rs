//! A second, closer look at a TLS handshake that failed.
//!
//! librdkafka only says "certificate verify failed". The same handshake made by hand tells which certificate it was and
//! what is wrong with it. Nothing but the handshake is done, and within a few seconds.

use super::error::ProbeError;
use crate::certificates::Bundle;
use crate::settings::ClientSettings;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{SslConnector, SslConnectorBuilder, SslMethod, SslVerifyMode};
use openssl::x509::{X509, X509NameRef, X509Ref, X509StoreContextRef};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const LOOK: Duration = Duration::from_secs(2);

/// X509_V_ERR_* of OpenSSL's x509_vfy.h.
const NOT_YET_VALID: i32 = 9;
const EXPIRED: i32 = 10;
const HOSTNAME_MISMATCH: i32 = 62;
const ADDRESS_MISMATCH: i32 = 64;

/// The sentence for a TLS failure with `broker` of which librdkafka said `reason`.
pub(super) fn explain(settings: &ClientSettings, broker: String, reason: &str) -> ProbeError {
    let reason = reason.to_owned();
    let Some(bundle) = settings.bundle() else { return ProbeError::TlsExpected { broker } };
    let foreign = ["wrong version number", "record layer failure", "packet length too long", "http request"];
    if foreign.iter().any(|words| reason.contains(words)) {
        return ProbeError::NotTls { broker, reason };
    }
    if reason.contains("verify failed") {
        let fault = look(settings, bundle, &broker)
            .map_or_else(|| format!("{reason}: check {}", bundle.ca_file().display()), |seen| seen.sentence(bundle));
        return ProbeError::BrokerCertificate { broker, fault };
    }
    match bundle.identity() {
        None => ProbeError::CertificateMissing { broker, reason },
        Some(identity) => {
            let (subject, issuer) = (identity.facts().subject.clone(), identity.facts().issuer.clone());
            ProbeError::CertificateRefused { broker, subject, issuer, reason }
        }
    }
}

/// What was wrong with the certificate that the broker showed.
#[derive(Debug)]
struct Seen {
    code: i32,
    words: &'static str,
    subject: String,
    issuer: String,
    not_before: String,
    not_after: String,
    names: String,
    host: String,
}

impl Seen {
    fn sentence(&self, bundle: &Bundle) -> String {
        let Self { subject, issuer, host, names, .. } = self;
        match self.code {
            EXPIRED => format!(
                "the broker's certificate {subject} expired on {}: it has to be renewed on the brokers, or the clock \
                 of this machine is wrong",
                self.not_after
            ),
            NOT_YET_VALID => {
                format!("the broker's certificate {subject} is not valid before {}: check the clocks", self.not_before)
            }
            HOSTNAME_MISMATCH | ADDRESS_MISMATCH => format!(
                "the broker's certificate {subject} is for {names} and not for {host}: write a name that it holds in \
                 kafka.bootstrap_servers, or set kafka.tls.verify_hostname = false"
            ),
            _ => format!(
                "the broker's certificate {subject}, issued by {issuer}, is not vouched for by {} ({}): set \
                 kafka.tls.ca to the authority of the brokers",
                bundle.ca_file().display(),
                self.words
            ),
        }
    }
}

fn look(settings: &ClientSettings, bundle: &Bundle, broker: &str) -> Option<Seen> {
    let (host, _) = broker.rsplit_once(':')?;
    let address = broker.to_socket_addrs().ok()?.next()?;
    let stream = TcpStream::connect_timeout(&address, LOOK).ok()?;
    stream.set_read_timeout(Some(LOOK)).ok()?;
    stream.set_write_timeout(Some(LOOK)).ok()?;
    let seen = Arc::new(Mutex::new(None));
    let connector = connector(bundle, host.to_owned(), Arc::clone(&seen)).ok()?;
    let verify = settings.property("ssl.endpoint.identification.algorithm") != Some("none");
    let mut configuration = connector.configure().ok()?;
    configuration.set_verify_hostname(verify);
    // Success would be a surprise, and no less an answer: then there is nothing to see.
    let _ = configuration.connect(host, stream);
    seen.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn connector(bundle: &Bundle, host: String, seen: Arc<Mutex<Option<Seen>>>) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    trust_only(&mut builder, bundle)?;
    if let Some(identity) = bundle.identity() {
        builder.set_private_key(&*PKey::private_key_from_pem(identity.key_pem().as_bytes())?)?;
        builder.set_certificate(&*X509::from_pem(identity.certificate_pem().as_bytes())?)?;
    }
    builder.set_verify_callback(SslVerifyMode::PEER, move |fine, context| {
        if !fine {
            let mut slot = seen.lock().unwrap_or_else(PoisonError::into_inner);
            slot.get_or_insert_with(|| refused(context, &host));
        }
        fine
    });
    Ok(builder.build())
}

/// The system's authorities are left out: what counts is the configured file, as in the real client.
fn trust_only(builder: &mut SslConnectorBuilder, bundle: &Bundle) -> Result<(), ErrorStack> {
    let mut store = openssl::x509::store::X509StoreBuilder::new()?;
    for authority in X509::stack_from_pem(bundle.ca_pem().as_bytes())? {
        store.add_cert(authority)?;
    }
    builder.set_cert_store(store.build());
    Ok(())
}

fn refused(context: &X509StoreContextRef, host: &str) -> Seen {
    let error = context.error();
    // Whose dates are wrong, or else whom we talk to: an authority in between tells nobody anything.
    let leaf = || context.chain().and_then(|chain| chain.get(0));
    let certificate = match error.as_raw() {
        EXPIRED | NOT_YET_VALID => context.current_cert(),
        _ => leaf().or_else(|| context.current_cert()),
    };
    let of = |read: fn(&X509Ref) -> String| certificate.map(read).unwrap_or_default();
    Seen {
        code: error.as_raw(),
        words: error.error_string(),
        subject: of(|certificate| name(certificate.subject_name())),
        issuer: of(|certificate| name(certificate.issuer_name())),
        not_before: of(|certificate| certificate.not_before().to_string()),
        not_after: of(|certificate| certificate.not_after().to_string()),
        names: of(alternative_names),
        host: host.to_owned(),
    }
}

fn name(name: &X509NameRef) -> String {
    crate::certificates::distinguished_name(name)
}

fn alternative_names(certificate: &X509Ref) -> String {
    crate::certificates::alternative_names(certificate).join(", ")
}
