//! Writes dead letters to `<topic>.dlq`, and what is put off to its retry topic, with a producer that has a poll thread of its own.

use super::polled::Polled;
use super::refusal::Refusal;
use super::{DeadLetter, DeadLetters, Unacknowledged};
use crate::record::Headers;
use kafka_client::context::Observer;
use kafka_client::settings::{ClientError, ClientSettings};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, ProducerContext};
use runtime::clock::{Clock, SystemClock};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::oneshot;

/// See the head of the file. Dropping it gives up what is not acknowledged; nothing of that was committed.
#[derive(Clone)]
pub struct KafkaDeadLetters {
    client: Arc<RwLock<Client>>,
}

/// The client in use, and what it was made from.
#[derive(Clone)]
struct Client {
    producer: Arc<Producer>,
    /// Sends each letter by itself; made when letters are first refused as too large together.
    alone: Arc<Mutex<Option<Arc<Producer>>>>,
    settings: ClientSettings,
}

type Producer = Polled<Context>;

/// No letters can be written.
#[derive(Debug, thiserror::Error)]
pub enum LettersError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the thread for dead letters cannot be started")]
    Thread(#[from] std::io::Error),
}

type Answer = oneshot::Sender<Result<(), Refusal>>;

struct Context {
    observer: Observer,
}

impl Client {
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.producer, &other.producer)
    }

    fn is_shut_out(&self) -> bool {
        let shut_out = |producer: &Producer| producer.client().fatal_error().is_some();
        let alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        shut_out(&self.producer) || alone.as_deref().is_some_and(shut_out)
    }

    fn alone(&self) -> Result<Arc<Producer>, LettersError> {
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(producer) = &*alone {
            return Ok(Arc::clone(producer));
        }
        Ok(Arc::clone(alone.insert(Arc::new(start(&self.settings.one_by_one())?))))
    }

    /// Writes all that Kafka takes and gives back the rest, in order.
    async fn write(&self, letters: Vec<DeadLetter>) -> Vec<(DeadLetter, Refusal)> {
        let refused = write(&self.producer, letters).await;
        // A batch of several is refused as a whole: only alone is it the letter's own fate.
        let (large, mut refused): (Vec<_>, Vec<_>) = refused.into_iter().partition(|(_, why)| why.is_for_size());
        if large.is_empty() {
            return refused;
        }
        match self.alone() {
            Ok(alone) => refused.extend(write(&alone, large.into_iter().map(|(letter, _)| letter).collect()).await),
            Err(error) => {
                tracing::error!(%error, "no client that sends letters one by one can be made");
                refused.extend(large);
            }
        }
        refused.sort_by_key(|(letter, _)| letter.record.offset);
        refused
    }
}

impl KafkaDeadLetters {
    /// # Errors
    /// The client, or its thread, could not be made.
    pub fn new(settings: &ClientSettings) -> Result<Self, LettersError> {
        Ok(Self { client: Arc::new(RwLock::new(create(settings)?)) })
    }

