//! What the brokers say of topics: which topic stands behind a name now, and how many partitions it has.
//!
//! A topic that was deleted and made anew has its name and another id (KIP-516). rdkafka has no call for that, librdkafka has.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::bindings as rdsys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::types::RDKafkaRespErr;
use std::ffi::{CStr, CString, c_char};
use std::fmt;
use std::ptr;
use std::time::Duration;

/// Which topic it is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TopicId(pub u128);

impl fmt::Display for TopicId {
    /// As Kafka's own tools print it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.to_be_bytes()))
    }
}

/// What is known of one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicFacts {
    /// `None`: these brokers are too old to have ids.
    pub id: Option<TopicId>,
    pub partitions: i32,
}

/// One topic's name, and what was said of it.
pub type Told = (String, Result<TopicFacts, RDKafkaErrorCode>);

/// Nothing was said of any topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Kafka does not describe the topics: {0}")]
pub struct NoFacts(pub RDKafkaErrorCode);

/// Asks about topics, always the same broker as long as that answers: left to itself librdkafka would ask the controller alone.
#[derive(Debug, Default)]
pub struct Informant {
    broker: Option<i32>,
}

impl Informant {
    /// Asks about these topics, and waits for up to twice so long. The client may be of any kind, and learns nothing by it.
    ///
    /// # Errors
    /// There was no answer in time, or the broker takes no such question; the next one may go to another broker.
    pub fn ask<C: ClientContext>(
        &mut self,
        client: &Client<C>,
        topics: &[&str],
        within: Duration,
    ) -> Result<Vec<Told>, NoFacts> {
        let Some(first) = topics.first() else { return Ok(Vec::new()) };
        let names: Result<Vec<CString>, _> = topics.iter().map(|topic| CString::new(*topic)).collect();
        let names = names.map_err(|_| NoFacts(RDKafkaErrorCode::InvalidTopic))?;
        let broker = self.broker.take().map_or_else(|| one_that_answers(client, first, within), Ok)?;
        let answer = Answer::wait(client.native_ptr(), broker, &names, within);
        let told = answer.ok_or(NoFacts(RDKafkaErrorCode::OperationTimedOut))?.read()?;
        self.broker = Some(broker);
        Ok(told)
    }
}

fn one_that_answers<C: ClientContext>(client: &Client<C>, topic: &str, within: Duration) -> Result<i32, NoFacts> {
    let metadata = client.fetch_metadata(Some(topic), within);
    let metadata =
        metadata.map_err(|error| NoFacts(error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)))?;
    // Before it has a number it was reached by its address alone.
    let known = Some(metadata.orig_broker_id()).filter(|id| *id >= 0);
    let any = || metadata.brokers().first().map(|broker| broker.id());
    known.or_else(any).ok_or(NoFacts(RDKafkaErrorCode::BrokerNotAvailable))
}

/// The event with the answer, ours until it is dropped.
struct Answer(ptr::NonNull<rdsys::rd_kafka_event_t>);

impl Answer {
    fn wait(client: *mut rdsys::rd_kafka_t, broker: i32, names: &[CString], within: Duration) -> Option<Self> {
        let mut pointers: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let ms = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client is alive, and the names live until they are copied. Everything made here is ours and destroyed once; an answer
        // that comes after the queue is gone is librdkafka's to throw away.
        unsafe {
            let options =
                rdsys::rd_kafka_AdminOptions_new(client, rdsys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
            // A wait that it does not take leaves its own, and the queue is waited for no longer than this all the same.
            rdsys::rd_kafka_AdminOptions_set_request_timeout(options, ms, ptr::null_mut(), 0);
            rdsys::rd_kafka_AdminOptions_set_broker(options, broker, ptr::null_mut(), 0);
            let topics = rdsys::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
            let queue = rdsys::rd_kafka_queue_new(client);
            rdsys::rd_kafka_DescribeTopics(client, topics, options, queue);
            let event = rdsys::rd_kafka_queue_poll(queue, ms);
            rdsys::rd_kafka_queue_destroy(queue);
            rdsys::rd_kafka_TopicCollection_destroy(topics);
            rdsys::rd_kafka_AdminOptions_destroy(options);
            ptr::NonNull::new(event).map(Self)
        }
    }

    fn read(&self) -> Result<Vec<Told>, NoFacts> {
        // SAFETY: the event is alive, and so is everything in it; `topics` points to so many descriptions.
        unsafe {
            if let Some(code) = fault(rdsys::rd_kafka_event_error(self.0.as_ptr())) {
                return Err(NoFacts(code));
            }
            let result = rdsys::rd_kafka_event_DescribeTopics_result(self.0.as_ptr());
            if result.is_null() {
                return Err(NoFacts(RDKafkaErrorCode::InvalidArgument));
            }
            let mut count = 0;
            let topics = rdsys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
            Ok((0..count).map(|nth| told(*topics.add(nth))).collect())
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: ours, and destroyed once.
        unsafe { rdsys::rd_kafka_event_destroy(self.0.as_ptr()) }
    }
}

/// # Safety
/// `topic` is a description within an event that is alive.
unsafe fn told(topic: *const rdsys::rd_kafka_TopicDescription_t) -> Told {
    // SAFETY: as said above; the name ends with a zero, and librdkafka allows an error or an id that is not there.
    unsafe {
        let name = CStr::from_ptr(rdsys::rd_kafka_TopicDescription_name(topic)).to_string_lossy().into_owned();
        let error = rdsys::rd_kafka_TopicDescription_error(topic);
        if let Some(code) = fault(rdsys::rd_kafka_error_code(error)) {
            return (name, Err(code));
        }
        let id = rdsys::rd_kafka_TopicDescription_topic_id(topic);
        let bits = if id.is_null() {
            0
        } else {
            let half = |bits: i64| u128::from(bits.cast_unsigned());
            half(rdsys::rd_kafka_Uuid_most_significant_bits(id)) << 64
                | half(rdsys::rd_kafka_Uuid_least_significant_bits(id))
        };
        let mut partitions = 0;
        rdsys::rd_kafka_TopicDescription_partitions(topic, &raw mut partitions);
        let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
        (name, Ok(TopicFacts { id: (bits != 0).then_some(TopicId(bits)), partitions }))
    }
}

fn fault(code: RDKafkaRespErr) -> Option<RDKafkaErrorCode> {
    (code != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
}
