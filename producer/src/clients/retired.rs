//! A client that another one has followed: it is heard out, and then closed where it hurts nobody.
//!
//! Nothing here waits: a thread of the client that looks up a broker's name hangs for as long as the resolver does, in an
//! outage that may be long, and gives back what is in its hands only then.

use super::KafkaProducer;
use std::sync::Arc;
use std::time::Duration;

/// What moved between the client's queues while it was told is told again.
const TELL_AGAIN: Duration = Duration::from_millis(500);
/// A client that takes longer than this is worth a line.
const LONG: Duration = Duration::from_secs(10);
/// Each poll of a client that is closed.
const POLL: Duration = Duration::from_millis(20);

/// The client, until it has given back what it had.
pub struct Retired {
    /// `None` only while this is dropped.
    producer: Option<Arc<KafkaProducer>>,
    since: Duration,
    told: Duration,
    is_long: bool,
}

impl Retired {
    /// Tells the client to give back everything.
    pub(super) fn new(producer: Arc<KafkaProducer>, now: Duration) -> Self {
        producer.purge();
        Self { producer: Some(producer), since: now, told: now, is_long: false }
    }

    /// Hears what the client says; true when it holds nothing any more and all that it said is noted.
    pub fn is_heard_out(&mut self, now: Duration) -> bool {
        let Some(producer) = &self.producer else { return true };
        producer.poll(Duration::ZERO);
        // What the polling thread has heard of it and not noted yet would be sent again.
        if producer.is_heard_out() {
            return true;
        }
        if now.saturating_sub(self.told) >= TELL_AGAIN {
            self.told = now;
            producer.purge();
        }
        if !self.is_long && now.saturating_sub(self.since) >= LONG {
            self.is_long = true;
            let records = producer.in_flight_count();
            tracing::error!(records, "a retired client keeps records: its threads hang, perhaps in looking up names");
        }
        false
    }
}

impl Drop for Retired {
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            close(producer);
        }
    }
}

/// Drops a client in the background: closing connections to dead brokers takes its time.
fn close(producer: Arc<KafkaProducer>) {
    let spawned = std::thread::Builder::new().name("retire".into()).spawn(move || {
        while Arc::strong_count(&producer) > 1 || producer.in_flight_count() > 0 {
            producer.poll(POLL);
        }
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread to close the old client in");
    }
}
