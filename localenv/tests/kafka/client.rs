//! The plainest clients that can tell what happened to each record.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, Message};

pub const PATIENCE: Duration = Duration::from_secs(60);
/// A refusal comes at once, and is repeated.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(20);

/// What librdkafka and the brokers said.
#[derive(Default)]
pub struct Heard {
    pub log: Mutex<String>,
    pub refused: Mutex<Vec<KafkaError>>,
    pub acknowledged: AtomicUsize,
}

impl ClientContext for Heard {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, text: &str) {
        *self.log.lock().unwrap() += &format!("{text}\n");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        *self.log.lock().unwrap() += &format!("{error}: {reason}\n");
    }
}

impl ConsumerContext for Heard {}

impl ProducerContext for Heard {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(_) => drop(self.acknowledged.fetch_add(1, Ordering::Relaxed)),
            Err((error, _)) => self.refused.lock().unwrap().push(error.clone()),
        }
    }
}

pub fn producer(config: &ClientConfig, idempotent: bool) -> BaseProducer<Heard> {
    let mut config = config.clone();
    config.set("enable.idempotence", idempotent.to_string()).set("delivery.timeout.ms", "60000").set("linger.ms", "5");
    config.create_with_context(Heard::default()).unwrap()
}

/// Sends `values` with themselves as keys and waits until each is acknowledged or refused; the acknowledged ones.
pub fn send(producer: &BaseProducer<Heard>, topic: &str, values: impl Iterator<Item = usize>) -> usize {
    let before = producer.context().acknowledged.load(Ordering::Relaxed);
    for value in values.map(|value| value.to_string()) {
        producer.send(BaseRecord::to(topic).key(&value).payload(&value)).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
    producer.context().acknowledged.load(Ordering::Relaxed) - before
}

pub fn consumer(config: &ClientConfig, group: &str) -> BaseConsumer<Heard> {
    let mut config = config.clone();
    config.set("group.id", group).set("auto.offset.reset", "earliest").set("enable.auto.commit", "false");
    config.create_with_context(Heard::default()).unwrap()
}

/// Reads from the beginning until each of `wanted` values has been seen; how often each was.
pub fn read_all(config: &ClientConfig, group: &str, topic: &str, wanted: usize) -> BTreeMap<usize, usize> {
    let consumer = consumer(config, group);
    consumer.subscribe(&[topic]).unwrap();
    let (mut seen, end) = (BTreeMap::new(), Instant::now() + PATIENCE);
    while seen.len() < wanted {
        assert!(Instant::now() < end, "only {} of {wanted}: {}", seen.len(), consumer.context().log.lock().unwrap());
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50)) {
            let value = message.payload_view::<str>().unwrap().unwrap().parse().unwrap();
            *seen.entry(value).or_default() += 1;
        }
    }
    seen
}

/// Tries to connect; everything that librdkafka says about it until it says `expected`, or metadata arrive.
pub fn refusal(config: &ClientConfig, expected: &str) -> String {
    let consumer = consumer(config, "nobody");
    let end = Instant::now() + REFUSAL_PATIENCE;
    loop {
        assert!(consumer.fetch_metadata(None, Duration::from_millis(200)).is_err(), "it was let in");
        consumer.poll(Duration::ZERO);
        let log = consumer.context().log.lock().unwrap().clone();
        if log.contains(expected) || Instant::now() > end {
            return log;
        }
    }
}
