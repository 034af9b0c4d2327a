//! A record: as Kafka lends it, as a dead letter needs it, and what of it is kept while its value travels.

use crate::assignment::TopicPartition;
use domain::headers::TRACEPARENT;
use domain::offset::Offset;
use kafka_client::partition_queues::Record;
use runtime::traces::Traceparent;

/// Name and value of each header, in order; names may repeat, values may be null.
pub type Headers = Vec<(String, Option<Vec<u8>>)>;

/// A record while the client still owns its bytes.
#[derive(Debug, Clone)]
pub struct Lent<'a> {
    pub offset: Offset,
    /// Milliseconds since the epoch; 0 when the record has none.
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: Headers,
}

impl<'a> From<Record<'a>> for Lent<'a> {
    fn from(record: Record<'a>) -> Self {
        Self {
            offset: Offset(record.offset()),
            timestamp: record.timestamp_ms().unwrap_or(0),
            key: record.key(),
            value: record.value(),
            headers: record.headers(),
        }
    }
}

/// A whole record with its coordinates; what a dead letter is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    pub at: TopicPartition,
    pub offset: Offset,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Headers,
}

impl OwnedRecord {
    pub fn copy(at: &TopicPartition, record: &Lent<'_>) -> Self {
        Self {
            at: at.clone(),
            offset: record.offset,
            timestamp: record.timestamp,
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.clone(),
        }
    }

    /// Bytes of key, value and headers.
    pub fn bytes(&self) -> usize {
        length(self.key.as_ref()) + length(self.value.as_ref()) + header_bytes(&self.headers)
    }

    /// The trace id of a sampled record: the second part of its W3C trace context.
    pub fn trace_id(&self) -> Option<&str> {
        trace_context(&self.headers)?.split('-').nth(1).filter(|id| id.len() == 32)
    }
}

/// What the last header of that name says.
fn trace_context(headers: &Headers) -> Option<&str> {
    let (_, value) = headers.iter().rev().find(|(name, _)| name == TRACEPARENT)?;
    std::str::from_utf8(value.as_deref()?).ok()
}

/// Memory of headers: names, values, and what it takes to hold them.
fn header_bytes(headers: &Headers) -> usize {
    let one = |(name, value): &(String, Option<Vec<u8>>)| name.len() + length(value.as_ref());
    headers.iter().map(one).sum::<usize>() + std::mem::size_of_val(headers.as_slice())
}

fn length(bytes: Option<&Vec<u8>>) -> usize {
    bytes.map_or(0, Vec::len)
}

/// Keys and headers of a batch's records, beside the values that stand in its request.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    keys: Vec<u8>,
    entries: Vec<Entry>,
    /// Of the records that have any, in the order of their offsets.
    headers: Vec<(Offset, Headers)>,
    header_bytes: usize,
}

/// Small, because every record has one.
#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: Offset,
    /// Where its key ends in `keys`; with `NO_KEY`, where it would.
    end: usize,
}

/// The highest bit of an end.
const NO_KEY: usize = 1 << (usize::BITS - 1);

impl Kept {
    /// With memory for so many records and bytes of keys, so that it need not grow.
    pub fn with_room(records: usize, bytes: usize) -> Self {
        Self { keys: Vec::with_capacity(bytes), entries: Vec::with_capacity(records), ..Self::default() }
    }

    /// Keeps key and headers of `record`; offsets must ascend.
    pub fn push(&mut self, record: Lent<'_>) {
        self.keys.extend_from_slice(record.key.unwrap_or_default());
        let mark = if record.key.is_none() { NO_KEY } else { 0 };
        self.entries.push(Entry { offset: record.offset, end: self.keys.len() | mark });
        if !record.headers.is_empty() {
            self.header_bytes += header_bytes(&record.headers);
            self.headers.push((record.offset, record.headers));
        }
    }

