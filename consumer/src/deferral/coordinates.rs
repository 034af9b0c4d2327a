//! Where a record was first read and how often it was tried before: by itself, or by the headers of a record that was put off.

use crate::record::{Headers, OwnedRecord};
use domain::headers::{dead_letter as header, retry, topic_of_retry};

/// What a deferred record says of itself in its last headers, in this order; those before are the original's.
const NAMES: [&str; 7] =
    [header::TOPIC, header::PARTITION, header::OFFSET, header::TIMESTAMP, header::ATTEMPTS, header::REASON, retry::DUE];

/// See the head of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinates<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// How often its delivery was tried before it was put off.
    pub attempts: u32,
    /// Not to be delivered before, milliseconds since the epoch; `None` for a record that was not put off.
    pub due_ms: Option<i64>,
    /// The original headers.
    pub headers: &'a [(String, Option<Vec<u8>>)],
}

impl<'a> Coordinates<'a> {
    /// Of a record as it was read. Only one from a retry topic is believed what its headers say: elsewhere they are the producer's.
    pub fn of(record: &'a OwnedRecord) -> Self {
        let deferred = topic_of_retry(&record.at.topic).and_then(|_| Self::deferred(&record.headers));
        deferred.unwrap_or(Self {
            topic: topic_of_retry(&record.at.topic).map_or(&*record.at.topic, |(first, _)| first),
            partition: record.at.partition,
            offset: record.offset.0,
            timestamp: record.timestamp,
            attempts: 0,
            due_ms: None,
            headers: &record.headers,
        })
    }

    /// Of a record from a retry topic; `None` when its headers are not ours.
    pub fn deferred(headers: &'a Headers) -> Option<Self> {
        let (original, ours) = headers.split_at_checked(headers.len().checked_sub(NAMES.len())?)?;
        if ours.iter().zip(NAMES).any(|((name, _), known)| name != known) {
            return None;
        }
        let text = |at: usize| std::str::from_utf8(ours.get(at)?.1.as_deref()?).ok();
        Some(Self {
            topic: text(0)?,
            partition: text(1)?.parse().ok()?,
            offset: text(2)?.parse().ok()?,
            timestamp: text(3)?.parse().ok()?,
            attempts: text(4)?.parse().ok()?,
            due_ms: Some(text(6)?.parse().ok()?),
            headers: original,
        })
    }

    /// The headers of the record as it is put off until `due_ms`, after so many attempts in all.
    pub fn put_off(&self, attempts: u32, reason: &str, due_ms: i64) -> Headers {
        let values = [
            self.topic.to_owned(),
            self.partition.to_string(),
            self.offset.to_string(),
            self.timestamp.to_string(),
            attempts.to_string(),
            reason.to_owned(),
            due_ms.to_string(),
        ];
        let ours = NAMES.into_iter().zip(values).map(|(name, value)| (name.to_owned(), Some(value.into_bytes())));
        self.headers.iter().cloned().chain(ours).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Coordinates;
    use crate::assignment::TopicPartition;
    use crate::record::{Headers, OwnedRecord};
    use domain::offset::Offset;

    fn record(topic: &str, headers: Headers) -> OwnedRecord {
        let at = TopicPartition::new(topic, 3);
        OwnedRecord { at, offset: Offset(17), timestamp: 1_000, key: None, value: None, headers }
    }

    #[test]
    fn coordinates_and_headers_outlive_any_number_of_waits() {
        let original: Headers = vec![("comboio-due".into(), Some(b"mine".to_vec())), ("a".into(), None)];
        let first = record("t", original.clone());
        let once = record("t.retry.5s", Coordinates::of(&first).put_off(1, "busy", 6_000));
        let seen = Coordinates::of(&once);
        assert_eq!((seen.topic, seen.partition, seen.offset, seen.timestamp), ("t", 3, 17, 1_000));
        assert_eq!((seen.attempts, seen.due_ms, seen.headers), (1, Some(6_000), original.as_slice()));
        let twice = record("t.retry.5m", seen.put_off(2, "busy", 9_000));
        let seen = Coordinates::of(&twice);
        assert_eq!((seen.attempts, seen.due_ms, seen.headers), (2, Some(9_000), original.as_slice()));
    }

    #[test]
    fn headers_are_believed_in_retry_topics_only_and_only_when_they_are_ours() {
        let put_off = Coordinates::of(&record("t", Headers::new())).put_off(1, "busy", 6_000);
        let spoofed = record("t", put_off.clone());
        assert_eq!((Coordinates::of(&spoofed).due_ms, Coordinates::of(&spoofed).headers.len()), (None, 7));
        let mut broken = put_off;
        broken[2].1 = Some(b"x".to_vec());
        let stranger = record("t.retry.5s", broken);
        let seen = Coordinates::of(&stranger);
        assert_eq!((seen.topic, seen.offset, seen.due_ms, seen.attempts), ("t", 17, None, 0));
        assert_eq!(Coordinates::deferred(&Headers::new()), None);
    }
}
