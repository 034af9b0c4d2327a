//! Records that were taken from one partition's queue at once; they are lent while the chunk lives.

use rdkafka::bindings as rdsys;
use rdkafka::error::{IsError, KafkaError};
use std::ffi::CStr;
use std::ptr;
use std::sync::Arc;

/// See the head of the file. It must go before its client.
pub struct Chunk {
    topic: Arc<str>,
    partition: i32,
    messages: Vec<*mut rdsys::rd_kafka_message_t>,
    /// So many of them, from the first on, are records.
    records: usize,
}

/// A record, lent by its chunk.
#[derive(Clone, Copy)]
pub struct Record<'a>(&'a rdsys::rd_kafka_message_t);

/// What the client has to say of a partition in place of a record. Nothing more is read of it until that is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub error: KafkaError,
    /// The record that it is about, or that was to be read next; `None` where no record is meant.
    pub offset: Option<i64>,
}

impl Chunk {
    /// `messages` are alive and belong to nobody else. What follows an error is not given on: it will be read again.
    pub(super) fn new(topic: &Arc<str>, partition: i32, messages: Vec<*mut rdsys::rd_kafka_message_t>) -> Self {
        // SAFETY: they are alive.
        let is_error = |message: &*mut rdsys::rd_kafka_message_t| unsafe { (**message).err.is_error() };
        let records = messages.iter().position(is_error).unwrap_or(messages.len());
        Self { topic: topic.clone(), partition, messages, records }
    }

    pub fn topic(&self) -> &str {
        &self.topic
    }

    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// In the order of the partition.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        // SAFETY: they are alive until `drop`.
        self.messages[..self.records].iter().map(|message| Record(unsafe { &**message }))
    }

    /// What came behind the records, if it was no record.
    pub fn fault(&self) -> Option<Fault> {
        let error = KafkaError::MessageConsumption(self.error()?.err.into());
        Some(Fault { error, offset: self.fault_offset().filter(|offset| *offset >= 0) })
    }

    /// The offset of the fault as librdkafka says it: one of a record, or a logical one.
    pub(super) fn fault_offset(&self) -> Option<i64> {
        self.error().map(|message| message.offset)
    }

    fn error(&self) -> Option<&rdsys::rd_kafka_message_t> {
        // SAFETY: it is alive until `drop`.
        self.messages.get(self.records).map(|message| unsafe { &**message })
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        for message in &self.messages {
            // SAFETY: it is ours, and destroyed once.
            unsafe { rdsys::rd_kafka_message_destroy(*message) }
        }
    }
}

impl<'a> Record<'a> {
    pub fn offset(&self) -> i64 {
        self.0.offset
    }

    /// Milliseconds since the epoch; `None` without one.
    pub fn timestamp_ms(&self) -> Option<i64> {
        // SAFETY: the message is alive; its type is not asked for.
        let at_ms = unsafe { rdsys::rd_kafka_message_timestamp(self.0, ptr::null_mut()) };
        (at_ms != -1).then_some(at_ms)
    }

    pub fn key(&self) -> Option<&'a [u8]> {
        // SAFETY: librdkafka keeps `key_len` bytes there, or null, as long as the message lives.
        unsafe { bytes(self.0.key.cast(), self.0.key_len) }
    }

    pub fn value(&self) -> Option<&'a [u8]> {
        // SAFETY: as for the key.
        unsafe { bytes(self.0.payload.cast(), self.0.len) }
    }

    /// Copies them, in order. What of a name is no UTF-8 becomes U+FFFD: Kafka's protocol knows no such names, and rdkafka's own reader
    /// ends the thread at one (rdkafka 0.39, message.rs, `try_get`).
    pub fn headers(&self) -> Vec<(String, Option<Vec<u8>>)> {
        let mut list = ptr::null_mut();
        // SAFETY: the message is alive; the list belongs to it.
        let answer = unsafe { rdsys::rd_kafka_message_headers(self.0, &mut list) };
        if answer.is_error() {
            return Vec::new();
        }
        (0..).map_while(|index| header(list, index)).collect()
    }
}

fn header(list: *const rdsys::rd_kafka_headers_t, index: usize) -> Option<(String, Option<Vec<u8>>)> {
    let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
    // SAFETY: the list lives as long as the message. An index beyond the last is answered with an error. The name ends with a zero, the
    // value is null or has `length` bytes, and both live as long as the list.
    unsafe {
        if rdsys::rd_kafka_header_get_all(list, index, &mut name, &mut value, &mut length).is_error() {
            return None;
        }
        let name = CStr::from_ptr(name).to_string_lossy().into_owned();
        Some((name, bytes(value.cast(), length).map(<[u8]>::to_vec)))
    }
}

/// # Safety
/// `start` is null, or `length` bytes lie there that live for `'a`.
unsafe fn bytes<'a>(start: *const u8, length: usize) -> Option<&'a [u8]> {
    // SAFETY: as the caller says.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start, length) })
}
