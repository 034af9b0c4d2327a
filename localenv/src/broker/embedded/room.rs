//! How near a lag is to what the embedded broker keeps: beyond that it drops records that nobody has read.

use std::fmt;

/// What a partition keeps, in bytes of message sets (`max_size` in librdkafka's rdkafka_mock.c).
pub const PARTITION_BYTES: u64 = 5 * 1024 * 1024;
/// What a partition keeps, in message sets (`max_cnt`); a set holds at least one record.
pub const PARTITION_SETS: u64 = 100_000;
/// Attributes, length, timestamp and offset deltas and header count of a record in a message set.
const RECORD_OVERHEAD: u64 = 12;
/// From this share on there is a warning.
const NEAR_PERCENT: u64 = 50;

/// What a lag of one partition means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// Less than half of the room is taken.
    Ample,
    /// This many per cent (50 to 99) of the room are taken.
    NearLimit(u64),
    /// Records were dropped, unless they were compressed well: the run proves nothing.
    Exceeded,
}

/// Judges a lag of `lag_records` in one partition, whose records (key, value and headers) have `mean_bytes` on average.
///
/// It assumes no compression and one record per message set, so it warns too early rather than too late.
#[must_use]
pub fn room(lag_records: u64, mean_bytes: u64) -> Room {
    let bytes = lag_records.saturating_mul(mean_bytes.saturating_add(RECORD_OVERHEAD));
    let by_bytes = bytes.saturating_mul(100) / PARTITION_BYTES;
    let by_sets = lag_records.saturating_mul(100) / PARTITION_SETS;
    match by_bytes.max(by_sets) {
        ..NEAR_PERCENT => Room::Ample,
        percent @ NEAR_PERCENT..100 => Room::NearLimit(percent),
        _ => Room::Exceeded,
    }
}

impl fmt::Display for Room {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ample => write!(f, "the lag is well within what the embedded broker keeps"),
            Self::NearLimit(percent) => write!(
                f,
                "the lag has reached {percent} % of the 5 MiB that the embedded broker keeps per partition; beyond it \
                 drops records silently: slow the producer down, or use the kafka broker"
            ),
            Self::Exceeded => write!(
                f,
                "the lag is beyond the 5 MiB that the embedded broker keeps per partition, so records were probably \
                 dropped by the broker, not by comboio: run this load with the kafka broker"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_sets_both_count() {
        assert_eq!(room(0, 200), Room::Ample);
        assert_eq!(room(12_000, 200), Room::Ample, "2.5 MB");
        assert_eq!(room(13_000, 200), Room::NearLimit(52));
        assert_eq!(room(25_000, 200), Room::Exceeded);
        assert_eq!(room(60_000, 1), Room::NearLimit(60), "small records meet the number of sets first");
        assert_eq!(room(u64::MAX, u64::MAX), Room::Exceeded);
    }

    #[test]
    fn the_warning_says_what_to_do() {
        assert!(Room::NearLimit(80).to_string().contains("80 %"));
        assert!(Room::Exceeded.to_string().contains("kafka broker"));
    }
}
