//! The change to another client: at once when the one in use is finished, else when it has got everything acknowledged.

use super::Detour;
use crate::client::{Change, Client};
use std::time::Duration;

/// How a change stands.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// Since when the flow is held so that the client in use can empty.
    since: Option<Duration>,
    /// Acknowledgements when a finished client was last replaced: the next one must do better.
    acknowledged: Option<u64>,
    /// After a client could not be made.
    not_before: Duration,
}

/// A sound client gets so long to have everything acknowledged; then it must give back what it has.
const EMPTY_WITHIN: Duration = Duration::from_secs(5);
const TRY_AGAIN: Duration = Duration::from_secs(1);

impl Renewal {
    /// True while nothing may be handed to the client.
    pub(super) fn holds(&self) -> bool {
        self.since.is_some()
    }
}

impl<C: Client> Detour<C> {
    pub(super) fn follow_client(&mut self) {
        let now = self.clock.now();
        match self.client.change() {
            Some(Change::Finished(reason)) => self.follow_finished(&reason),
            Some(Change::TopicMissing(topic)) => {
                tracing::warn!(topic, "Kafka does not know the topic, a fresh client asks again");
                self.replace();
            }
            Some(Change::Renewed) => {
                let since = *self.renewal.since.get_or_insert(now);
                let patient = now.saturating_sub(since) < EMPTY_WITHIN;
                if patient && !self.client.is_empty() {
                    return;
                }
                if self.replace() {
                    tracing::info!(held_ms = now.saturating_sub(since).as_millis() as u64, "another client took over");
                }
                self.renewal.since = None;
            }
            None => self.renewal.since = None,
        }
    }

    fn follow_finished(&mut self, reason: &str) {
        let acknowledged = self.answers.tally.acknowledged.get();
        if self.renewal.acknowledged == Some(acknowledged) {
            let sentence = format!(
                "Kafka finishes every client before it has acknowledged anything ({reason}): check that we may write"
            );
            return self.answers.broken(sentence);
        }
        tracing::warn!(reason, "the Kafka client is finished, another one takes over");
        if self.replace() {
            self.renewal.acknowledged = Some(acknowledged);
        }
    }

    /// Replaces the client; what it gave back waits to be sent again, before anything else. False when no other client
    /// could be made.
    pub(super) fn replace(&mut self) -> bool {
        let now = self.clock.now();
        if now < self.renewal.not_before {
            return false;
        }
        match self.client.take_back() {
            Ok(returned) => {
                self.keep(returned);
                true
            }
            Err(error) => {
                tracing::error!(error, "no other Kafka client can be made, trying again");
                self.renewal.not_before = now + TRY_AGAIN;
                false
            }
        }
    }
}
