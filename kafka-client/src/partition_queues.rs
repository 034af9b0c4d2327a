//! The queues of the partitions that a consumer owns, each read by itself: what is not read waits where it is, while librdkafka's `pause`
//! throws away what was read ahead, and fetches it again.
//!
//! A queue is opened before its partition is assigned, so that no record ever takes the way of the consumer's main queue, which is still
//! to be polled for everything else. A queue says when something comes into it; [`PartitionQueues::look_at_all`] asks them without that,
//! so that none is forgotten. All but the signals belongs to the one thread that reads.

/// Records that were taken from one queue at once.
mod chunk;
/// One partition's queue, and its signal.
mod queue;

pub use chunk::{Chunk, Record};
use queue::{Queue, Reader};
use rdkafka::TopicPartitionList;
use rdkafka::client::{Client, ClientContext};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// See the head of the file; clones are the same queues.
#[derive(Clone, Default)]
pub struct PartitionQueues(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    queues: Vec<Queue>,
    /// Whose turn it is.
    turn: usize,
    reader: Reader,
}

impl PartitionQueues {
    /// Opens the queues of partitions that are about to be assigned to `client`, which must not end before [`Self::clear`].
    pub fn open<C: ClientContext>(&self, client: &Client<C>, partitions: &TopicPartitionList) {
        let mut open = self.lock();
        for element in partitions.elements() {
            let (topic, partition) = (element.topic(), element.partition());
            open.queues.retain(|queue| !queue.is_of(topic, partition));
            let queue = Queue::new(client.native_ptr(), topic, partition, &open.reader);
            open.queues.extend(queue);
        }
    }

    /// Closes the queues of partitions that are ours no longer, with what lies in them.
    pub fn close(&self, partitions: &TopicPartitionList) {
        let leaving = partitions.elements();
        let leaves = |queue: &Queue| leaving.iter().any(|element| queue.is_of(element.topic(), element.partition()));
        self.lock().queues.retain(|queue| !leaves(queue));
    }

    /// Closes all of them; before the client ends.
    pub fn clear(&self) {
        self.lock().queues.clear();
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

    /// Waits until something came into a queue, or for so long.
    pub fn wait(&self, longest: Duration) {
        let reader = self.lock().reader.clone();
        reader.wait(longest);
    }

    /// Has [`Self::take`] look at every queue once, whatever their signals said.
    pub fn look_at_all(&self) {
        self.lock().queues.iter().for_each(Queue::raise);
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
