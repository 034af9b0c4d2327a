//! Census: which topics stand behind the names that are read, asked every few seconds, and at once when something looks like another one.

use crate::poll::shared::Shared;
use kafka_client::context::ObservedContext;
use kafka_client::topic_facts::{Informant, Told};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use std::time::Duration;

/// How often it is asked: for so long another topic may be read from where the one before stood.
const PERIOD: Duration = Duration::from_secs(2);
/// The same while there is no answer, so that the looks at the logs do not wait for it each time.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many failures in a row are no broker that has just gone.
const WORTH_A_LINE: u32 = 4;
/// For one answer.
const DEADLINE: Duration = Duration::from_secs(1);

/// Whether an answer says that a topic is not there.
pub(super) fn is_gone(error: &KafkaError) -> bool {
    let gone = [Code::UnknownTopicOrPartition, Code::UnknownTopic, Code::UnknownPartition];
    error.rdkafka_error_code().is_some_and(|code| gone.contains(&code))
}

/// See the head of the file.
pub(super) struct Census {
    topics: Vec<String>,
    informant: Informant,
    failures: u32,
    next: Duration,
    /// What went wrong was said.
    said: bool,
}

impl Census {
    pub(super) fn new(topics: &[String]) -> Self {
        Self {
            topics: topics.to_vec(),
            informant: Informant::default(),
            failures: 0,
            next: Duration::ZERO,
            said: false,
        }
    }

    /// A look failed: a topic that is not there may come back as another one.
    pub(super) fn heed(&mut self, error: Option<&KafkaError>) {
        if error.is_some_and(is_gone) {
            self.next = Duration::ZERO;
        }
    }

    /// Asks, when it is time for that.
    pub(super) fn take(&mut self, client: &BaseConsumer<ObservedContext>, shared: &Shared) {
        if shared.clock.now() < self.next && !shared.desk().doubts() {
            return;
        }
        let names: Vec<&str> = self.topics.iter().map(String::as_str).collect();
        match self.informant.ask(client.client(), &names, DEADLINE) {
            Ok(all) => {
                self.failures = 0;
                shared.heard();
                self.next = shared.clock.now() + PERIOD;
                self.note(all, shared);
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                // The first time it may be that one broker alone.
                let again = if self.failures > 1 { PATIENCE } else { PERIOD };
                self.next = shared.clock.now() + again;
                if self.failures == WORTH_A_LINE {
                    self.say(&error.to_string());
                }
            }
        }
    }

    fn note(&mut self, all: Vec<Told>, shared: &Shared) {
        for (topic, told) in all {
            match told {
                Ok(facts) => {
                    shared.topic_seen(&topic, facts);
                    if facts.id.is_none() {
                        self.say("these brokers have no ids for topics");
                    }
                }
                // It is gone, or on its way: another one is best seen before the group reads it.
                Err(Code::UnknownTopicOrPartition | Code::LeaderNotAvailable) => self.next = Duration::ZERO,
                Err(code) => self.say(&format!("{topic}: {code}")),
            }
        }
    }

    fn say(&mut self, why: &str) {
        if !std::mem::replace(&mut self.said, true) {
            tracing::warn!(
                "which topics stand behind the names is not known ({why}): one that is made anew is noticed by its offsets alone"
            );
        }
    }
}
