//! What a consumer may choose for itself: its group, its place in it, and how much it reads ahead.

use super::{check_span, check_text};
use runtime::config::{ConfigError, Settings, Size, Span};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// As written; a service puts it under a section of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsumerTuningRaw {
    /// The consumer group.
    pub group: String,
    /// A name that this instance keeps over a restart (static membership); empty means a new member at every start.
    pub instance: String,
    /// How the group is formed.
    pub protocol: GroupProtocol,
    /// The brokers' assignor, for [`GroupProtocol::Consumer`] alone; empty: as they are set up.
    pub assignor: String,
    /// How long the group waits for a silent member before its partitions move; for [`GroupProtocol::Classic`] alone.
    pub session_timeout: Span,
    /// How long the client may go unpolled; also how long a rebalance may take.
    pub max_poll_interval: Span,
    /// Where to start when the group has no committed offset, or one that is no longer there.
    pub offset_reset: OffsetReset,
    /// The client fetches more of a partition when fewer records of it lie ready.
    pub prefetch_records: u32,
    /// The client fetches no more of a partition while so many bytes of it lie ready.
    pub prefetch_size: Size,
    /// The most bytes of one partition in one fetch.
    pub partition_fetch_size: Size,
    /// How long the broker may hold a fetch back when there is nothing new.
    pub fetch_wait: Span,
}

/// How a group shares its partitions out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupProtocol {
    /// Its members do, cooperative-sticky: on every Kafka.
    #[default]
    Classic,
    /// The brokers do (KIP-848): Kafka 4.0 and newer. Session and heartbeat are theirs to set too.
    Consumer,
}

/// What happens without a usable committed offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OffsetReset {
    /// Read everything that is still there: a new group starts at the beginning, and nothing is skipped.
    Earliest,
    /// Skip what is there and read only what comes.
    Latest,
    /// Stop with an error, so that somebody decides.
    Error,
}

/// As meant; see [`ConsumerTuningRaw`] for what each field is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerTuning {
    pub group: String,
    pub instance: Option<String>,
    pub protocol: GroupProtocol,
    pub assignor: Option<String>,
    pub session_timeout: Duration,
    pub max_poll_interval: Duration,
    pub offset_reset: OffsetReset,
    pub prefetch_records: u32,
    pub prefetch_bytes: u64,
    pub partition_fetch_bytes: u64,
    pub fetch_wait: Duration,
}

/// With less a partition is fetched in crumbs.
const LEAST_BYTES: u64 = 64 << 10;
const LEAST_RECORDS: u64 = 100;

impl Default for ConsumerTuningRaw {
    /// The read-ahead is small on purpose: it is that of each partition, and carries as many records/s as a large one. What a fetch brings comes
    /// beyond it, packed: 1 MiB, librdkafka's default, unpacks to as much as the whole read-ahead, and costs more CPU a record.
    fn default() -> Self {
        Self {
            group: String::new(),
            instance: String::new(),
            protocol: GroupProtocol::Classic,
            assignor: String::new(),
            session_timeout: Span::from_secs(45),
            max_poll_interval: Span::from_secs(300),
            offset_reset: OffsetReset::Earliest,
            prefetch_records: 2_500,
            prefetch_size: Size::from_mib(4),
            partition_fetch_size: Size::from_kib(256),
            fetch_wait: Span::from_millis(100),
        }
    }
}

impl ConsumerTuning {
    /// The defaults for a group, without static membership.
    pub fn for_group(group: &str) -> Self {
        Self::from_raw(&ConsumerTuningRaw { group: group.to_owned(), ..ConsumerTuningRaw::default() })
    }

    /// Checks what was written under `section` (for example `poll`); errors name the setting.
    pub fn validate(settings: &Settings, section: &str, raw: &ConsumerTuningRaw) -> Result<Self, ConfigError> {
        let key = |name: &str| format!("{section}.{name}");
        check_text(settings, &key("group"), &raw.group)?;
        if !raw.instance.is_empty() {
            check_text(settings, &key("instance"), &raw.instance)?;
        }
        check_span(settings, &key("session_timeout"), raw.session_timeout.get(), 1, 3_600)?;
        check_span(settings, &key("max_poll_interval"), raw.max_poll_interval.get(), 1, 86_400)?;
        if raw.max_poll_interval.get() < raw.session_timeout.get() {
            return Err(settings.refuse(&key("max_poll_interval"), "it must not be shorter than session_timeout"));
        }
        check_span(settings, &key("fetch_wait"), raw.fetch_wait.get(), 0, 60)?;
        if !(1..=10_000_000).contains(&raw.prefetch_records) {
            return Err(settings.refuse(&key("prefetch_records"), "allowed is 1 to 10000000"));
        }
        if !(65_536..=(1 << 30)).contains(&raw.prefetch_size.bytes()) {
            return Err(settings.refuse(&key("prefetch_size"), "allowed is \"64KiB\" to \"1GiB\""));
        }
        if !(1_024..=50_000_000).contains(&raw.partition_fetch_size.bytes()) {
            return Err(settings.refuse(&key("partition_fetch_size"), "allowed is \"1KiB\" to \"50MB\""));
        }
        Ok(Self::from_raw(raw))
    }

    /// Lowers the read-ahead of a partition so that so many of them hold no more than `bytes` together, as far as a share still makes sense;
    /// the same for what one fetch may bring beyond it.
    pub fn share_read_ahead(&mut self, bytes: u64, partitions: u64) {
        let share = (bytes / partitions.max(1)).max(LEAST_BYTES);
        if share >= self.prefetch_bytes {
            return;
        }
        let records = (u64::from(self.prefetch_records) * share / self.prefetch_bytes).max(LEAST_RECORDS);
        self.prefetch_records = u32::try_from(records).unwrap_or(self.prefetch_records).min(self.prefetch_records);
        self.prefetch_bytes = share;
        self.partition_fetch_bytes = self.partition_fetch_bytes.min(share);
    }

    fn from_raw(raw: &ConsumerTuningRaw) -> Self {
        Self {
            group: raw.group.clone(),
            instance: Some(raw.instance.clone()).filter(|instance| !instance.is_empty()),
            protocol: raw.protocol,
            assignor: Some(raw.assignor.clone()).filter(|assignor| !assignor.is_empty()),
            session_timeout: raw.session_timeout.get(),
            max_poll_interval: raw.max_poll_interval.get(),
            offset_reset: raw.offset_reset,
            prefetch_records: raw.prefetch_records,
            prefetch_bytes: raw.prefetch_size.bytes(),
            partition_fetch_bytes: raw.partition_fetch_size.bytes(),
            fetch_wait: raw.fetch_wait.get(),
        }
    }
}

impl OffsetReset {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Earliest => "earliest",
            Self::Latest => "latest",
            Self::Error => "error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ConsumerTuning;

    #[test]
    fn few_partitions_have_the_whole_read_ahead_and_many_share_it() {
        let share = |partitions| {
            let mut tuning = ConsumerTuning::for_group("g");
            tuning.share_read_ahead(128 << 20, partitions);
            (tuning.prefetch_bytes, tuning.prefetch_records, tuning.partition_fetch_bytes)
        };
        for partitions in [0, 1, 32] {
            assert_eq!(share(partitions), (4 << 20, 2_500, 256 << 10));
        }
        assert_eq!(share(64), (2 << 20, 1_250, 256 << 10));
        assert_eq!(share(1 << 10), (128 << 10, 100, 128 << 10));
        assert_eq!(share(1 << 20), (64 << 10, 100, 64 << 10), "no crumbs");
    }
}
