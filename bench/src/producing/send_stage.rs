//! The producer's send stage with events that are already encoded: its own outlet, clients, polling thread and answers.
//!
//! Nothing here is a loop of its own: chunks go through [`producer::send::Sending`] as the flow sends them.

use crate::events::Events;
use anyhow::{Result, ensure};
use producer::answers::Answers;
use producer::chunk::Chunk;
use producer::clients::{Clients, Seed};
use producer::config::Config;
use producer::dead_letter::{DeadLetters, LastPlace};
use producer::detour::Detour;
use producer::in_flight::InFlight;
use producer::missing::MissingTopics;
use producer::outlet::KafkaOutlet;
use producer::polling::{KafkaDeadLetterTopic, Polling};
use producer::send::{Books, Patience, Sending};
use producer::set_aside::SetAsideFile;
use producer::tally::Tally;
use runtime::clock::{self, SharedClock};
use runtime::health::Health;
use runtime::shutdown::Shutdown;
use std::sync::Arc;
use std::time::Duration;

/// A part that has not moved for so long is stuck.
const STUCK: Duration = Duration::from_secs(10);

/// What a sender of ours says at its end.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Told {
    pub acknowledged: u64,
    /// From the first send to the last acknowledgement.
    pub seconds: f64,
}

type Flow = Sending<Detour<KafkaOutlet>>;

/// Sends `records` events and waits for every answer.
///
/// # Errors
/// The client cannot be made, or events were not acknowledged.
pub fn run(config: &Config, events: &Events, records: u64) -> Result<Told> {
    let clock = clock::system();
    let ts = clock.wall_ms();
    let (chunks, rest) = (events.chunks(ts), events.chunk(0..(records % events.len() as u64) as usize, ts));
    let (mut sending, polling) = build(config, &clock)?;
    let start = clock.now();
    sending.answers.started();
    send(&mut sending, &chunks, (records, &rest));
    sending.finish(&mut std::thread::sleep);
    let (seconds, acknowledged) = ((clock.now() - start).as_secs_f64(), sending.answers.tally.acknowledged.get());
    polling.stop();
    ensure!(acknowledged == records, "{acknowledged} of {records} events were acknowledged");
    Ok(Told { acknowledged, seconds })
}

/// All chunks, as often as they go into `records` as a whole, and then the rest.
fn send(sending: &mut Flow, chunks: &[Chunk], (records, rest): (u64, &Chunk)) {
    let mut left = records - rest.len() as u64;
    for chunk in chunks.iter().cycle() {
        if left == 0 {
            break;
        }
        sending.tend();
        if !sending.send(chunk) {
            return;
        }
        left -= chunk.len() as u64;
    }
    sending.tend();
    sending.send(rest);
}

/// As the producer's `app` builds them; without a spool, as its default is.
fn build(config: &Config, clock: &SharedClock) -> Result<(Flow, Polling)> {
    let (shutdown, health) = (Shutdown::new(), Health::new(clock.clone()));
    let in_flight = InFlight::new(config.tuning.queue_records);
    let answers = Answers::new(in_flight, Tally::default(), clock.clone(), shutdown.clone(), false)?;
    let answers = Arc::new(answers);
    let (dead_letters, inbox) = crossbeam_channel::unbounded();
    let missing = Arc::new(MissingTopics::new(config.dead_letter.topic_missing_for, clock.clone()));
    let seed = Seed { answers: answers.clone(), dead_letters, last: None, given_back: Arc::default(), missing };
    let clients = Clients::new(config.kafka.producer(&config.tuning), seed)?;
    let file = Arc::new(SetAsideFile::new(config.dead_letter.file.clone()));
    let last = LastPlace { file, answers: answers.clone(), clock: clock.clone() };
    let topic = Some(KafkaDeadLetterTopic::new(clients.clone(), Vec::new()));
    let letters = DeadLetters::new(inbox, topic, None, last);
    let polling = Polling::start(clients.clone(), letters, health.component("poll", STUCK))?;
    let client = KafkaOutlet::new(clients, config.router.topics().to_vec(), clock.clone());
    let sending = Sending {
        outlet: Detour::new(client, None, answers.clone(), clock.clone()),
        answers,
        clock: clock.clone(),
        patience: Patience::new(shutdown, clock.clone(), config.run.shutdown_deadline.get()),
        beat: health.component("flow", STUCK),
        books: Books::default(),
    };
    Ok((sending, polling))
}
