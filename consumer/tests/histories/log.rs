//! One partition as Kafka holds it: records, the committed offset with its metadata, and whose it is.

use crate::step::Arrival;
use consumer::record::Lent;
use domain::offset::Offset;
use std::collections::BTreeMap;
use std::time::Duration;

/// What can become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Good,
    /// The function fails at it as a whole.
    Poison,
    /// The function's verdict is rejected.
    Rejected,
    /// It is no JSON and enters no request.
    Unfit,
}

pub struct Record {
    pub key: Option<Vec<u8>>,
    pub value: Vec<u8>,
    pub kind: Kind,
    /// The destination has it.
    pub delivered: bool,
    /// Dead letters that Kafka acknowledged.
    pub letters: usize,
    /// Function errors that it was part of without a record at fault beside it.
    pub accidents: u32,
    /// The last one, and whose it was.
    pub failed: Option<(usize, Duration)>,
    /// How often its owner may have heard, since the one before, that the function answers others.
    pub proofs: u32,
}

#[derive(Default)]
pub struct Log {
    pub records: BTreeMap<i64, Record>,
    pub end: i64,
    pub committed: i64,
    pub metadata: String,
    /// The tenure of its owner.
    pub owner: Option<usize>,
}

impl Record {
    /// As Kafka's client gives it.
    pub fn lent(&self, offset: i64) -> Lent<'_> {
        let (key, value) = (self.key.as_deref(), Some(self.value.as_slice()));
        Lent { offset: Offset(offset), timestamp: 1_000 + offset, key, value, headers: Vec::new() }
    }
}

impl Log {
    pub fn append(&mut self, arrivals: &[Arrival]) {
        for Arrival { gap, key, kind } in arrivals {
            let offset = self.end + gap;
            self.end = offset + 1;
            let value = match kind {
                Kind::Unfit => format!("no json {offset}").into_bytes(),
                _ => format!("{{\"v\":{offset}}}").into_bytes(),
            };
            let key = key.map(|key| format!("key-{key}").into_bytes());
            let record =
                Record { key, value, kind: *kind, delivered: false, letters: 0, accidents: 0, failed: None, proofs: 0 };
            self.records.insert(offset, record);
        }
    }

    /// An earlier record of the same key that should have been delivered, or become a dead letter, before the one at `offset`.
    pub fn overtaken(&self, offset: i64) -> Option<i64> {
        let key = self.records[&offset].key.as_ref()?;
        let mut earlier = self.records.range(..offset).filter(|(_, record)| record.key.as_ref() == Some(key));
        let open = |record: &Record| !record.delivered && record.letters == 0;
        earlier.find(|(_, record)| matches!(record.kind, Kind::Good | Kind::Poison) && open(record)).map(|(at, _)| *at)
    }
}
