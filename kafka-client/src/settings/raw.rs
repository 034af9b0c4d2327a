//! What was written: the sections `[kafka]` and `[kafka.tls]` of a service's configuration.

use runtime::config::{Secret, Span};
use serde::{Deserialize, Serialize};

/// Section `[kafka]`: where the cluster is and how to speak to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaRaw {
    /// `host:port` of two or more brokers; the rest of the cluster is found from them.
    pub bootstrap_servers: Vec<String>,
    /// The name in the brokers' logs and quotas.
    pub client_id: String,
    /// How long one connection may take to be set up, TLS included.
    pub connect_timeout: Span,
    /// How long a broker may take to answer one request.
    pub request_timeout: Span,
    /// How often a client reports its statistics; `"0s"` turns them off. They grow with brokers times partitions.
    pub statistics_interval: Span,
    /// Certificates; without any of them the connection is plaintext.
    pub tls: TlsRaw,
}

/// Section `[kafka.tls]`: PEM files. `ca` alone checks the brokers only, all three are mutual TLS.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsRaw {
    /// The authorities that may sign a broker's certificate, and that must have signed ours.
    pub ca: String,
    /// Our certificate, followed by its intermediates if there are any.
    pub certificate: String,
    /// The private key of the certificate: PKCS#8 or traditional, encrypted or not.
    pub key: String,
    /// The password of an encrypted key.
    pub key_password: Secret,
    /// Whether the broker's certificate must name the host that we connect to.
    pub verify_hostname: bool,
}

impl Default for KafkaRaw {
    fn default() -> Self {
        Self {
            bootstrap_servers: Vec::new(),
            client_id: "comboio".to_owned(),
            connect_timeout: Span::from_secs(10),
            request_timeout: Span::from_secs(30),
            statistics_interval: Span::from_secs(10),
            tls: TlsRaw::default(),
        }
    }
}

impl Default for TlsRaw {
    fn default() -> Self {
        Self {
            ca: String::new(),
            certificate: String::new(),
            key: String::new(),
            key_password: Secret::default(),
            verify_hostname: true,
        }
    }
}
