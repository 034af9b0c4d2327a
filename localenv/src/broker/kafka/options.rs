//! What kind of cluster to start.

use std::path::PathBuf;

use anyhow::ensure;

/// Whether the brokers shall be there soon or be fast.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speed {
    /// The JVM's first compiler only: half the start time, enough for tens of thousands of events per second.
    #[default]
    QuickStart,
    /// The optimising compiler and more memory, for measurements near the limit.
    Throughput,
}

/// What kind of cluster to start; [`Default`] is one broker with mutual TLS in a temporary folder.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// 1, or 3 (replication factor 3, two replicas in sync required).
    pub brokers: usize,
    /// An empty folder for certificates, data and logs; kept afterwards. `None` is a temporary one.
    pub dir: Option<PathBuf>,
    /// A listener without TLS beside the other. Whoever connects there may do everything.
    pub plaintext: bool,
    /// Bootstrap addresses that stay the same when brokers move to new ports.
    pub forwarded: bool,
    /// Soon or fast.
    pub speed: Speed,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self { brokers: 1, dir: None, plaintext: false, forwarded: false, speed: Speed::default() }
    }
}

impl KafkaOptions {
    /// One or three brokers.
    #[must_use]
    pub fn brokers(brokers: usize) -> Self {
        Self { brokers, ..Self::default() }
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        ensure!(matches!(self.brokers, 1 | 3), "{} brokers cannot be started, only 1 or 3", self.brokers);
        Ok(())
    }
}
