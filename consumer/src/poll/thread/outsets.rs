//! Partitions that begin where the desk says: Kafka's client is taken there, and only then anything of them is read.

use super::PollThread;
use std::time::Duration;

/// For the client's answer, which needs no broker; nothing else of the thread goes on meanwhile.
const ANSWER: Duration = Duration::from_millis(200);
/// How long it is left in peace when it could not do it.
const AGAIN: Duration = Duration::from_secs(1);

impl PollThread {
    /// Takes the client to where partitions begin. One that it does not read now, for its topic is moving, is tried again.
    pub(super) fn begin_where_said(&mut self, now: Duration) {
        if now < self.next_outset {
            return;
        }
        let outsets = self.shared.desk().outsets();
        for (held, offset) in outsets {
            let (topic, partition) = (&*held.at.topic, held.at.partition);
            match self.shared.queues.go_to(&self.consumer, (topic, partition), offset, ANSWER) {
                Ok(()) => self.shared.desk().begun(&held, offset),
                Err(error) => {
                    tracing::debug!(topic, partition, offset, %error, "reading cannot begin there yet");
                    self.next_outset = now + AGAIN;
                }
            }
        }
    }
}
