//! The records of one partition of a retry topic that are not due yet: read, and not handed on.

use crate::assignment::TopicPartition;
use crate::deferral::Coordinates;
use crate::record::{Lent, OwnedRecord};
use std::collections::VecDeque;

/// So much of a partition is held here; beyond that no more is read, and the rest waits in Kafka.
const MOST_RECORDS: usize = 500;
const MOST_BYTES: usize = 256 << 10;

/// A queue: a retry topic has one delay, so its records are due in their order, but for what clocks differ.
#[derive(Debug, Default)]
pub(super) struct WaitingRoom {
    records: VecDeque<Waiting>,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    record: OwnedRecord,
    due_ms: i64,
}

impl WaitingRoom {
    /// Takes a record that is not due at `wall_ms` or comes behind one that is not; false when it may go on.
    pub(super) fn take(&mut self, at: &TopicPartition, record: &Lent<'_>, wall_ms: i64) -> bool {
        // Nobody knows when a stranger's record is due.
        let due_ms = Coordinates::deferred(&record.headers).and_then(|seen| seen.due_ms).unwrap_or(i64::MIN);
        if self.records.is_empty() && due_ms <= wall_ms {
            return false;
        }
        let record = OwnedRecord::copy(at, record);
        self.bytes += record.bytes();
        self.records.push_back(Waiting { record, due_ms });
        true
    }

    /// The next record, when it is due.
    pub(super) fn next_due(&mut self, wall_ms: i64) -> Option<OwnedRecord> {
        let waiting = self.records.pop_front_if(|waiting| waiting.due_ms <= wall_ms)?;
        self.bytes -= waiting.record.bytes();
        Some(waiting.record)
    }

    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no more should come.
    pub(super) fn is_full(&self) -> bool {
        self.records.len() >= MOST_RECORDS || self.bytes >= MOST_BYTES
    }

    /// Whether more may come again.
    pub(super) fn is_easy(&self) -> bool {
        self.records.len() <= MOST_RECORDS / 2 && self.bytes <= MOST_BYTES / 2
    }

    /// Forgets everything: it will be read again.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_BYTES, MOST_RECORDS, WaitingRoom};
    use crate::assignment::TopicPartition;
    use crate::deferral::Coordinates;
    use crate::record::{Headers, Lent, OwnedRecord};
    use domain::offset::Offset;

    fn take(room: &mut WaitingRoom, offset: i64, due_ms: Option<i64>, value: &[u8]) -> bool {
        let at = TopicPartition::new("t.retry.5s", 0);
        let first = OwnedRecord {
            at: TopicPartition::new("t", 0),
            offset: Offset(offset),
            timestamp: 0,
            key: None,
            value: None,
            headers: Headers::new(),
        };
        let headers = due_ms.map_or_else(Headers::new, |due| Coordinates::of(&first).put_off(1, "busy", due));
        let record = Lent { offset: Offset(offset), timestamp: 0, key: None, value: Some(value), headers };
        room.take(&at, &record, 1_000)
    }

    fn due(room: &mut WaitingRoom, wall_ms: i64) -> Vec<i64> {
        std::iter::from_fn(|| room.next_due(wall_ms)).map(|record| record.offset.0).collect()
    }

    #[test]
    fn a_record_waits_until_it_is_due_and_nobody_overtakes() {
        let mut room = WaitingRoom::default();
        assert!(!take(&mut room, 0, Some(1_000), b"{}"), "due at once");
        assert!(!take(&mut room, 1, None, b"{}"), "a stranger's");
        assert!(take(&mut room, 2, Some(1_500), b"{}"));
        assert!(take(&mut room, 3, Some(900), b"{}") && take(&mut room, 4, None, b"{}"), "behind one that waits");
        assert!(take(&mut room, 5, Some(1_501), b"{}"));
        assert_eq!(due(&mut room, 1_499), [0; 0]);
        assert_eq!(due(&mut room, 1_500), [2, 3, 4]);
        assert_eq!((due(&mut room, 9_000), room.len(), room.bytes), (vec![5], 0, 0));
    }

    #[test]
    fn it_holds_so_many_records_and_bytes() {
        let mut room = WaitingRoom::default();
        for offset in 0..MOST_RECORDS as i64 {
            assert!(!room.is_full());
            take(&mut room, offset, Some(2_000), b"{}");
        }
        assert!(room.is_full() && !room.is_easy());
        due(&mut room, 2_000);
        assert!(room.is_easy());
        take(&mut room, 0, Some(2_000), &vec![b'1'; MOST_BYTES]);
        assert!(room.is_full());
        room.clear();
        assert!(room.is_easy() && room.len() == 0);
    }
}
