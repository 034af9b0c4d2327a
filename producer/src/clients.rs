//! The client in use, and how the next one comes to be: after new certificates, a fatal error, or too long without an answer.

mod retired;

pub use retired::Retired;

use crate::answers::Answers;
use crate::dead_letter::{DeadLetter, LastPlace};
use crate::delivery::{Delivery, GivenBack};
use crate::missing::MissingTopics;
use crate::native::NativeProducer;
use crossbeam_channel::Sender;
use kafka_client::context::Observer;
use kafka_client::settings::{ClientError, ClientSettings};
use rdkafka::error::KafkaError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A client, shared by the flow and the polling thread.
pub type KafkaProducer = NativeProducer<Delivery>;

/// One client in use, perhaps one that waits to follow it.
pub struct Clients {
    current: Mutex<Arc<KafkaProducer>>,
    next: Mutex<Option<Next>>,
    /// Whether `next` holds one; asked for every event.
    next_waits: AtomicBool,
    settings: Mutex<ClientSettings>,
    made: AtomicU64,
    seed: Seed,
}

struct Next {
    producer: Arc<KafkaProducer>,
    settings: ClientSettings,
}

/// What every client's context needs.
#[derive(Clone)]
pub struct Seed {
    pub answers: Arc<Answers>,
    pub dead_letters: Sender<DeadLetter>,
    /// Where a letter goes that comes when nobody reads them any more; `None`: nowhere, and its event counts as failed.
    pub last: Option<LastPlace>,
    pub given_back: Arc<GivenBack>,
    pub missing: Arc<MissingTopics>,
}

/// A new bundle's client that Kafka would not have.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("Kafka does not answer a client with the new certificates: {0}")]
    Refused(KafkaError),
}

impl Clients {
    /// Makes the first client.
    ///
    /// # Errors
    /// librdkafka refuses the settings.
    pub fn new(settings: ClientSettings, seed: Seed) -> Result<Arc<Self>, ClientError> {
        let made = AtomicU64::new(1);
        let first = Arc::new(create(&settings, &seed, 1)?);
        let (current, next, settings) = (Mutex::new(first), Mutex::new(None), Mutex::new(settings));
        Ok(Arc::new(Self { current, next, next_waits: AtomicBool::new(false), settings, made, seed }))
    }

    /// The client in use.
    pub fn current(&self) -> Arc<KafkaProducer> {
        held(&self.current).clone()
    }

    /// Has the client in use find its brokers again, if it may have lost them; to be called often.
    pub fn lead_back(&self, now: Duration) {
        let current = self.current();
        current.context().observer.lead_back(current.client(), &held(&self.settings), now);
    }

    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// True when a client with new certificates waits.
    pub fn next_waits(&self) -> bool {
        self.next_waits.load(Ordering::Relaxed)
    }

    /// Makes a client with new settings, lets Kafka answer it within `deadline`, and has it wait for its turn. One that
    /// already waits is replaced.
    ///
    /// # Errors
    /// The client cannot be made, or no broker lets it in; the one in use goes on.
    pub fn renew(&self, settings: ClientSettings, deadline: Duration) -> Result<(), RenewError> {
        let producer = Arc::new(self.create(&settings)?);
        let asked = producer.client().fetch_metadata(None, deadline).map(drop);
        asked.map_err(RenewError::Refused)?;
        *held(&self.next) = Some(Next { producer, settings });
        self.next_waits.store(true, Ordering::Release);
        Ok(())
    }

    /// Puts the waiting client, else a new one, in the place of the one in use at `now`, on the clock. That one is told to give
    /// back what it has.
    ///
    /// # Errors
    /// No client can be made; the one in use stays.
    pub fn replace(&self, now: Duration) -> Result<Retired, ClientError> {
        let waiting = held(&self.next).take();
        self.next_waits.store(false, Ordering::Relaxed);
        let next = match waiting {
            Some(next) => {
                *held(&self.settings) = next.settings;
                next.producer
            }
            None => Arc::new(self.create(&held(&self.settings).clone())?),
        };
        let old = std::mem::replace(&mut *held(&self.current), next);
        old.context().retiring.store(true, Ordering::Release);
        self.seed.answers.tally.client_changes.add(1);
        Ok(Retired::new(old, now))
    }

    fn create(&self, settings: &ClientSettings) -> Result<KafkaProducer, ClientError> {
        create(settings, &self.seed, self.made.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

fn create(settings: &ClientSettings, seed: &Seed, number: u64) -> Result<KafkaProducer, ClientError> {
    let (retiring, giving_up) = (AtomicBool::new(false), AtomicBool::new(false));
    let Seed { answers, dead_letters, last, given_back, missing } = seed.clone();
    let observer = Observer::default();
    let context = Delivery { answers, dead_letters, last, observer, given_back, missing, number, retiring, giving_up };
    settings.create_with_context(context)
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
