//! What librdkafka says while it is polled, read and handed to the client's context.

use super::{Hearing, Refused};
use crate::dead_letter::{Headers, Record};
use rdkafka::bindings as rdsys;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{IsError, KafkaError};
use rdkafka::types::RDKafkaRespErr;
use std::ffi::{CStr, c_char, c_int, c_void};

pub(super) unsafe extern "C" fn answered<C: Hearing>(
    _: *mut rdsys::rd_kafka_t,
    message: *const rdsys::rd_kafka_message_t,
    context: *mut c_void,
) {
    // SAFETY: the message is librdkafka's own, is alive until we return, and nobody else looks at it meanwhile.
    let timestamp_ms = unsafe { timestamp(message.cast_mut()) };
    // SAFETY: the context is the one that the client was made with; the message as above.
    let (context, message) = unsafe { (&*context.cast_const().cast::<C>(), &*message) };
    let opaque = message._private as usize;
    if message.err.is_error() {
        // A record that was under way when its connection broke waits in the queue again: its status tells, its error does not.
        // SAFETY: as above.
        let (status, record) = unsafe { (rdsys::rd_kafka_message_status(message), record(message, timestamp_ms)) };
        let left = status != rdsys::rd_kafka_msg_status_t::RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
        context.refused(opaque, Refused { code: message.err.into(), partition: message.partition, left, record });
    } else {
        // SAFETY: as above, and the message of a delivery report has a topic.
        let topic = || unsafe { text(rdsys::rd_kafka_topic_name(message.rkt)) };
        context.acknowledged(opaque, message.partition, &topic);
    }
}

/// The time that a refused message was given; 0 for others, whose time nobody wants.
///
/// librdkafka says -1 for each message with an error (rd_kafka_message_timestamp, 2.12.1), so it must not see the error.
///
/// # Safety
/// The message must be alive, and ours alone.
unsafe fn timestamp(message: *mut rdsys::rd_kafka_message_t) -> i64 {
    let mut kind = rdsys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: message and kind are alive.
    unsafe {
        let error = (*message).err;
        if !error.is_error() {
            return 0;
        }
        (*message).err = rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        let given = rdsys::rd_kafka_message_timestamp(message, &mut kind);
        (*message).err = error;
        given.max(0)
    }
}

/// # Safety
/// The message must be alive.
unsafe fn record(message: &rdsys::rd_kafka_message_t, timestamp_ms: i64) -> Record {
    let copied = |start: *mut c_void, length: usize| {
        if start.is_null() {
            return Vec::new();
        }
        // SAFETY: librdkafka says that so many bytes stand there.
        unsafe { std::slice::from_raw_parts(start.cast_const().cast::<u8>(), length) }.to_vec()
    };
    // SAFETY: a message of a delivery report has a topic, and its name lives as long.
    let topic = unsafe { text(rdsys::rd_kafka_topic_name(message.rkt)) };
    Record {
        topic,
        key: copied(message.key, message.key_len),
        value: copied(message.payload, message.len),
        timestamp_ms,
        // SAFETY: the message is alive.
        headers: unsafe { headers(message) },
    }
}

/// # Safety
/// The message must be alive.
unsafe fn headers(message: &rdsys::rd_kafka_message_t) -> Headers {
    let (mut found, mut list) = (Headers::new(), std::ptr::null_mut());
    // SAFETY: the list belongs to the message, names and values to the list.
    unsafe {
        if rdsys::rd_kafka_message_headers(message, &mut list).is_error() {
            return found;
        }
        let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
        while !rdsys::rd_kafka_header_get_all(list, found.len(), &mut name, &mut value, &mut size).is_error() {
            let bytes = if value.is_null() { &[] } else { std::slice::from_raw_parts(value.cast::<u8>(), size) };
            found.push((text(name), bytes.to_vec()));
        }
    }
    found
}

pub(super) unsafe extern "C" fn logged<C: Hearing>(
    client: *const rdsys::rd_kafka_t,
    level: c_int,
    facility: *const c_char,
    line: *const c_char,
) {
    // SAFETY: log lines are served by `poll` alone, when client and context are alive; both texts live until we return.
    let (context, facility, line) =
        unsafe { (&*rdsys::rd_kafka_opaque(client).cast_const().cast::<C>(), text(facility), text(line)) };
    context.log(log_level(level), facility.trim(), line.trim());
}

/// As syslog counts them.
fn log_level(level: c_int) -> RDKafkaLogLevel {
    match level {
        0 => RDKafkaLogLevel::Emerg,
        1 => RDKafkaLogLevel::Alert,
        2 => RDKafkaLogLevel::Critical,
        3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        _ => RDKafkaLogLevel::Debug,
    }
}

pub(super) unsafe extern "C" fn failed<C: Hearing>(
    _: *mut rdsys::rd_kafka_t,
    code: c_int,
    reason: *const c_char,
    context: *mut c_void,
) {
    // SAFETY: the context is the one that the client was made with; the text lives until we return.
    let (context, reason) = unsafe { (&*context.cast_const().cast::<C>(), text(reason)) };
    let code = RDKafkaRespErr::try_from(code).unwrap_or(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN);
    context.error(KafkaError::Global(code.into()), reason.trim());
}

pub(super) unsafe extern "C" fn counted<C: Hearing>(
    _: *mut rdsys::rd_kafka_t,
    json: *mut c_char,
    length: usize,
    context: *mut c_void,
) -> c_int {
    // SAFETY: the context is the one that the client was made with; the bytes live until we return.
    let (context, json) = unsafe {
        let json = std::slice::from_raw_parts(json.cast_const().cast::<u8>(), length);
        (&*context.cast_const().cast::<C>(), json)
    };
    context.stats_raw(json);
    // The text stays librdkafka's.
    0
}

/// # Safety
/// The text must be alive and end with a zero, or be null.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: said above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