    /// Key and headers of the record at `offset`, when it was kept.
    pub fn find(&self, offset: Offset) -> Option<(Option<&[u8]>, &Headers)> {
        let at = self.entries.binary_search_by_key(&offset, |entry| entry.offset).ok()?;
        let start = at.checked_sub(1).map_or(0, |before| self.entries[before].end & !NO_KEY);
        let end = self.entries[at].end;
        let key = (end & NO_KEY == 0).then(|| &self.keys[start..end]);
        let headers = self.headers.binary_search_by_key(&offset, |(offset, _)| *offset);
        Some((key, headers.map_or(const { &Headers::new() }, |at| &self.headers[at].1)))
    }

    /// The trace contexts of the records whose journey is recorded, in order. A record without headers is not looked into.
    pub fn traced(&self) -> impl Iterator<Item = Traceparent> + '_ {
        let contexts = self.headers.iter().filter_map(|(_, headers)| trace_context(headers)?.parse().ok());
        contexts.filter(|context: &Traceparent| context.sampled)
    }

    /// Bytes of all keys.
    pub fn key_bytes(&self) -> usize {
        self.keys.len()
    }

    /// Memory of keys and headers, about.
    pub fn bytes(&self) -> usize {
        self.keys.len() + self.header_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, Lent, OwnedRecord};
    use crate::assignment::TopicPartition;
    use domain::offset::Offset;

    fn lent(offset: i64, key: Option<&[u8]>) -> Lent<'_> {
        let trace = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_vec();
        Lent {
            offset: Offset(offset),
            timestamp: 7,
            key,
            value: Some(b"{}"),
            headers: vec![("traceparent".into(), Some(trace))],
        }
    }

    #[test]
    fn keys_are_found_by_offset_and_no_key_is_not_an_empty_key() {
        let mut kept = Kept::default();
        for (offset, key) in [(3, Some(b"abc".as_slice())), (5, None), (9, Some(b"".as_slice())), (10, Some(b"d"))] {
            kept.push(lent(offset, key));
        }
        let key = |offset| kept.find(Offset(offset)).map(|(key, _)| key);
        assert_eq!(key(3), Some(Some(b"abc".as_slice())));
        assert_eq!(key(5), Some(None));
        assert_eq!(key(9), Some(Some(b"".as_slice())));
        assert_eq!(key(10), Some(Some(b"d".as_slice())));
        assert_eq!(key(4), None);
    }

    #[test]
    fn headers_are_found_beside_records_without_any() {
        let mut kept = Kept::default();
        for offset in [1, 2, 3] {
            let headers = if offset == 2 { lent(2, None).headers } else { Vec::new() };
            kept.push(Lent { headers, ..lent(offset, None) });
        }
        let many = |offset| kept.find(Offset(offset)).map(|(_, headers)| headers.len());
        assert_eq!([1, 2, 3, 4].map(many), [Some(0), Some(1), Some(0), None]);
    }

    #[test]
    fn headers_count_as_memory_and_keys_are_known_by_themselves() {
        let mut kept = Kept::default();
        kept.push(lent(1, Some(b"abc")));
        let header = "traceparent".len() + 55 + std::mem::size_of::<(String, Option<Vec<u8>>)>();
        assert_eq!((kept.key_bytes(), kept.bytes()), (3, 3 + header));
    }

    #[test]
    fn only_records_whose_journey_is_recorded_are_traced() {
        let mut kept = Kept::default();
        assert_eq!(kept.traced().count(), 0);
        for (offset, flags) in [(1, "01"), (2, "00"), (3, "nonsense")] {
            let text = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333{offset}-{flags}");
            kept.push(Lent { headers: vec![("traceparent".into(), Some(text.into_bytes()))], ..lent(offset, None) });
        }
        kept.push(Lent { headers: Vec::new(), ..lent(4, None) });
        kept.push(Lent { headers: vec![("traceparent".into(), None)], ..lent(5, None) });
        let traced: Vec<String> = kept.traced().map(|context| context.to_string()).collect();
        assert_eq!(traced, ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"]);
    }

    #[test]
    fn the_trace_id_comes_from_the_header() {
        let record = OwnedRecord::copy(&TopicPartition::new("t", 0), &lent(1, None));
        assert_eq!(record.trace_id(), Some("0af7651916cd43dd8448eb211c80319c"));
    }
}
