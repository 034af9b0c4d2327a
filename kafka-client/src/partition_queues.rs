//! The queues of the partitions that a consumer owns, each read by itself: what is not read waits where it is, while librdkafka's `pause`
//! throws away what was read ahead, and fetches it again.
//!
//! A queue is opened before its partition is assigned, so that no record ever takes the way of the consumer's main queue, which is still
//! to be polled for everything else. A queue says when something comes into it; [`PartitionQueues::look_at_all`] asks them without that,
//! so that none is forgotten. All but the signals belongs to the one thread that reads.
//!
//! An error in a queue stops it until [`PartitionQueues::mend`]: librdkafka takes it for a record, and would go on behind it after the next
//! pause, also after its own in a rebalance (2.12.1, `rd_kafka_q_serve_rkmessages` and `rd_kafka_toppar_pause_resume`).

/// Records that were taken from one queue at once.
mod chunk;
/// One partition's queue, and its signal.
mod queue;

pub use chunk::{Chunk, Fault, Record};
pub use queue::AT_ONCE;
use queue::{Queue, Reader};
use rdkafka::client::{Client, ClientContext};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// See the head of the file; clones are the same queues.
#[derive(Clone, Default)]
pub struct PartitionQueues(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    queues: Vec<Queue>,
    /// Of partitions that were ours: what is fetched of them too late comes all the same, and nobody else would take it out.
    left: Vec<Queue>,
    /// Whose turn it is.
    turn: usize,
    reader: Reader,
}

/// A partition has no queue, so nothing of it could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("librdkafka has no queue for {topic}/{partition}")]
pub struct NoQueue {
    pub topic: String,
    pub partition: i32,
}

impl PartitionQueues {
    /// Opens the queues of partitions that are about to be assigned to `client`, which must not end before [`Self::clear`].
    ///
    /// # Errors
    /// One of them has none: its topic's name is none that Kafka has, or `client` is no consumer.
    pub fn open<C: ClientContext>(&self, client: &Client<C>, partitions: &TopicPartitionList) -> Result<(), NoQueue> {
        let mut open = self.lock();
        for element in partitions.elements() {
            let (topic, partition) = (element.topic(), element.partition());
            // Whoever looks at it already must go before the signal is another one's.
            open.queues.retain(|queue| !queue.is_of(topic, partition));
            open.left.retain(|queue| !queue.is_of(topic, partition));
            let queue = Queue::new(client.native_ptr(), topic, partition, &open.reader);
            open.queues.push(queue.ok_or_else(|| NoQueue { topic: topic.to_owned(), partition })?);
        }
        Ok(())
    }

    /// Closes the queues of partitions that are ours no longer; what lies in them is thrown away by [`Self::look_at_all`].
    pub fn close(&self, partitions: &TopicPartitionList) {
        let mut open = self.lock();
        let leaving = partitions.elements();
        let leaves =
            |queue: &mut Queue| leaving.iter().any(|element| queue.is_of(element.topic(), element.partition()));
        let left: Vec<Queue> = open.queues.extract_if(.., leaves).collect();
        left.iter().for_each(Queue::raise);
        open.left.extend(left);
    }

    /// Closes all of them; before the client ends.
    pub fn clear(&self) {
        let mut open = self.lock();
        open.queues.clear();
        open.left.clear();
    }

    /// Has [`Self::wait`] end also when something comes into the main queue of `consumer`: a rebalance, an error, a log line.
    pub fn wake_for<C: ConsumerContext>(&self, consumer: &mut BaseConsumer<C>) {
        let reader = self.lock().reader.clone();
        consumer.set_nonempty_callback(move || reader.wake());
    }

    /// Reads nothing of a partition until [`Self::go_on`]; the client reads ahead as far as its settings say, and not further.
    pub fn stop(&self, topic: &str, partition: i32) {
        self.set(topic, partition, true);
    }

    /// Goes on at the very next record.
    pub fn go_on(&self, topic: &str, partition: i32) {
        self.set(topic, partition, false);
    }

    /// Reads nothing of any partition that is open now.
    pub fn stop_all(&self) {
        self.lock().queues.iter_mut().for_each(|queue| queue.stopped = true);
    }

    /// What lies ready in the next queue that has something, by turns. `None`: none has.
    pub fn take(&self) -> Option<Chunk> {
        let mut open = self.lock();
        let all = open.queues.len();
        for step in 0..all {
            let turn = (open.turn + step) % all;
            let chunk = open.queues[turn].take();
            if chunk.is_some() {
                open.turn = (turn + 1) % all;
                return chunk;
            }
        }
        None
    }

    /// Has a partition that an error has stopped read on: at `position`, or without one where the error was. Others go on as they are.
    ///
    /// # Errors
    /// The client refuses to go there.
    pub fn mend<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        (topic, partition): (&str, i32),
        position: Option<i64>,
    ) -> KafkaResult<()> {
        let mut open = self.lock();
        let Some(queue) = open.queues.iter_mut().find(|queue| queue.is_of(topic, partition)) else { return Ok(()) };
        let Some(fault) = queue.fault() else { return Ok(()) };
        let place = Offset::from_raw(position.unwrap_or(fault));
        if matches!(place, Offset::Offset(0..) | Offset::Beginning | Offset::End) {
            let mut list = TopicPartitionList::with_capacity(1);
            list.add_partition_offset(topic, partition, place)?;
            // Without waiting: from now on what was fetched before counts for nothing.
            consumer.seek_partitions(list, Duration::ZERO)?;
        }
        queue.mended();
        Ok(())
    }

    /// Goes on reading a partition at `offset`, wherever it stood, as soon as the client has seen to it. Nothing that was fetched before that
    /// comes any more, and an error that stopped it is forgotten.
    ///
    /// # Errors
    /// The client reads nothing of this partition now, or did not answer within `longest`; reading goes on where it stood.
    pub fn go_to<C: ConsumerContext>(
        &self,
        consumer: &BaseConsumer<C>,
        (topic, partition): (&str, i32),
        offset: i64,
        longest: Duration,
    ) -> KafkaResult<()> {
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
        let done = consumer.seek_partitions(list, longest)?;
        done.elements().iter().try_for_each(|element| element.error())?;
        if let Some(queue) = self.lock().queues.iter_mut().find(|queue| queue.is_of(topic, partition)) {
            queue.mended();
        }
        Ok(())
    }

    /// Waits until something came into a queue, or for so long.
    pub fn wait(&self, longest: Duration) {
        let reader = self.lock().reader.clone();
        reader.wait(longest);
    }

    /// Has [`Self::take`] look at every queue once, whatever their signals said, and empties those of partitions that are ours no longer.
    pub fn look_at_all(&self) {
        let open = self.lock();
        open.queues.iter().for_each(Queue::raise);
        open.left.iter().for_each(Queue::empty);
    }

    fn set(&self, topic: &str, partition: i32, stopped: bool) {
        let mut open = self.lock();
        if let Some(queue) = open.queues.iter_mut().find(|queue| queue.is_of(topic, partition)) {
            queue.stopped = stopped;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
