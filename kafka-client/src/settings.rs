//! From the section `[kafka]` to the settings of a producer, a consumer or an admin client.
//!
//! Two steps: `raw` is what was written, [`Kafka`] is what is meant, with certificates read and checked. The only
//! place in the product where librdkafka's property names stand is `properties`.

/// What was written: the sections `[kafka]` and `[kafka.tls]`.
mod raw;
/// Which way the certificates come, and the bundle that comes of it.
mod tls;
/// What a producer may choose for itself.
mod producer_tuning;
/// What a consumer may choose for itself.
mod consumer_tuning;
/// Finished settings of one client, which never show the private key.
mod client;
/// librdkafka's property names and the values that every client of Comboio has.
mod properties;

pub use client::{ClientError, ClientSettings, Purpose};
pub use consumer_tuning::{ConsumerTuning, ConsumerTuningRaw, GroupProtocol, OffsetReset};
pub use producer_tuning::{Compression, ProducerTuning, ProducerTuningRaw};
pub use raw::{KafkaRaw, TlsRaw};
pub use tls::Certificates;

use crate::certificates::{Bundle, CertificateFacts, Identity};
use crate::expiry::{Expiry, Thresholds};
use runtime::clock::SharedClock;
use runtime::config::{ConfigError, Settings};
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
    metadata_refresh: Duration,
    verify_hostname: bool,
    certificates: Option<Arc<Certificates>>,
    thresholds: Thresholds,
    bundle: Option<Arc<Bundle>>,
}

impl Kafka {
    /// Checks what was written and reads the certificates. Every error is a bad configuration (exit 64) and names the
    /// setting, but for certificates that S3 does not give (exit 1). `raw` must stand under `kafka` in `settings`.
    pub fn validate(settings: &Settings, raw: &KafkaRaw) -> Result<Self, ConfigError> {
        check_bootstrap(settings, raw)?;
        check_text(settings, "kafka.client_id", &raw.client_id)?;
        check_span(settings, "kafka.connect_timeout", raw.connect_timeout.get(), 1, 600)?;
        check_span(settings, "kafka.request_timeout", raw.request_timeout.get(), 1, 300)?;
        check_span(settings, "kafka.metadata_refresh", raw.metadata_refresh.get(), 1, 3600)?;
        check_statistics(settings, raw.statistics_interval.get())?;
        let certificates = Certificates::validate(settings, &raw.tls)?;
        let bundle = certificates.as_ref().map(|certificates| tls::load(settings, &certificates.source)).transpose()?;
        Ok(Self {
            bootstrap: raw.bootstrap_servers.clone(),
            client_id: raw.client_id.clone(),
            connect_timeout: raw.connect_timeout.get(),
            request_timeout: raw.request_timeout.get(),
            statistics_interval: raw.statistics_interval.get(),
            metadata_refresh: raw.metadata_refresh.get(),
            verify_hostname: raw.tls.verify_hostname,
            certificates: certificates.map(Arc::new),
            thresholds: Thresholds { warn_before: raw.tls.warn_before.get(), alarm_before: raw.tls.alarm_before.get() },
            bundle: bundle.map(Arc::new),
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

    /// Where the certificates come from; `None` means plaintext.
    pub fn certificates(&self) -> Option<&Arc<Certificates>> {
        self.certificates.as_ref()
    }

    /// What `check` prints below the settings: where the certificates come from and how long ours holds.
    pub fn shown(&self) -> String {
        let Some(bundle) = &self.bundle else {
            return "\ncertificates  none, the connection is plaintext\n".to_owned();
        };
        let mut text = format!("\nauthorities  from {}\n", bundle.ca_file().display());
        if let Some(facts) = bundle.identity().map(Identity::facts) {
            let CertificateFacts { subject, file, not_after, days_left, .. } = facts;
            let file = file.display();
            text += &format!("certificate  {subject} from {file}, until {not_after}, {days_left} days left\n");
        }
        text
    }

    /// The end of the certificate in use, to be shown and told.
    pub fn expiry(&self, clock: SharedClock) -> Expiry {
        Expiry::new(self.bundle.as_deref(), self.thresholds, clock)
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

/// librdkafka takes no longer interval than a day; a shorter one than a tenth of a second costs more than it tells.
fn check_statistics(settings: &Settings, interval: Duration) -> Result<(), ConfigError> {
    let sound = Duration::from_millis(100)..=Duration::from_secs(86_400);
    if interval.is_zero() || sound.contains(&interval) {
        return Ok(());
    }
    Err(settings.refuse("kafka.statistics_interval", "allowed is \"0s\" (off) or \"100ms\" to \"1d\""))
}

/// `from` and `to` in whole seconds, both allowed.
fn check_span(settings: &Settings, key: &str, value: Duration, from: u64, to: u64) -> Result<(), ConfigError> {
    if value < Duration::from_secs(from) || value > Duration::from_secs(to) {
        return Err(settings.refuse(key, format!("allowed is \"{from}s\" to \"{to}s\"")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
