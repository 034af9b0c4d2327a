//! TLS of a server that speaks HTTP/2 alone, as AWS's do.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// With the chain and key of one PEM file, as [`super::Authority::issue_server`] writes it.
///
/// # Errors
/// The file cannot be read, or has no certificate or key that a server could use.
pub fn acceptor(pem: &Path) -> anyhow::Result<TlsAcceptor> {
    let of = || pem.display().to_string();
    let chain = CertificateDer::pem_file_iter(pem).with_context(of)?.collect::<Result<_, _>>().with_context(of)?;
    let key = PrivateKeyDer::from_pem_file(pem).with_context(of)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
