//! A producer whose records must all arrive: what Kafka does not take ends the test, with the error.

use crate::DEADLINE;
use kafka_client::context::Observer;
use kafka_client::settings::ClientSettings;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, ToBytes};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::Mutex;

pub struct Sending {
    producer: BaseProducer<Reports>,
}

#[derive(Default)]
struct Reports {
    observer: Observer,
    /// Not a panic in the callback: a client that is dropped calls back, too.
    errors: Mutex<Vec<KafkaError>>,
}

impl Sending {
    pub fn new(settings: &ClientSettings) -> Self {
        Self { producer: settings.create_with_context(Reports::default()).unwrap() }
    }

    pub fn send<K: ToBytes + ?Sized, V: ToBytes + ?Sized>(&self, record: BaseRecord<'_, K, V>) {
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
    }

    /// Waits until Kafka has all of them.
    pub fn finish(self) {
        self.producer.flush(DEADLINE).unwrap();
        let errors = self.producer.context().errors.lock().unwrap();
        assert!(errors.is_empty(), "{} records did not arrive: {}", errors.len(), errors[0]);
    }
}

impl ClientContext for Reports {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.observer.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(&error, reason);
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.errors.lock().unwrap().push(error.clone());
        }
    }
}
