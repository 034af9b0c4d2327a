//! The records of a partition that were read last, so that one which Kafka's client brings twice is known again.

use crate::record::Lent;
use kafka_client::partition_queues::AT_ONCE;

/// What librdkafka is just taking out of a queue while it pauses the partition, as it does in every rebalance, comes twice: no more.
const KEPT: usize = AT_ONCE;

/// See the head of the file.
#[derive(Debug, Default)]
pub(super) struct Recent {
    kept: Vec<Print>,
    /// Where the next one goes when there is no more room.
    next: usize,
}

/// What tells a record from another one that has its offset in another log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    offset: i64,
    timestamp: i64,
    bytes: u64,
}

impl Recent {
    pub(super) fn note(&mut self, record: &Lent<'_>) {
        let print = Print::of(record);
        match self.kept.get_mut(self.next) {
            Some(oldest) => *oldest = print,
            None => self.kept.push(print),
        }
        self.next = (self.next + 1) % KEPT;
    }

    /// Whether this very record was read a moment ago.
    pub(super) fn holds(&self, record: &Lent<'_>) -> bool {
        self.kept.contains(&Print::of(record))
    }
}

impl Print {
    fn of(record: &Lent<'_>) -> Self {
        let bytes = fold(record.value).wrapping_mul(31).wrapping_add(fold(record.key));
        Self { offset: record.offset.0, timestamp: record.timestamp, bytes }
    }
}

/// The length and eight bytes each from its beginning, middle and end: a look at every byte of every record would cost more than it says.
fn fold(bytes: Option<&[u8]>) -> u64 {
    let Some(bytes) = bytes else { return u64::MAX };
    let word = |from: usize| {
        let short = || bytes[from..].iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        bytes[from..].first_chunk().map_or_else(short, |word| u64::from_le_bytes(*word))
    };
    let (middle, last) = (bytes.len() / 2, bytes.len().saturating_sub(8));
    [0, middle, last].into_iter().fold(bytes.len() as u64, |sum, from| sum.rotate_left(17) ^ word(from))
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Recent};
    use crate::record::Lent;
    use domain::offset::Offset;

    fn record<'a>(offset: i64, timestamp: i64, key: &'a [u8], value: Option<&'a [u8]>) -> Lent<'a> {
        Lent { offset: Offset(offset), timestamp, key: Some(key), value, headers: Vec::new() }
    }

    #[test]
    fn the_last_records_are_known_again_and_others_at_their_offsets_are_not() {
        let (mut recent, value) = (Recent::default(), b"one value of some length".as_slice());
        (0..2 * KEPT as i64).for_each(|offset| recent.note(&record(offset, 7, b"k", Some(value))));
        let first = KEPT as i64;
        assert!((first..2 * first).all(|offset| recent.holds(&record(offset, 7, b"k", Some(value)))));
        assert!(!recent.holds(&record(first - 1, 7, b"k", Some(value))), "it is too long ago");
        for other in [
            record(first, 8, b"k", Some(value)),
            record(first, 7, b"other", Some(value)),
            record(first, 7, b"k", Some(b"two values of any length")),
            record(first, 7, b"k", Some(b"short")),
            record(first, 7, b"o", Some(value)),
            record(first, 7, b"k", Some(b"")),
            record(first, 7, b"k", None),
        ] {
            assert!(!recent.holds(&other), "{other:?}");
        }
    }
}
