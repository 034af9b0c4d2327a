//! From `--config` and flags to a Kafka connection.
//!
//! The file is that of a service. Its other sections belong to the service, which checks them; here they are left
//! alone on purpose, so that one file serves both.

use crate::cli::Connection;
use kafka_client::settings::{Kafka, KafkaRaw};
use runtime::config::{ConfigError, Loaded, environment, load};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The one section that matters here; unlike in a service, others may stand beside it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Raw {
    pub(crate) kafka: KafkaRaw,
}

/// What was written, not yet checked: `certs` shows also what is wrong.
pub(crate) fn read(connection: &Connection) -> Result<Loaded<Raw>, ConfigError> {
    let flags = flags(connection);
    let named = |name: &str| flags.iter().any(|(flag, _)| flag == name);
    let rest = environment().filter(|(name, _)| !named(name));
    load::<Raw>(connection.config.as_deref(), rest.chain(flags.clone()))
}

/// The checked connection.
pub(crate) fn open(connection: &Connection) -> Result<Kafka, ConfigError> {
    let loaded = read(connection)?;
    if loaded.raw.kafka.bootstrap_servers.is_empty() {
        let sentence = "no Kafka to talk to: give --config FILE with kafka.bootstrap_servers, or --bootstrap-servers";
        return Err(ConfigError::other(sentence));
    }
    Kafka::validate(&loaded, &loaded.raw.kafka)
}

/// A flag is the setting of the same name, so that one check and one sentence serve both.
fn flags(connection: &Connection) -> Vec<(String, String)> {
    let path = |path: &Option<std::path::PathBuf>| path.as_deref().map(Path::to_string_lossy).map(String::from);
    let flags = [
        ("COMBOIO_KAFKA__BOOTSTRAP_SERVERS", connection.bootstrap_servers.clone()),
        ("COMBOIO_KAFKA__TLS__CA", path(&connection.ca)),
        ("COMBOIO_KAFKA__TLS__CERTIFICATE", path(&connection.certificate)),
        ("COMBOIO_KAFKA__TLS__KEY", path(&connection.key)),
        ("COMBOIO_KAFKA__TLS__BUNDLE", path(&connection.bundle)),
    ];
    flags.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value))).collect()
}
