//! The producer's configuration as it is written.

use crate::ingest::IngestRaw;
use crate::instance::Instance;
use crate::key::KeyRaw;
use crate::limit::Limits;
use crate::route::RouteRaw;
use kafka_client::settings::{KafkaRaw, ProducerTuningRaw};
use runtime::admin::AdminRaw;
use runtime::config::{Size, Span};
use runtime::logs::LogsRaw;
use runtime::metrics::MetricsRaw;
use runtime::objects::ObjectStoreRaw;
use serde::{Deserialize, Serialize};

/// The whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Raw {
    pub run: RunRaw,
    pub source: SourceRaw,
    pub ingest: IngestRaw,
    pub routes: Vec<RouteRaw>,
    pub key: KeyRaw,
    pub limits: Limits,
    pub send: ProducerTuningRaw,
    pub spool: SpoolRaw,
    pub dead_letter: DeadLetterRaw,
    pub kafka: KafkaRaw,
    pub admin: AdminRaw,
    pub logs: LogsRaw,
    pub metrics: MetricsRaw,
}

/// Section `[run]`: this run, its start and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunRaw {
    /// Part of every generated event's id; empty: made anew for every run.
    pub id: String,
    /// `"2/3"`: the second of three producers that share the trucks, the rate and the limits.
    pub instance: Instance,
    /// How long Kafka may take to answer at the start.
    pub start_deadline: Span,
    /// How long the end may wait for acknowledgements.
    pub shutdown_deadline: Span,
    /// How often a line tells how it goes.
    pub progress_every: Span,
}

impl Default for RunRaw {
    fn default() -> Self {
        Self {
            id: String::new(),
            instance: Instance::default(),
            start_deadline: Span::from_secs(15),
            shutdown_deadline: Span::from_secs(10),
            progress_every: Span::from_secs(5),
        }
    }
}

/// Where events come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    #[default]
    Generator,
    Replay,
    Ingest,
}

/// Section `[source]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceRaw {
    /// `generator`, `replay` or `ingest`.
    pub kind: SourceKind,
    /// Generator: the profile's file.
    pub profile: String,
    /// Replay: an NDJSON file, or a directory of `*.ndjson` files.
    pub path: String,
    /// Replay: events/s; 0 is as fast as the limits allow.
    pub rate: f64,
}

/// Section `[dead_letter]`: where a record goes that can never be written to its topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeadLetterRaw {
    /// Whether `<topic>.dlq` is tried first.
    pub topic: bool,
    /// Where on S3 what the topic does not take goes, as `s3://bucket/prefix`; empty: not to S3.
    pub objects: String,
    /// How to reach S3.
    pub s3: ObjectStoreRaw,
    /// The local file behind both; bad lines and events without a route go there too.
    pub file: String,
    /// How long a topic may be missing while the producer runs until its records become dead letters.
    pub topic_missing_for: Span,
}

impl Default for DeadLetterRaw {
    fn default() -> Self {
        let (objects, s3) = Default::default();
        let (file, topic_missing_for) = ("producer-set-aside.ndjson".into(), Span::from_secs(60));
        Self { topic: true, objects, s3, file, topic_missing_for }
    }
}

/// Section `[spool]`: where events wait on the disk that Kafka did not acknowledge in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpoolRaw {
    /// Its folder; empty: no spool, and an event is given up after `send.delivery_timeout`.
    pub dir: String,
    /// The most bytes of events in it.
    pub max_size: Size,
    /// How long an event may wait for its acknowledgement before it goes to the spool.
    pub after: Span,
    /// How often an event may fail alone, while later ones of its partition get through, before it becomes a dead letter; 0 is never.
    pub attempts: u64,
}

impl Default for SpoolRaw {
    fn default() -> Self {
        Self { dir: String::new(), max_size: Size::from_mib(1_024), after: Span::from_secs(10), attempts: 0 }
    }
}
