//! Brokers that somebody else runs: a real MSK cluster, or one that was started before.

use super::admin::{self, Admin};
use super::topic::Topic;
use crate::authority::Identity;

/// An address, and the one identity with which all clients connect.
#[derive(Clone, Debug)]
pub struct ExternalBroker {
    bootstrap: String,
    identity: Option<Identity>,
}

impl ExternalBroker {
    /// Does not connect yet. No identity means plaintext.
    #[must_use]
    pub fn new(bootstrap: impl Into<String>, identity: Option<Identity>) -> Self {
        Self { bootstrap: bootstrap.into(), identity }
    }

    /// The address as given.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.bootstrap.clone()
    }

    /// The identity as given.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Creates topics that are missing.
    ///
    /// # Errors
    /// The broker refuses, or does not answer in time.
    pub fn create_topics(&self, topics: &[Topic]) -> anyhow::Result<()> {
        let config = admin::client_config(&self.bootstrap, self.identity.as_ref());
        Admin::connect(&config)?.create_topics(topics)
    }
}
