//! What a producer may choose for itself: latency against throughput, memory, and how long it tries.

use super::check_span;
use runtime::config::{ConfigError, Settings, Size, Span};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// As written; a service puts it under a section of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProducerTuningRaw {
    /// How long a record waits for company before it is sent.
    pub linger: Span,
    /// The most bytes of one batch, before compression.
    pub batch_size: Size,
    /// The most records of one batch; wider than what is allowed, so that the refusal can say what is.
    pub batch_records: u64,
    /// The most records in the client's memory; about 400 bytes each.
    pub queue_records: u64,
    /// The most bytes (keys and values) in the client's memory.
    pub queue_size: Size,
    /// How long a record is tried before it is given back.
    pub delivery_timeout: Span,
    /// How a batch is compressed.
    pub compression: Compression,
}

/// Codecs that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    None,
    Lz4,
    Snappy,
    Gzip,
}

/// As meant; see [`ProducerTuningRaw`] for what each field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerTuning {
    pub linger: Duration,
    pub batch_bytes: u64,
    /// The most bytes of one record, which is a batch by itself when it has more than `batch_bytes`; at least that.
    pub record_bytes: u64,
    pub batch_records: u32,
    pub queue_records: u32,
    pub queue_bytes: u64,
    pub delivery_timeout: Duration,
    pub compression: Compression,
    /// How long a topic may be unknown to a client that has just begun with it before its records come back: a broker that
    /// has just started may not know it yet. One that was known before comes back at once.
    pub topic_patience: Duration,
}

/// A record may have so many bytes however small the batches are.
const LEAST_RECORD_BYTES: u64 = 1_000_000;

/// As librdkafka's own.
const TOPIC_PATIENCE: Duration = Duration::from_secs(30);

impl Default for ProducerTuningRaw {
    /// The linger is longer than a broker needs to answer. An idempotent librdkafka sends nothing more to a partition while
    /// it waits for an answer, and spins once the linger of what waits there is over (rd_kafka_toppar_producer_serve,
    /// 2.12): a shorter linger costs several times the CPU and, because of the small batches, latency too. The batch limits
    /// only matter while a backlog is caught up. The queue holds 30 s of 13,000 events/s: longer than a leader takes to
    /// move.
    fn default() -> Self {
        Self {
            linger: Span::from_millis(200),
            batch_size: Size::from_bytes(1_000_000),
            batch_records: 10_000,
            queue_records: 400_000,
            queue_size: Size::from_mib(256),
            delivery_timeout: Span::from_secs(120),
            compression: Compression::Lz4,
        }
    }
}

impl Default for ProducerTuning {
    fn default() -> Self {
        Self::from_raw(&ProducerTuningRaw::default())
    }
}

impl ProducerTuning {
    /// Checks what was written under `section` (for example `send`); errors name the setting.
    pub fn validate(settings: &Settings, section: &str, raw: &ProducerTuningRaw) -> Result<Self, ConfigError> {
        let key = |name: &str| format!("{section}.{name}");
        check_span(settings, &key("linger"), raw.linger.get(), 0, 60)?;
        check_span(settings, &key("delivery_timeout"), raw.delivery_timeout.get(), 1, 3_600)?;
        if raw.linger.get() >= raw.delivery_timeout.get() {
            return Err(settings.refuse(&key("linger"), "it must be shorter than delivery_timeout"));
        }
        if !(1_024..=100_000_000).contains(&raw.batch_size.bytes()) {
            return Err(settings.refuse(&key("batch_size"), "allowed is \"1KiB\" to \"100MB\""));
        }
        if !(1..=1_000_000).contains(&raw.batch_records) {
            return Err(settings.refuse(&key("batch_records"), "allowed is 1 to 1000000"));
        }
        if !(1..=10_000_000).contains(&raw.queue_records) {
            return Err(settings.refuse(&key("queue_records"), "allowed is 1 to 10000000"));
        }
        if !(1_048_576..=(16 << 30)).contains(&raw.queue_size.bytes()) {
            return Err(settings.refuse(&key("queue_size"), "allowed is \"1MiB\" to \"16GiB\""));
        }
        Ok(Self::from_raw(raw))
    }

    fn from_raw(raw: &ProducerTuningRaw) -> Self {
        Self {
            linger: raw.linger.get(),
            batch_bytes: raw.batch_size.bytes(),
            record_bytes: raw.batch_size.bytes().max(LEAST_RECORD_BYTES),
            batch_records: raw.batch_records as u32,
            queue_records: raw.queue_records as u32,
            queue_bytes: raw.queue_size.bytes(),
            delivery_timeout: raw.delivery_timeout.get(),
            compression: raw.compression,
            topic_patience: TOPIC_PATIENCE,
        }
    }
}

impl Compression {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lz4 => "lz4",
            Self::Snappy => "snappy",
            Self::Gzip => "gzip",
        }
    }
}
