//! How much waits in a consumer's main queue: rebalances, errors, log lines, statistics.

use rdkafka::bindings as rdsys;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};

/// How many events `consumer.poll` has to serve now; it does not say whether it served one.
pub fn waiting<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> usize {
    // SAFETY: the client is alive; the reference to its queue is ours, and given back here.
    unsafe {
        let queue = rdsys::rd_kafka_queue_get_consumer(consumer.client().native_ptr());
        if queue.is_null() {
            return 0;
        }
        let waiting = rdsys::rd_kafka_queue_length(queue);
        rdsys::rd_kafka_queue_destroy(queue);
        waiting
    }
}
