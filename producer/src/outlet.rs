//! The way to Kafka: rdkafka's producer behind the borders of send and of the dead letters, and the thread that polls it.

use crate::chunk::{Chunk, Item};
use crate::dead_letter::{DeadLetter, DeadLetterTopic, DeadLetters, Taken};
use crate::delivery::{DEAD, Delivery, stopped};
use crate::in_flight::{Flying, InFlight, Slots};
use crate::refusal::{self, Refusal};
use crate::send::{Offered, Outlet};
use domain::headers;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use runtime::health::Beat;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The client, shared by the flow and the polling thread.
pub type KafkaProducer = BaseProducer<Delivery>;

/// The flow's end of the client.
pub struct KafkaOutlet {
    producer: Arc<KafkaProducer>,
    in_flight: Arc<InFlight>,
    slots: Slots,
    topics: Vec<String>,
}

impl KafkaOutlet {
    /// `topics` by their numbers in the router.
    pub fn new(producer: Arc<KafkaProducer>, topics: Vec<String>) -> Self {
        let in_flight = producer.context().answers.in_flight.clone();
        Self { slots: Slots::new(in_flight.clone()), producer, in_flight, topics }
    }

    fn refused(&mut self, slot: usize, code: RDKafkaErrorCode, item: &Item, chunk: &Chunk) -> Offered {
        let topic = &self.topics[usize::from(item.topic)];
        match Refusal::at_the_queue(code) {
            Refusal::Wait => {
                self.slots.put_back(slot);
                Offered::Full
            }
            Refusal::SetAside(class) => {
                let letter = DeadLetter {
                    slot,
                    topic: topic.clone(),
                    key: chunk.text(item.key).to_vec(),
                    value: chunk.text(item.value).to_vec(),
                    headers: own_headers(item, chunk),
                    timestamp_ms: item.ts,
                    class,
                    reason: refusal::reason(code),
                    detail: code.to_string(),
                    only_file: false,
                };
                match self.producer.context().dead_letters.send(letter) {
                    Ok(()) => Offered::SetAside,
                    Err(_) => Offered::Broken("the thread that polls Kafka has ended".into()),
                }
            }
            Refusal::GiveUp | Refusal::Stop => {
                self.slots.put_back(slot);
                let fatal = self.producer.client().fatal_error();
                Offered::Broken(fatal.map_or_else(|| stopped(topic, code), |(_, reason)| finished(&reason)))
            }
        }
    }
}

fn finished(reason: &str) -> String {
    format!("the Kafka client is finished ({reason}): start the producer again")
}

/// Headers are rare (events that are invalid on purpose), so they may allocate.
fn own_headers(item: &Item, chunk: &Chunk) -> Vec<(String, Vec<u8>)> {
    item.invalid_id.map_or_else(Vec::new, |id| {
        vec![
            (headers::EXPECTED_FATE.to_owned(), b"rejected".to_vec()),
            (headers::EVENT_ID.to_owned(), chunk.text(id).to_vec()),
        ]
    })
}

fn kafka_headers(headers: &[(String, Vec<u8>)]) -> Option<OwnedHeaders> {
    if headers.is_empty() {
        return None;
    }
    let add = |owned: OwnedHeaders, (key, value): &(String, Vec<u8>)| owned.insert(Header { key, value: Some(value) });
    Some(headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), add))
}

fn code(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)
}

impl Outlet for KafkaOutlet {
    fn offer(&mut self, item: &Item, chunk: &Chunk) -> Offered {
        let flying =
            Flying { due: item.due, series: item.series, seq: item.seq, topic: item.topic, ticket: item.ticket };
        let Some(slot) = self.slots.take(flying) else { return Offered::Full };
        let record = BaseRecord {
            topic: &self.topics[usize::from(item.topic)],
            partition: None,
            payload: Some(chunk.text(item.value)),
            key: Some(chunk.text(item.key)),
            timestamp: Some(item.ts),
            headers: if item.invalid_id.is_some() { kafka_headers(&own_headers(item, chunk)) } else { None },
            delivery_opaque: slot,
        };
        match self.producer.send(record) {
            Ok(()) => Offered::Taken,
            Err((error, _)) => self.refused(slot, code(&error), item, chunk),
        }
    }

    fn wait_for_room(&mut self, at_most: Duration) {
        self.in_flight.wait_for_room(at_most);
    }
}

/// The dead-letter topics, through the same client.
pub struct KafkaDeadLetterTopic(pub Arc<KafkaProducer>);

impl DeadLetterTopic for KafkaDeadLetterTopic {
    fn offer(&self, letter: &DeadLetter) -> Taken {
        let record = BaseRecord {
            topic: &headers::dead_letter_topic(&letter.topic),
            partition: None,
            payload: Some(letter.value.as_slice()),
            key: Some(letter.key.as_slice()),
            timestamp: Some(letter.timestamp_ms),
            headers: kafka_headers(&letter.all_headers()),
            delivery_opaque: letter.slot | DEAD,
        };
        match self.0.send(record).map_err(|(error, _)| code(&error)) {
            Ok(()) => Taken::Yes,
            Err(RDKafkaErrorCode::QueueFull) => Taken::Later,
            Err(code) => {
                tracing::warn!(topic = letter.topic, %code, "the dead-letter topic refuses");
                Taken::Never
            }
        }
    }
}

/// How long one poll takes; answers that come meanwhile are handled as they come.
const POLL: Duration = Duration::from_millis(50);

/// The thread that polls the client and brings dead letters away.
pub struct Polling {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Polling {
    /// # Errors
    /// The operating system gives no thread.
    pub fn start<T>(producer: Arc<KafkaProducer>, mut letters: DeadLetters<T>, beat: Beat) -> std::io::Result<Self>
    where
        T: DeadLetterTopic + Send + 'static,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("poll".into()).spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                producer.poll(POLL);
                letters.work();
                beat.progress();
            }
            beat.retire();
        })?;
        Ok(Self { stop, thread })
    }

    /// Ends the thread; answers that come later are not heard.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("the polling thread ended with a panic");
        }
    }
}