    /// Another client takes over, of these settings; the one before ends when its last letter is answered.
    ///
    /// # Errors
    /// The client could not be created; the one in use stays.
    pub fn renew(&self, settings: &ClientSettings) -> Result<(), LettersError> {
        let next = create(settings)?;
        *self.client.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    fn client(&self) -> Client {
        self.client.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Kafka has shut an idempotent client out for good: its letters come again by another one. Not when another one has taken over already:
    /// that may have newer certificates.
    fn mend(&self, client: &Client) {
        if !client.is_shut_out() || !self.client().is(client) {
            return;
        }
        let next = match create(&client.settings) {
            Ok(next) => next,
            Err(error) => return tracing::error!(%error, "no other client for dead letters can be made"),
        };
        let mut in_use = self.client.write().unwrap_or_else(PoisonError::into_inner);
        if in_use.is(client) {
            *in_use = next;
            tracing::warn!("the client for dead letters was shut out by Kafka, another one takes over");
        }
    }
}

/// Writes all that Kafka takes and gives back the rest.
async fn write(producer: &Producer, letters: Vec<DeadLetter>) -> Vec<(DeadLetter, Refusal)> {
    let handed: Vec<_> = letters.iter().map(|letter| hand_over(producer, letter)).collect();
    let mut refused = Vec::new();
    for (letter, handed) in letters.into_iter().zip(handed) {
        let answer = match handed {
            // The answer is dropped only with the client.
            Ok(receiver) => receiver.await.unwrap_or(Err(Refusal::GIVEN_UP)),
            Err(refusal) => Err(refusal),
        };
        refused.extend(answer.err().map(|refusal| (letter, refusal)));
    }
    refused
}

/// Hands one letter to the client; its answer comes by the receiver.
fn hand_over(producer: &Producer, letter: &DeadLetter) -> Result<oneshot::Receiver<Result<(), Refusal>>, Refusal> {
    let (answer, receiver) = oneshot::channel();
    let topic = letter.topic();
    let record = BaseRecord {
        topic: &topic,
        partition: None,
        payload: letter.record.value.as_deref(),
        key: letter.record.key.as_deref(),
        timestamp: None,
        headers: Some(native(&letter.headers())),
        delivery_opaque: Box::new(answer),
    };
    producer.send(record).map(|()| receiver).map_err(|error| Refusal::by_client(&error))
}

fn create(settings: &ClientSettings) -> Result<Client, LettersError> {
    let (producer, alone) = (Arc::new(start(settings)?), Arc::default());
    Ok(Client { producer, alone, settings: settings.clone() })
}

fn start(settings: &ClientSettings) -> Result<Producer, LettersError> {
    let observer = Observer::default();
    let producer = settings.create_with_context(Context { observer: observer.clone() })?;
    let settings = settings.clone();
    Ok(Polled::start(producer, move |client| observer.lead_back(client, &settings, SystemClock.now()))?)
}

fn native(headers: &Headers) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |list, (key, value)| {
        list.insert(Header { key, value: value.as_ref() })
    })
}

impl DeadLetters for KafkaDeadLetters {
    async fn send(&self, letters: Vec<DeadLetter>) -> Result<(), Unacknowledged> {
        let client = self.client();
        let refused = client.write(letters).await;
        let Some((first, refusal)) = refused.first() else { return Ok(()) };
        self.mend(&client);
        let (class, detail) = (refusal.class(), refusal.about(first));
        Err(Unacknowledged { letters: refused.into_iter().map(|(letter, _)| letter).collect(), class, detail })
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.observer.log(level, facility, message);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.observer.stats_raw(json);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(&error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Answer>;

    fn delivery(&self, result: &DeliveryResult<'_>, answer: Self::DeliveryOpaque) {
        let result = result.as_ref().map(|_| ()).map_err(|(error, _)| Refusal::by_kafka(error));
        // Nobody waits any more when the partition is gone.
        let _ = answer.send(result);
    }
}

#[cfg(test)]
mod tests {
    use super::{Client, KafkaDeadLetters};
    use kafka_client::settings::{ClientSettings, Kafka, KafkaRaw, ProducerTuning};
    use rdkafka::bindings::rd_kafka_test_fatal_error;
    use rdkafka::types::RDKafkaRespErr;
    use runtime::config::Settings;

    /// Nothing listens there.
    fn settings(client_id: &str) -> ClientSettings {
        let raw = KafkaRaw {
            bootstrap_servers: vec!["127.0.0.1:9".to_owned()],
            client_id: client_id.to_owned(),
            ..KafkaRaw::default()
        };
        Kafka::validate(&Settings::of(&raw), &raw).unwrap().producer(&ProducerTuning::default())
    }

    fn shut_out(client: &Client) {
        let code = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        // SAFETY: the client is alive, and the words are copied.
        unsafe { rd_kafka_test_fatal_error(client.producer.client().native_ptr(), code, c"test".as_ptr()) };
    }

    #[test]
    fn a_client_that_was_shut_out_is_replaced_by_one_of_its_settings_and_never_a_newer_one() {
        let letters = KafkaDeadLetters::new(&settings("old")).unwrap();
        let in_use = |letters: &KafkaDeadLetters| letters.client().settings.property("client.id").map(str::to_owned);
        let first = letters.client();
        shut_out(&first);
        letters.mend(&first);
        let second = letters.client();
        assert!(!second.is(&first) && second.producer.client().fatal_error().is_none());
        assert_eq!(in_use(&letters).as_deref(), Some("old"));
        letters.renew(&settings("new")).unwrap();
        shut_out(&second);
        letters.mend(&second);
        assert_eq!(in_use(&letters).as_deref(), Some("new"));
    }
}
