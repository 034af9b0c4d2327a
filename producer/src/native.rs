//! librdkafka's producer without detours: topics are looked up once, and answers come by callback.
//!
//! rdkafka's own `BaseProducer` looks the topic up by name for every record, under the client's write lock, and walks over
//! every acknowledged record three times (list, handle, destroy), which costs the cache each time. Everything else is still
//! rdkafka's [`Client`]: settings, context, metadata.
//!
//! All unsafe code here follows one pattern: the client outlives its topics, because each holds it; the context outlives the
//! client, because both are in [`NativeProducer`]; pointers that a callback gets are read before it returns.

mod callbacks;
mod topic;

pub use topic::{Lent, Topic};

use crate::dead_letter::Record;
use rdkafka::bindings as rdsys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaResult, RDKafkaErrorCode};
use rdkafka::types::RDKafkaType;
use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What a client's context hears about its records, on the thread that polls.
pub trait Hearing: ClientContext {
    /// Kafka holds the record with this opaque value; who wants the topic's name has it copied.
    fn acknowledged(&self, opaque: usize, partition: i32, topic: &dyn Fn() -> String);

    /// Kafka does not hold it, or nobody knows.
    fn refused(&self, opaque: usize, refused: Refused);

    /// A poll is over: what was put off must be done now.
    fn heard(&self);
}

/// A record that came back without an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: RDKafkaErrorCode,
    /// Negative when the client did not know the topic's partitions.
    pub partition: i32,
    /// It was on its way to a broker at least once.
    pub left: bool,
    pub record: Record,
}

/// The client.
pub struct NativeProducer<C: Hearing> {
    client: Client<C>,
    /// Threads that poll now: what they have heard may not be noted yet.
    polling: AtomicUsize,
}

impl<C: Hearing> FromClientConfigAndContext<C> for NativeProducer<C> {
    fn from_config_and_context(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        let native = config.create_native_config()?;
        // SAFETY: the configuration is alive; the callbacks fit the context that `Client::new` makes the client's opaque value.
        unsafe {
            rdsys::rd_kafka_conf_set_dr_msg_cb(native.ptr(), Some(callbacks::answered::<C>));
            rdsys::rd_kafka_conf_set_log_cb(native.ptr(), Some(callbacks::logged::<C>));
            rdsys::rd_kafka_conf_set_error_cb(native.ptr(), Some(callbacks::failed::<C>));
            rdsys::rd_kafka_conf_set_stats_cb(native.ptr(), Some(callbacks::counted::<C>));
        }
        Ok(Self {
            client: Client::new(config, native, RDKafkaType::RD_KAFKA_PRODUCER, context)?,
            polling: AtomicUsize::new(0),
        })
    }
}

/// How long a client at its end may take to hand out its last answers.
const LAST_POLLS: usize = 25;
const LAST_POLL: Duration = Duration::from_millis(20);

impl<C: Hearing> NativeProducer<C> {
    pub fn client(&self) -> &Client<C> {
        &self.client
    }

    pub fn context(&self) -> &C {
        self.client.context()
    }

    /// Waits for answers and hands them to the context; returns after the first ones, or after `at_most`.
    pub fn poll(&self, at_most: Duration) {
        self.polling.fetch_add(1, Ordering::SeqCst);
        let millis = c_int::try_from(at_most.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: the client is alive, and so is the context that the callbacks get.
        unsafe { rdsys::rd_kafka_poll(self.client.native_ptr(), millis) };
        self.context().heard();
        self.polling.fetch_sub(1, Ordering::SeqCst);
    }

    /// True when every record has its answer, and every answer is noted.
    pub fn is_heard_out(&self) -> bool {
        self.in_flight_count() == 0 && self.polling.load(Ordering::SeqCst) == 0
    }

    /// Records without an answer that was handed out.
    pub fn in_flight_count(&self) -> i32 {
        // SAFETY: the client is alive.
        unsafe { rdsys::rd_kafka_outq_len(self.client.native_ptr()) }
    }

    /// Tells the client to give every record back, whether it was only queued or is on its way. Those in the hands of a thread
    /// that hangs (in looking up a name) come when it goes on: we do not wait for it.
    pub fn purge(&self) {
        let all =
            rdsys::RD_KAFKA_PURGE_F_QUEUE | rdsys::RD_KAFKA_PURGE_F_INFLIGHT | rdsys::RD_KAFKA_PURGE_F_NON_BLOCKING;
        // SAFETY: the client is alive; the flags are valid, so it cannot fail.
        unsafe { rdsys::rd_kafka_purge(self.client.native_ptr(), all) };
    }
}

impl<C: Hearing> NativeProducer<C> {
    /// Has every record given back and hears that; true when it came to that within half a second.
    pub fn give_back(&self) -> bool {
        self.purge();
        for _ in 0..LAST_POLLS {
            if self.in_flight_count() == 0 {
                return true;
            }
            self.poll(LAST_POLL);
        }
        self.in_flight_count() == 0
    }
}

impl<C: Hearing> Drop for NativeProducer<C> {
    fn drop(&mut self) {
        if !self.give_back() {
            tracing::warn!(records = self.in_flight_count(), "a client is closed before it has given back its records");
        }
    }
}
