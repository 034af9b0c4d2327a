//! The thread that polls the client in use and brings dead letters away.

use crate::clients::Clients;
use crate::dead_letter::{DeadLetter, DeadLetterTopic, DeadLetters, Taken};
use crate::delivery::DEAD;
use crate::native::{Lent, Topic};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use domain::headers::dead_letter_topic;
use rdkafka::error::RDKafkaErrorCode;
use runtime::clock::{Clock, SystemClock};
use runtime::health::Beat;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The dead-letter topics, through the client in use.
pub struct KafkaDeadLetterTopic {
    clients: Arc<Clients>,
    /// Topics without one.
    without: Vec<String>,
}

impl KafkaDeadLetterTopic {
    /// `without` are the topics whose dead letters have none.
    pub fn new(clients: Arc<Clients>, without: Vec<String>) -> Self {
        Self { clients, without }
    }
}

/// A dead letter has the time at which it is written, or retention would delete those of late events first; the record's own time is
/// in its headers. librdkafka puts the clock's time for a zero.
const NOW: i64 = 0;

impl DeadLetterTopic for KafkaDeadLetterTopic {
    fn offer(&self, letter: &DeadLetter) -> Taken {
        if self.without.contains(&letter.record.topic) {
            return Taken::Never;
        }
        let record = Lent {
            key: &letter.record.key,
            value: &letter.record.value,
            timestamp_ms: NOW,
            headers: &letter.all_headers(),
            opaque: letter.slot | DEAD,
        };
        let topic = Topic::new(&self.clients.current(), &dead_letter_topic(&letter.record.topic));
        match topic.and_then(|mut topic| topic.send(&record)) {
            Ok(()) => Taken::Yes,
            // A finished client is about to be replaced.
            Err(RDKafkaErrorCode::QueueFull | RDKafkaErrorCode::Fatal) => Taken::Later,
            Err(code) => Taken::Refused(code),
        }
    }
}

/// How long one poll takes; answers that come meanwhile are handled as they come.
const POLL: Duration = Duration::from_millis(50);
/// How often it is looked whether a disk holds the thread.
const LOOK: Duration = Duration::from_secs(1);
/// How long clients may take to end. A thread of theirs that looks up a name hangs for as long as the resolver does.
const CLIENTS_END: Duration = Duration::from_secs(2);

/// The thread.
pub struct Polling {
    stop: Arc<AtomicBool>,
    /// Told when nothing is polled any more and the letters are in their places; closed when the clients have ended as well.
    ended: Receiver<()>,
}

impl Polling {
    /// # Errors
    /// The operating system gives no thread.
    pub fn start<T>(clients: Arc<Clients>, mut letters: DeadLetters<T>, beat: Beat) -> std::io::Result<Self>
    where
        T: DeadLetterTopic + Send + 'static,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let (tell, ended) = crossbeam_channel::bounded(1);
        std::thread::Builder::new().name("poll".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                clients.current().poll(POLL);
                clients.lead_back(SystemClock.now());
                letters.work();
                beat.progress();
            }
            // Letters that Kafka has not confirmed come back, and go to another place.
            clients.current().give_back();
            drop(letters);
            beat.retire();
            // Who asked for the end may wait no more.
            let _ = tell.send(());
            // As a rule the last to hold them: they end here, before `tell` does.
            drop(clients);
        })?;
        Ok(Self { stop, ended })
    }

    /// Ends the thread, but for the clients; answers that come later are not heard.
    pub fn stop(self) -> Closing {
        self.stop_unless(|| false)
    }

    /// The same, and leaves the thread behind when a place of dead letters hangs and holds it.
    pub fn stop_unless(self, hangs: impl Fn() -> bool) -> Closing {
        self.stop.store(true, Ordering::Relaxed);
        loop {
            match self.ended.recv_timeout(LOOK) {
                Ok(()) => break,
                Err(RecvTimeoutError::Disconnected) => {
                    tracing::error!("the polling thread ended with a panic");
                    break;
                }
                Err(RecvTimeoutError::Timeout) if hangs() => {
                    tracing::error!("the thread of the dead letters is left behind: a disk holds it");
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        Closing(self.ended)
    }
}

/// Clients that come to their end.
pub struct Closing(Receiver<()>);

impl Closing {
    /// Waits for their end, but not for long: whatever they still do, it is known what became of every event.
    pub fn wait(self) {
        if self.0.recv_timeout(CLIENTS_END) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the Kafka client does not come to its end, perhaps in looking up names: it is left behind");
        }
    }
}
