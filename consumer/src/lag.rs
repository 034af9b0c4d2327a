//! Lag: how old the oldest unfinished record of a partition is, in every state, and what retention deleted unread.
//!
//! In: offsets and timestamps of polled records, what Kafka says of its log, and the time. Out: records, seconds, losses, and whether the
//! log ends before what was read.
//! Never: reads a clock, keeps a timestamp per record, or leaves an owned partition without a lag.
//!
//! Where the time of the oldest unfinished record comes from, best first:
//!
//! 1. It was polled: its broker timestamp, from sparse samples. They lie half a second or 1 % of their age apart, so
//!    the lag is at most that much too high.
//! 2. It was not polled, for the partition is paused, or was just assigned, or the client is busy with a rebalance: Kafka was asked
//!    for that very record, beside the group, and its timestamp is known.
//! 3. Nobody has asked yet: it came after the last look at which the log ended before it (an upper bound, as far off as looks lie
//!    apart), and not before the last record that was polled, for a log is in order of time.
//! 4. It was there when the partition was assigned, and nobody has asked yet: not before the last record that was polled, or, when
//!    none was, the time since then, a lower bound. The next look asks for it, so this may be wrong for half a second, and for as
//!    long as Kafka does not answer.
//!
//! Times are the broker's and ours, so clocks that differ show as lag: at most as much as they differ.

/// Which records may have been deleted before they were read.
mod gaps;
/// Whether a log is still the one that was read.
mod log_end;
/// Offsets and times, sparse.
mod samples;
/// One partition in one generation.
mod trail;

pub use trail::Trail;

/// How one partition lags.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lag {
    /// End offset minus committed offset, without what retention deleted.
    pub records: u64,
    /// Age of the oldest unfinished record; 0 when there is none.
    pub seconds: f64,
    /// Records that retention deleted before they were read, or that were skipped, in this generation.
    pub lost: u64,
}

/// What Kafka said of a partition's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The oldest offset that is there.
    pub low: i64,
    /// One past the newest record that a reader may see.
    pub end: i64,
    /// When it was asked: wall clock, milliseconds since the epoch. What it does not show came later.
    pub at_ms: i64,
}

/// What Kafka said when it was asked for the first record from an offset on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Broker timestamp, milliseconds since the epoch.
    Record { timestamp_ms: i64 },
    /// There is none, although the log ends later: markers of transactions are no records.
    Nothing,
}

/// What the group had committed when a partition was assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    Next(i64),
    /// Nothing: the first look decides, by the configured start.
    Nothing,
    /// Kafka did not say.
    Unknown,
}

/// Records that this group will not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost {
    /// Where reading stood.
    pub from: i64,
    /// The first offset after it that is not lost.
    pub to: i64,
    pub why: Why,
}

/// Why records are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Retention deleted them before they were read.
    Deleted,
    /// Reading began anew at the end of the log, for the offset to go on from was gone; some may have been read before.
    Skipped,
}

impl Lost {
    pub fn records(self) -> u64 {
        u64::try_from(self.to - self.from).unwrap_or(0)
    }
}
