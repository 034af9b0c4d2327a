//! Asynchronous commits whose answers come back on a queue of their own.
//!
//! rdkafka's `CommitMode::Async` gives no answer in its event mode: librdkafka posts the answer of a manual commit only to a
//! callback that rdkafka does not set, or to the queue of `rd_kafka_commit_queue` (rd_kafka_cgrp_propagate_commit_result, 2.12.1).

use super::context::PollContext;
use rdkafka::TopicPartitionList;
use rdkafka::bindings as rdsys;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{IsError, RDKafkaErrorCode};
use std::ffi::CStr;
use std::ptr;

/// The queue. It belongs to one consumer and must be dropped before it.
pub(super) struct CommitQueue {
    queue: *mut rdsys::rd_kafka_queue_t,
}

/// What Kafka said to one commit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CommitAnswer {
    /// An error of the whole commit.
    pub(super) fault: Option<RDKafkaErrorCode>,
    /// Errors of single partitions: topic, partition, error.
    pub(super) faults: Vec<(String, i32, RDKafkaErrorCode)>,
}

// SAFETY: the queue is only touched by its owner, and librdkafka's queues may be used from any thread.
unsafe impl Send for CommitQueue {}

impl CommitQueue {
    pub(super) fn new(consumer: &BaseConsumer<PollContext>) -> Self {
        // SAFETY: the client is alive; the new queue is ours and is destroyed in `drop`.
        Self { queue: unsafe { rdsys::rd_kafka_queue_new(consumer.client().native_ptr()) } }
    }

    /// Sends the commit and returns at once.
    pub(super) fn ask(
        &self,
        consumer: &BaseConsumer<PollContext>,
        list: &TopicPartitionList,
    ) -> Result<(), RDKafkaErrorCode> {
        // SAFETY: client, list and queue are alive; librdkafka copies the list before it returns.
        let error = unsafe {
            rdsys::rd_kafka_commit_queue(consumer.client().native_ptr(), list.ptr(), self.queue, None, ptr::null_mut())
        };
        if error.is_error() { Err(error.into()) } else { Ok(()) }
    }

    /// The next answer that has come, if there is one.
    pub(super) fn answer(&self) -> Option<CommitAnswer> {
        // SAFETY: the queue is alive; a returned event is ours until it is destroyed below, and so is the list within it.
        unsafe {
            let event = rdsys::rd_kafka_queue_poll(self.queue, 0);
            if event.is_null() {
                return None;
            }
            let error = rdsys::rd_kafka_event_error(event);
            let fault = error.is_error().then(|| error.into());
            let faults = faults(rdsys::rd_kafka_event_topic_partition_list(event));
            rdsys::rd_kafka_event_destroy(event);
            Some(CommitAnswer { fault, faults })
        }
    }
}

impl Drop for CommitQueue {
    fn drop(&mut self) {
        // SAFETY: made by `new`, destroyed once.
        unsafe { rdsys::rd_kafka_queue_destroy(self.queue) }
    }
}

impl CommitAnswer {
    /// The error that a partition met, its own or that of the whole commit.
    pub(super) fn fault_of(&self, topic: &str, partition: i32) -> Option<RDKafkaErrorCode> {
        let own = self.faults.iter().find(|(t, p, _)| t == topic && *p == partition).map(|(_, _, code)| *code);
        own.or(self.fault)
    }
}

/// The partitions of `list` that met an error.
///
/// # Safety
/// `list` is null or a list that lives during the call.
unsafe fn faults(list: *mut rdsys::rd_kafka_topic_partition_list_t) -> Vec<(String, i32, RDKafkaErrorCode)> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: librdkafka keeps `cnt` initialised elements behind `elems`, each with a NUL-terminated topic.
    unsafe {
        let elements = match usize::try_from((*list).cnt) {
            Ok(count) if count > 0 => std::slice::from_raw_parts((*list).elems, count),
            _ => return Vec::new(),
        };
        let fault = |e: &rdsys::rd_kafka_topic_partition_t| {
            let topic = CStr::from_ptr(e.topic).to_string_lossy().into_owned();
            e.err.is_error().then(|| (topic, e.partition, e.err.into()))
        };
        elements.iter().filter_map(fault).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::CommitAnswer;
    use rdkafka::error::RDKafkaErrorCode as Code;

    #[test]
    fn a_partition_s_own_error_goes_before_that_of_the_whole() {
        let faults = vec![("t".to_owned(), 1, Code::UnknownMemberId)];
        let answer = CommitAnswer { fault: Some(Code::RequestTimedOut), faults };
        assert_eq!(answer.fault_of("t", 1), Some(Code::UnknownMemberId));
        assert_eq!(answer.fault_of("t", 2), Some(Code::RequestTimedOut));
        assert_eq!(CommitAnswer::default().fault_of("t", 1), None);
    }
}
