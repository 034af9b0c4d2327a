//! From the section `[kafka]` to the settings of a producer, a consumer or an admin client.
//!
//! Two steps: `raw` is what was written, [`Kafka`] is what is meant, with certificates read and checked. The only
//! place in the product where librdkafka's property names stand is `properties`.

/// What was written: the sections `[kafka]` and `[kafka.tls]`.
mod raw;
/// What a producer may choose for itself.
mod producer_tuning;
/// What a consumer may choose for itself.
mod consumer_tuning;
/// Finished settings of one client, which never show the private key.
mod client;
/// librdkafka's property names and the values that every client of Comboio has.
mod properties;

pub use client::{ClientError, ClientSettings, Purpose};
pub use consumer_tuning::{ConsumerTuning, ConsumerTuningRaw, OffsetReset};
pub use producer_tuning::{Compression, ProducerTuning, ProducerTuningRaw};
pub use raw::{KafkaRaw, TlsRaw};

use crate::certificates::Bundle;
use runtime::config::{ConfigError, Settings};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A validated connection to one Kafka cluster; immutable, cheap to clone, and without a secret in its `Debug`.
#[derive(Debug, Clone)]
pub struct Kafka {
    bootstrap: Vec<String>,
    client_id: String,
    connect_timeout: Duration,
    request_timeout: Duration,
    statistics_interval: Duration,
    verify_hostname: bool,
    bundle: Option<Arc<Bundle>>,
}

impl Kafka {
    /// Checks what was written and reads the certificate files. Every error is a bad configuration (exit 64) and names
    /// the setting. `raw` must stand under `kafka` in `settings`.
    pub fn validate(settings: &Settings, raw: &KafkaRaw) -> Result<Self, ConfigError> {
        check_bootstrap(settings, raw)?;
        check_text(settings, "kafka.client_id", &raw.client_id)?;
        check_span(settings, "kafka.connect_timeout", raw.connect_timeout.get(), 1, 600)?;
        check_span(settings, "kafka.request_timeout", raw.request_timeout.get(), 1, 300)?;
        Ok(Self {
            bootstrap: raw.bootstrap_servers.clone(),
            client_id: raw.client_id.clone(),
            connect_timeout: raw.connect_timeout.get(),
            request_timeout: raw.request_timeout.get(),
            statistics_interval: raw.statistics_interval.get(),
            verify_hostname: raw.tls.verify_hostname,
            bundle: load_bundle(settings, &raw.tls)?.map(Arc::new),
        })
    }

    /// Settings of a producer: idempotent, acknowledged by all replicas, partitioned like the Java client.
    pub fn producer(&self, tuning: &ProducerTuning) -> ClientSettings {
        properties::producer(self, tuning)
    }

    /// Settings of a consumer: it commits only what it is told to, and keeps its partitions over a restart.
    pub fn consumer(&self, tuning: &ConsumerTuning) -> ClientSettings {
        properties::consumer(self, tuning)
    }

    /// Settings for checks and admin requests: no group, no side effects on the broker.
    pub fn admin(&self) -> ClientSettings {
        properties::admin(self)
    }

    /// The certificates in use; `None` means plaintext.
    pub fn bundle(&self) -> Option<&Arc<Bundle>> {
        self.bundle.as_ref()
    }

    /// The same connection with other certificates: the second client of a rotation is built from it.
    pub fn with_bundle(&self, bundle: Arc<Bundle>) -> Self {
        Self { bundle: Some(bundle), ..self.clone() }
    }

    /// The configured `host:port` pairs.
    pub fn bootstrap(&self) -> &[String] {
        &self.bootstrap
    }
}

fn check_bootstrap(settings: &Settings, raw: &KafkaRaw) -> Result<(), ConfigError> {
    let allowed = "allowed is a list of at least one \"host:port\"";
    let is_pair = |server: &String| {
        server.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !host.contains(['/', ',', ' ']) && port.parse::<u16>().is_ok_and(|port| port > 0)
        })
    };
    if raw.bootstrap_servers.is_empty() || !raw.bootstrap_servers.iter().all(is_pair) {
        return Err(settings.refuse("kafka.bootstrap_servers", allowed));
    }
    Ok(())
}

fn check_text(settings: &Settings, key: &str, value: &str) -> Result<(), ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if value.is_empty() || value.len() > 249 || !value.chars().all(plain) {
        return Err(settings.refuse(key, "allowed are 1 to 249 letters, digits, '.', '_' and '-'"));
    }
    Ok(())
}

/// `from` and `to` in whole seconds, both allowed.
fn check_span(settings: &Settings, key: &str, value: Duration, from: u64, to: u64) -> Result<(), ConfigError> {
    if value < Duration::from_secs(from) || value > Duration::from_secs(to) {
        return Err(settings.refuse(key, format!("allowed is \"{from}s\" to \"{to}s\"")));
    }
    Ok(())
}

fn load_bundle(settings: &Settings, tls: &TlsRaw) -> Result<Option<Bundle>, ConfigError> {
    if tls.ca.is_empty() {
        let stray = [("kafka.tls.certificate", &tls.certificate), ("kafka.tls.key", &tls.key)];
        if let Some((key, _)) = stray.iter().find(|(_, path)| !path.is_empty()) {
            return Err(settings.refuse(key, "a client certificate needs kafka.tls.ca beside it"));
        }
        return Ok(None);
    }
    let ca = Path::new(&tls.ca);
    let bundle = match (tls.certificate.is_empty(), tls.key.is_empty()) {
        (true, true) => Bundle::load_ca(ca),
        (false, false) => Bundle::load(ca, Path::new(&tls.certificate), Path::new(&tls.key), password(tls)),
        (true, false) => return Err(settings.refuse("kafka.tls.certificate", "a key needs its certificate")),
        (false, true) => return Err(settings.refuse("kafka.tls.key", "a certificate needs its key")),
    };
    bundle.map(Some).map_err(|fault| settings.refuse(fault.setting(), fault.to_string()))
}

fn password(tls: &TlsRaw) -> Option<&str> {
    Some(tls.key_password.expose()).filter(|password| !password.is_empty())
}

#[cfg(test)]
mod tests;
