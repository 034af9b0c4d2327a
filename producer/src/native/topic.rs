//! A topic of one client, looked up once, and the way of a record into the client's queue.

use super::{Hearing, NativeProducer};
use rdkafka::bindings::rd_kafka_vtype_t::*;
use rdkafka::bindings::{self as rdsys, rd_kafka_vu_s__bindgen_ty_1 as Value, rd_kafka_vu_t};
use rdkafka::error::RDKafkaErrorCode;
use std::ffi::{CString, c_void};
use std::sync::Arc;

/// A record, lent.
pub struct Lent<'a> {
    pub key: &'a [u8],
    pub value: &'a [u8],
    pub timestamp_ms: i64,
    pub headers: &'a [(String, Vec<u8>)],
    pub opaque: usize,
}

/// A topic of one client.
pub struct Topic<C: Hearing> {
    topic: *mut rdsys::rd_kafka_topic_t,
    producer: Arc<NativeProducer<C>>,
    /// A record as librdkafka takes it, filled anew for each one; its pointers mean nothing between two sends.
    parts: [rd_kafka_vu_t; PARTS],
}

/// The parts of every record, and where in them stands what differs: topic, flags, value, key, opaque value, timestamp.
const PARTS: usize = 6;
const VALUE: usize = 2;
const KEY: usize = 3;
const OPAQUE: usize = 4;
const TIMESTAMP: usize = 5;

// SAFETY: librdkafka's topics may be used from any thread; the client is shared as rdkafka shares it.
unsafe impl<C: Hearing> Send for Topic<C> {}

impl<C: Hearing> Topic<C> {
    /// # Errors
    /// The name cannot be a topic's.
    pub fn new(producer: &Arc<NativeProducer<C>>, name: &str) -> Result<Self, RDKafkaErrorCode> {
        let name = CString::new(name).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
        // SAFETY: client and name are alive; without settings the client's own ones hold.
        let topic =
            unsafe { rdsys::rd_kafka_topic_new(producer.client().native_ptr(), name.as_ptr(), std::ptr::null_mut()) };
        if topic.is_null() {
            return Err(RDKafkaErrorCode::InvalidTopic);
        }
        let parts = [
            part(RD_KAFKA_VTYPE_RKT, Value { rkt: topic }),
            part(RD_KAFKA_VTYPE_MSGFLAGS, Value { i: rdsys::RD_KAFKA_MSG_F_COPY }),
            part(RD_KAFKA_VTYPE_VALUE, bytes(&[])),
            part(RD_KAFKA_VTYPE_KEY, bytes(&[])),
            part(RD_KAFKA_VTYPE_OPAQUE, Value { ptr: std::ptr::null_mut() }),
            part(RD_KAFKA_VTYPE_TIMESTAMP, Value { i64_: 0 }),
        ];
        Ok(Self { topic, producer: producer.clone(), parts })
    }

    /// Puts a copy of the record into the client's queue; the partition follows from the key.
    ///
    /// # Errors
    /// The client did not take it, and its context will hear nothing of it.
    pub fn send(&mut self, record: &Lent<'_>) -> Result<(), RDKafkaErrorCode> {
        self.parts[VALUE].u.mem = memory(record.value);
        self.parts[KEY].u.mem = memory(record.key);
        self.parts[OPAQUE].u.ptr = record.opaque as *mut c_void;
        self.parts[TIMESTAMP].u.i64_ = record.timestamp_ms;
        if record.headers.is_empty() { self.produce(&self.parts) } else { self.send_with_headers(record) }
    }

    /// Headers are rare, so they may allocate.
    fn send_with_headers(&self, record: &Lent<'_>) -> Result<(), RDKafkaErrorCode> {
        let name = |(name, _): &(String, Vec<u8>)| CString::new(name.as_str());
        let names: Result<Vec<_>, _> = record.headers.iter().map(name).collect();
        let names = names.map_err(|_| RDKafkaErrorCode::InvalidArgument)?;
        let header = |(name, (_, value)): (&CString, &(String, Vec<u8>))| {
            let (val, size) = (value.as_ptr().cast::<c_void>(), value.len().cast_signed());
            let header = rdsys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_2 { name: name.as_ptr(), val, size };
            part(RD_KAFKA_VTYPE_HEADER, Value { header })
        };
        let headers = names.iter().zip(record.headers).map(header);
        self.produce(&self.parts.into_iter().chain(headers).collect::<Vec<_>>())
    }

    fn produce(&self, parts: &[rd_kafka_vu_t]) -> Result<(), RDKafkaErrorCode> {
        // SAFETY: client, topic and all that the parts point to are alive; librdkafka copies them before it returns. An
        // error is ours until it is destroyed.
        unsafe {
            let error = rdsys::rd_kafka_produceva(self.producer.client().native_ptr(), parts.as_ptr(), parts.len());
            if error.is_null() {
                return Ok(());
            }
            let code = rdsys::rd_kafka_error_code(error);
            rdsys::rd_kafka_error_destroy(error);
            Err(code.into())
        }
    }
}

impl<C: Hearing> Drop for Topic<C> {
    fn drop(&mut self) {
        // SAFETY: made by `new`, destroyed once, and the client still lives.
        unsafe { rdsys::rd_kafka_topic_destroy(self.topic) };
    }
}

fn part(vtype: rdsys::rd_kafka_vtype_t, u: Value) -> rd_kafka_vu_t {
    rd_kafka_vu_t { vtype, u }
}

fn bytes(bytes: &[u8]) -> Value {
    Value { mem: memory(bytes) }
}

fn memory(bytes: &[u8]) -> rdsys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 {
    let ptr = bytes.as_ptr().cast_mut().cast::<c_void>();
    rdsys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr, size: bytes.len() }
}
