//! The client of rivals that do without the poll thread: its records come by the queues of their partitions, as the poll thread's do.

use anyhow::Result;
use kafka_client::partition_queues::PartitionQueues;
use kafka_client::settings::ClientSettings;
use rdkafka::TopicPartitionList;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::types::RDKafkaRespErr;

/// The context: opens and closes queues, and assigns cooperatively.
#[derive(Default)]
pub struct Queued {
    queues: PartitionQueues,
}

/// The client and its queues, which go first.
pub struct QueuedClient {
    pub consumer: BaseConsumer<Queued>,
    pub queues: PartitionQueues,
}

impl QueuedClient {
    /// Subscribes to `topics`.
    ///
    /// # Errors
    /// The client cannot be made.
    pub fn start(settings: &ClientSettings, topics: &[&str]) -> Result<Self> {
        let context = Queued::default();
        let queues = context.queues.clone();
        let consumer: BaseConsumer<Queued> = settings.create_with_context(context)?;
        consumer.subscribe(topics)?;
        Ok(Self { consumer, queues })
    }
}

impl Drop for QueuedClient {
    fn drop(&mut self) {
        self.queues.clear();
    }
}

impl ClientContext for Queued {}

impl ConsumerContext for Queued {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let done = if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            if let Err(error) = self.queues.open(consumer.client(), list) {
                eprintln!("a partition is not read: {error}");
            }
            consumer.incremental_assign(list)
        } else {
            self.queues.close(list);
            consumer.incremental_unassign(list)
        };
        if let Err(error) = done {
            eprintln!("a rebalance failed: {error}");
        }
    }
}
