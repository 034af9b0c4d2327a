//! A record's headers, whatever their names are made of.
//!
//! rdkafka's own reader ends the thread at a name that is no UTF-8 (rdkafka 0.39, message.rs, `try_get`): one such record, from a client
//! that does not look at names, would end every consumer of its partition.

use crate::record::Headers;
use rdkafka::bindings as rdsys;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Message};
use std::ffi::CStr;
use std::ptr;

/// Copies them, in order. What of a name is no UTF-8 becomes U+FFFD: Kafka's protocol knows no such names.
pub(super) fn of(message: &BorrowedMessage<'_>) -> Headers {
    let Some(headers) = message.headers() else { return Headers::new() };
    (0..).map_while(|index| header(headers, index)).collect()
}

fn header(headers: &BorrowedHeaders, index: usize) -> Option<(String, Option<Vec<u8>>)> {
    let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
    // SAFETY: rdkafka gives librdkafka's header list by its address, as a type without a size; it lives as long as the message. An index
    // beyond the last is answered with an error. The name ends with a zero, the value is null or has `length` bytes, and both live as long
    // as the list.
    unsafe {
        let list = ptr::from_ref(headers).cast::<rdsys::rd_kafka_headers_t>();
        let answer = rdsys::rd_kafka_header_get_all(list, index, &mut name, &mut value, &mut length);
        if answer != rdsys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let name = CStr::from_ptr(name).to_string_lossy().into_owned();
        let value = (!value.is_null()).then(|| std::slice::from_raw_parts(value.cast::<u8>(), length).to_vec());
        Some((name, value))
    }
}
