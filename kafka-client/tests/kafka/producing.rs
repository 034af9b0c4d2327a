//! A producer that counts what is acknowledged, also when every broker goes and comes back at another address.

use crate::{connect, tls, until};
use kafka_client::context::Observer;
use kafka_client::settings::{Kafka, ProducerTuning};
use localenv::broker::kafka::KafkaCluster;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub fn a_producer_survives_the_loss_of_every_broker(cluster: &mut KafkaCluster) {
    let kafka = connect(&cluster.bootstrap(), tls(cluster.admin())).unwrap();
    let (producer, acknowledged) = producer(&kafka);
    send(&producer, &acknowledged, 10);
    cluster.restart_all_on_new_ports().unwrap();
    send(&producer, &acknowledged, 10);
    assert_eq!(producer.client().fatal_error(), None);
}

/// Counts acknowledged records, and passes everything else to an observer, as the services do.
pub struct Counting {
    observer: Observer,
    acknowledged: Arc<AtomicUsize>,
}

impl ClientContext for Counting {
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

impl ProducerContext for Counting {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, _: usize) {
        // One that was given up is missed by whoever counts; a panic would have to cross C.
        if result.is_ok() {
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
        }
    }
}

pub fn producer(kafka: &Kafka) -> (BaseProducer<Counting>, Arc<AtomicUsize>) {
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let context = Counting { observer: Observer::default(), acknowledged: Arc::clone(&acknowledged) };
    let producer = kafka.producer(&ProducerTuning::default()).create_with_context(context).unwrap();
    (producer, acknowledged)
}

pub fn send(producer: &BaseProducer<Counting>, acknowledged: &AtomicUsize, records: usize) {
    let wanted = acknowledged.load(Ordering::SeqCst) + records;
    for number in 0..records {
        let key = format!("key-{number}");
        let record = BaseRecord::with_opaque_to("mt-c400", number).key(&key).payload("{}");
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    until("the acknowledgement of every record", 60, || {
        producer.poll(Duration::from_millis(50));
        acknowledged.load(Ordering::SeqCst) == wanted
    });
}
