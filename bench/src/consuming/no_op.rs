//! A rival of ours, in a process of its own: the consumer's client, polled as its poll thread polls it, and every record dropped.

use crate::consuming::queued::QueuedClient;
use anyhow::{Result, ensure};
use consumer::config::Config;
use runtime::clock;
use std::time::Duration;

/// As the poll thread waits for a record, and turns its wheel.
const WAIT: Duration = Duration::from_millis(20);
const TURN: Duration = Duration::from_millis(10);
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
    let topics: Vec<&str> = config.poll.topics.iter().map(String::as_str).collect();
    let client = QueuedClient::start(&config.kafka.consumer(&config.tuning), &topics)?;
    let (mut seen, mut bytes, mut start, mut turn) = (0, 0, clock.now(), clock.now());
    while seen < records {
        let chunk = client.queues.take();
        let (idle, now) = (chunk.is_none(), clock.now());
        if let Some(chunk) = chunk {
            if seen == 0 {
                start = now;
            }
            for record in chunk.records() {
                seen += 1;
                bytes += record.value().map_or(0, <[u8]>::len);
            }
            ensure!(chunk.fault().is_none(), "no record, but {:?}", chunk.fault());
        }
        if idle || now >= turn {
            turn = now + TURN;
            if let Some(Err(error)) = client.consumer.poll(Duration::ZERO) {
                eprintln!("no-op: {error}");
            }
            client.queues.look_at_all();
        }
        if idle {
            ensure!(seen > 0 || now - start < PATIENCE, "no record came");
            client.queues.wait(WAIT);
        }
    }
    let seconds = (clock.now() - start).as_secs_f64();
    ensure!(bytes > 0, "{seen} records without a value");
    Ok(Told { records: seen, seconds })
}
