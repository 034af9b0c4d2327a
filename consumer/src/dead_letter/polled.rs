//! A producer with a thread that polls it while something is under way, and hardly ever otherwise.
//!
//! rdkafka's own `ThreadedProducer` polls for 100 ms again and again, and its `poll` spins for the last millisecond of each (rdkafka 0.39,
//! base_producer.rs: a remaining wait below 1 ms is one of 0): 8 ms of CPU a second for nothing.

use rdkafka::client::Client;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// One wait for answers: the longest that the end waits for the thread.
const BUSY: Duration = Duration::from_millis(100);
/// How often the client's own events are heard while nothing is under way.
const IDLE: Duration = Duration::from_secs(1);

/// See the head of the file. Dropping it gives up what is not acknowledged.
pub(super) struct Polled<C: ProducerContext + 'static> {
    producer: Arc<BaseProducer<C>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<C: ProducerContext + 'static> Polled<C> {
    /// `tend` looks after the client about once a second.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub(super) fn start(
        producer: BaseProducer<C>,
        tend: impl Fn(&Client<C>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (producer, over) = (Arc::new(producer), Arc::new(AtomicBool::new(false)));
        let (polled, told) = (Arc::clone(&producer), Arc::clone(&over));
        let thread =
            std::thread::Builder::new().name("letters".to_owned()).spawn(move || poll(&polled, tend, &told))?;
        Ok(Self { producer, over, thread: Some(thread) })
    }

    /// Hands a record to the client; what becomes of it comes by the context.
    ///
    /// # Errors
    /// The client does not take it.
    pub(super) fn send(&self, record: BaseRecord<'_, [u8], [u8], C::DeliveryOpaque>) -> Result<(), KafkaError> {
        self.producer.send(record).map_err(|(error, _)| error)?;
        self.wake();
        Ok(())
    }

    pub(super) fn client(&self) -> &Client<C> {
        self.producer.client()
    }

    fn wake(&self) {
        self.thread.iter().for_each(|thread| thread.thread().unpark());
    }
}

impl<C: ProducerContext + 'static> Drop for Polled<C> {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        self.wake();
        // The client ends here, not on its polling thread.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn poll<C: ProducerContext>(producer: &BaseProducer<C>, tend: impl Fn(&Client<C>), over: &AtomicBool) {
    while !over.load(Ordering::Acquire) {
        tend(producer.client());
        if producer.in_flight_count() > 0 {
            producer.poll(BUSY);
        } else {
            producer.poll(Duration::ZERO);
            std::thread::park_timeout(IDLE);
        }
    }
}
