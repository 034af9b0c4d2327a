//! Good events that come all the time, beside whatever a test does.

use crate::events::Events;
use consumer::config::Config;
use kafka_client::context::ObservedContext;
use kafka_client::settings::ProducerTuning;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Trucks that no test has by another name.
const TRUCKS: usize = 12;
const EVERY: Duration = Duration::from_millis(10);

/// Runs until it is ended.
pub struct Traffic {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Traffic {
    pub fn start(config: &Config, topic: &str) -> Self {
        let tuning = ProducerTuning { linger: Duration::from_millis(1), ..ProducerTuning::default() };
        let producer: BaseProducer<ObservedContext> =
            config.kafka.producer(&tuning).create_with_context(ObservedContext::default()).unwrap();
        let (over, topic) = (Arc::new(AtomicBool::new(false)), topic.to_owned());
        let heard = over.clone();
        let thread = std::thread::spawn(move || {
            let (mut events, mut truck) = (Events::default(), 0);
            while !heard.load(Ordering::Relaxed) {
                truck = (truck + 1) % TRUCKS;
                let (key, value) = events.of(format!("TRAFFIC{truck}"));
                producer.send(BaseRecord::to(&topic).key(&key).payload(&value)).map_err(|(error, _)| error).unwrap();
                // Wakes when a report comes, and otherwise after so long.
                producer.poll(EVERY);
            }
            producer.flush(crate::DEADLINE).unwrap();
            events.made()
        });
        Self { over, thread: Some(thread) }
    }

    /// Ends it; says how many events there were.
    pub fn end(mut self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
