//! What was written: the sections `[kafka]` and `[kafka.tls]` of a service's configuration.

use runtime::config::{Secret, Span};
use runtime::objects::ObjectStoreRaw;
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
    /// How often a client asks what has become of its topics. After partitions were added, producers keep to the old ones and
    /// consumers leave the new ones unread for up to so long.
    pub metadata_refresh: Span,
    /// Certificates; without any of them the connection is plaintext.
    pub tls: TlsRaw,
}

/// Section `[kafka.tls]`: where the certificates are. `ca` alone checks the brokers only; `ca`, `certificate` and `key`
/// (PEM) or `bundle` (PKCS#12) are mutual TLS. Each is a path or `s3://bucket/key`.
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
    /// A PKCS#12 file with authorities, certificate and key, in place of the three.
    pub bundle: String,
    /// The password of the bundle.
    pub bundle_password: Secret,
    /// A file whose first line is the password of the bundle, read anew with every bundle.
    pub bundle_password_file: String,
    /// Whether the broker's certificate must name the host that we connect to.
    pub verify_hostname: bool,
    /// How often the certificates are looked at for new ones.
    pub check_every: Span,
    /// How many looks in a row may find parts that do not fit together before that is an alarm: files are replaced one
    /// after the other.
    pub settle_checks: u32,
    /// How long before its end a certificate is worth a warning.
    pub warn_before: Span,
    /// How long before its end a certificate is worth an alarm.
    pub alarm_before: Span,
    /// How to reach S3, for certificates that lie there.
    pub s3: ObjectStoreRaw,
}

impl Default for KafkaRaw {
    fn default() -> Self {
        Self {
            bootstrap_servers: Vec::new(),
            client_id: "comboio".to_owned(),
            connect_timeout: Span::from_secs(10),
            request_timeout: Span::from_secs(30),
            statistics_interval: Span::from_secs(10),
            metadata_refresh: Span::from_secs(300),
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
            bundle: String::new(),
            bundle_password: Secret::default(),
            bundle_password_file: String::new(),
            verify_hostname: true,
            check_every: Span::from_secs(60),
            settle_checks: 3,
            warn_before: Span::from_secs(30 * 86_400),
            alarm_before: Span::from_secs(7 * 86_400),
            s3: ObjectStoreRaw::default(),
        }
    }
}
