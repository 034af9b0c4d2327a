//! Finished settings of one client. They hold the private key, so nothing here shows more than names.

use super::Kafka;
use crate::certificates::Bundle;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError;
use std::fmt;
use std::sync::Arc;

/// What the client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Producer,
    Consumer,
    Admin,
}

/// Settings from which a client is created. `Debug` shows values that are safe to show.
#[derive(Clone)]
pub struct ClientSettings {
    pub(super) config: ClientConfig,
    pub(super) purpose: Purpose,
    pub(super) kafka: Kafka,
}

/// A client that could not be created; the sentence holds no setting's value.
#[derive(Debug, thiserror::Error)]
#[error("a Kafka client could not be created: {reason}")]
pub struct ClientError {
    reason: String,
}

impl ClientSettings {
    /// Creates the client, for example `BaseProducer<C>`, `BaseConsumer<C>` or `AdminClient<C>`.
    pub fn create_with_context<C, T>(&self, context: C) -> Result<T, ClientError>
    where
        C: ClientContext,
        T: FromClientConfigAndContext<C>,
    {
        self.config.create_with_context(context).map_err(|error| ClientError { reason: without_value(&error) })
    }

    /// What the client is for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The configured `host:port` pairs.
    pub fn bootstrap(&self) -> &[String] {
        self.kafka.bootstrap()
    }

    /// The certificates in use; `None` means plaintext.
    pub fn bundle(&self) -> Option<&Arc<Bundle>> {
        self.kafka.bundle()
    }

    /// Settings of an admin client for the same cluster with the same certificates.
    pub fn to_admin(&self) -> Self {
        self.kafka.admin()
    }

    /// One property as it was set; never a PEM text or a password.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.config.get(name).filter(|_| !is_hidden(name))
    }
}

/// librdkafka's error for a refused property carries the value; the name and the description are enough.
fn without_value(error: &KafkaError) -> String {
    match error {
        KafkaError::ClientConfig(_, description, name, _) => format!("{description} ({name})"),
        KafkaError::ClientCreation(reason) => reason.trim().to_owned(),
        other => other.to_string(),
    }
}

fn is_hidden(name: &str) -> bool {
    name.ends_with(".pem") || name.ends_with("password") || name.ends_with("secret")
}

impl fmt::Debug for ClientSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.config.config_map().into_iter().filter(|(name, _)| !is_hidden(name));
        f.debug_struct("ClientSettings")
            .field("purpose", &self.purpose)
            .field("bundle", &self.bundle())
            .field("properties", &shown.collect::<std::collections::BTreeMap<_, _>>())
            .finish()
    }
}
