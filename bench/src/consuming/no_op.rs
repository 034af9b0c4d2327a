//! A rival of ours, in a process of its own: the consumer's client, polled as its poll thread polls it, and every record dropped.

use anyhow::{Result, ensure};
use consumer::config::Config;
use kafka_client::context::ObservedContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use runtime::clock;
use std::time::Duration;

/// As the poll thread waits for a record.
const WAIT: Duration = Duration::from_millis(20);
/// Without a record for so long the backlog is not there.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a rival of ours says at its end.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Told {
    pub records: u64,
    /// From the first record to the last.
    pub seconds: f64,
}

/// Takes `records` records.
///
/// # Errors
/// The client cannot be made, or records do not come.
pub fn run(config: &Config, records: u64) -> Result<Told> {
    let clock = clock::system();
    let settings = config.kafka.consumer(&config.tuning);
    let consumer: BaseConsumer<ObservedContext> = settings.create_with_context(ObservedContext::default())?;
    let topics: Vec<&str> = config.poll.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics)?;
    let (mut seen, mut bytes, mut start) = (0, 0, clock.now());
    while seen < records {
        match consumer.poll(WAIT) {
            Some(Ok(message)) => {
                if seen == 0 {
                    start = clock.now();
                }
                seen += 1;
                bytes += message.payload().map_or(0, <[u8]>::len);
            }
            Some(Err(error)) => eprintln!("no-op: {error}"),
            None => ensure!(seen > 0 || clock.now() - start < PATIENCE, "no record came"),
        }
    }
    let seconds = (clock.now() - start).as_secs_f64();
    ensure!(bytes > 0, "{seen} records without a value");
    Ok(Told { records: seen, seconds })
}
