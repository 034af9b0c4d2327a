//! The usual way with rdkafka: a FutureProducer, and an awaited future for each event in a bounded set of tasks.

use crate::events::Events;
use crate::producing::send_stage::Told;
use anyhow::{Result, ensure};
use kafka_client::context::ObservedContext;
use kafka_client::settings::ClientSettings;
use producer::config::Config;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::util::{AsyncRuntime, Timeout};
use runtime::clock;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Events under way at once; more bring no more throughput.
const TASKS: usize = 10_000;

/// tokio, for the producer's own waiting.
struct Tokio;

impl AsyncRuntime for Tokio {
    type Delay = Pin<Box<tokio::time::Sleep>>;

    fn spawn<T: Future<Output = ()> + Send + 'static>(task: T) {
        tokio::spawn(task);
    }

    fn delay_for(duration: Duration) -> Self::Delay {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// What all tasks share.
struct Work {
    producer: FutureProducer<ObservedContext, Tokio>,
    topic: String,
    events: Events,
    records: u64,
    next: AtomicU64,
    acknowledged: AtomicU64,
}

/// Sends `records` events and waits for every answer.
///
/// # Errors
/// The client cannot be made, or events were not acknowledged.
pub fn run(config: &Config, events: Events, records: u64) -> Result<Told> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let topic = config.router.topics().first().cloned().unwrap_or_default();
    runtime.block_on(send(config.kafka.producer(&config.tuning), topic, events, records))
}

async fn send(settings: ClientSettings, topic: String, events: Events, records: u64) -> Result<Told> {
    let producer = settings.create_with_context(ObservedContext::default())?;
    let (next, acknowledged, clock) = (AtomicU64::new(0), AtomicU64::new(0), clock::system());
    let work = Arc::new(Work { producer, topic, events, records, next, acknowledged });
    let start = clock.now();
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(send_some(work.clone()))).collect();
    for task in tasks {
        task.await?;
    }
    let (seconds, acknowledged) = ((clock.now() - start).as_secs_f64(), work.acknowledged.load(Ordering::Relaxed));
    ensure!(acknowledged == records, "{acknowledged} of {records} events were acknowledged");
    Ok(Told { acknowledged, seconds })
}

async fn send_some(work: Arc<Work>) {
    loop {
        let number = work.next.fetch_add(1, Ordering::Relaxed);
        if number >= work.records {
            return;
        }
        let (value, key) = work.events.get(number as usize % work.events.len());
        let record = FutureRecord::to(&work.topic).payload(value).key(key);
        if work.producer.send(record, Timeout::Never).await.is_ok() {
            work.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
    }
}
