//! The dispatcher's settings, from the environment alone: `COMBOIO_CONFIG` (TOML text, or the path of a TOML file) and
//! `COMBOIO_<SECTION>__<KEY>` over it. What was written becomes what is meant, and everything is built, once at cold start.

mod build;
mod routes;
mod transforms;

use crate::dedupe::{Dedupe, DedupeRaw};
use crate::deliver::{DeliverRaw, Policy};
use crate::destinations::{DynamoDbRaw, FileRaw, HttpRaw, LambdaRaw, Named, S3Raw, SnsRaw, SqsRaw};
use crate::event_source::{EventSource, EventSourceRaw};
use crate::route::{Rule, RuleRaw};
use crate::telemetry::{MetricsRaw, TelemetryConfig};
use crate::validate::ValidateRaw;
use domain::event::Versions;
use domain::key::KeyStrategy;
use runtime::config::{ConfigError, load};
use runtime::logs::{LogsConfig, LogsRaw};
use runtime::traces::TracesRaw;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// The whole configuration as written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DispatcherRaw {
    pub logs: LogsRaw,
    pub metrics: MetricsRaw,
    pub traces: TracesRaw,
    pub order: OrderRaw,
    pub validate: ValidateRaw,
    pub dedupe: DedupeRaw,
    pub deliver: DeliverRaw,
    pub event_source: EventSourceRaw,
    /// By name; the routes use the names.
    pub destinations: BTreeMap<String, DestinationRaw>,
    /// First match wins. None at all: every event goes to every destination, all required.
    pub routes: Vec<RuleRaw>,
}

/// `[order]`: what order hangs on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrderRaw {
    /// The key strategy of the producer.
    pub key: KeyStrategy,
}

/// `[destinations.NAME]`: exactly one of its tables.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DestinationRaw {
    pub sqs: Option<SqsRaw>,
    pub sns: Option<SnsRaw>,
    pub dynamodb: Option<DynamoDbRaw>,
    pub s3: Option<S3Raw>,
    pub lambda: Option<LambdaRaw>,
    pub http: Option<HttpRaw>,
    pub file: Option<FileRaw>,
}

/// The whole configuration as meant.
pub struct Config {
    pub logs: LogsConfig,
    pub telemetry: TelemetryConfig,
    pub key: KeyStrategy,
    pub versions: Versions,
    pub dedupe: Dedupe,
    pub policy: Policy,
    pub event_source: EventSource,
    /// Kept back for the answer.
    pub margin: Duration,
    pub destinations: Vec<Named>,
    pub rules: Vec<Rule>,
}

impl Config {
    /// Reads the variables and builds every part; opens files, touches no network.
    ///
    /// # Errors
    /// One sentence: the setting, its value, where it came from, what is allowed.
    pub fn from_variables(variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        build::config(&load::<DispatcherRaw>(None, variables)?)
    }
}

#[cfg(test)]
mod tests;
