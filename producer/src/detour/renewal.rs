//! The change to another client: at once when the one in use is finished, else when it has got everything acknowledged.

use super::Detour;
use crate::client::{Change, Client};
use std::time::Duration;

/// What becomes of what a client gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// The next client gets it.
    Again,
    /// It did not get through in time: the spool gets it.
    Spool,
}

/// How a change stands.
#[derive(Debug, Default)]
pub(super) struct Renewal {
    /// Since when the flow is held so that the client in use can empty.
    since: Option<Duration>,
    /// The client before has not given back everything yet: nothing may overtake that.
    retiring: Option<Then>,
    /// When a client was last replaced: what it gave back has waited until then.
    pub(super) retired: Duration,
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

    /// True while a client that was replaced has something to give back.
    pub(super) fn retires(&self) -> bool {
        self.retiring.is_some()
    }

    /// What the client before has not given back is waited for no more; true when there was one.
    pub(super) fn stop_waiting(&mut self) -> bool {
        self.retiring.take().is_some()
    }
}

impl<C: Client> Detour<C> {
    pub(super) fn follow_client(&mut self) {
        if self.renewal.retires() {
            return;
        }
        let now = self.clock.now();
        match self.client.change() {
            Some(Change::Finished(reason)) => self.follow_finished(&reason),
            Some(Change::TopicMissing(topic)) => {
                tracing::warn!(topic, "Kafka does not know the topic, a fresh client asks again");
                self.replace(Then::Again);
            }
            Some(Change::Renewed) => {
                let since = *self.renewal.since.get_or_insert(now);
                let patient = now.saturating_sub(since) < EMPTY_WITHIN;
                if patient && !self.client.is_empty() {
                    return;
                }
                if self.replace(Then::Again) {
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
        if self.replace(Then::Again) {
            self.renewal.acknowledged = Some(acknowledged);
        }
    }

    /// Replaces the client; what it gives back waits to be sent again, before anything else, or goes to the spool. False when
    /// no other client could be made, or the one before is still on its way out.
    pub(super) fn replace(&mut self, then: Then) -> bool {
        let now = self.clock.now();
        if self.renewal.retires() || now < self.renewal.not_before {
            return false;
        }
        match self.client.retire() {
            Ok(()) => {
                (self.renewal.retiring, self.renewal.retired) = (Some(then), now);
                self.take_back();
                true
            }
            Err(error) => {
                tracing::error!(error, "no other Kafka client can be made, trying again");
                self.renewal.not_before = now + TRY_AGAIN;
                false
            }
        }
    }

    /// Takes what the client before had, as soon as it has given back everything.
    pub(super) fn take_back(&mut self) {
        let Some(then) = self.renewal.retiring else { return };
        let Some(returned) = self.client.returned() else { return };
        self.renewal.retiring = None;
        self.keep(returned);
        if then == Then::Spool {
            let letters = self.letters();
            if let Some(desk) = &mut self.desk {
                desk.pass_failed();
            }
            self.again_to_spool(&letters);
        }
    }
}
