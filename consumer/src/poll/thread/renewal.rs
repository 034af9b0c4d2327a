//! Another client takes the place of the one in use: for new certificates, or because Kafka has shut it out.
//!
//! The next client is made before anything stands still, and subscribes when the one before it owns nothing any more and was told to end.
//! A static member that comes back within the session timeout finds its partitions where they were.

use super::{Phase, PollThread};
use crate::event::Event;
use crate::poll::PollEnd;
use crate::poll::closing;
use crate::poll::commit_queue::CommitQueue;
use crate::poll::context::PollContext;
use kafka_client::settings::ClientSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use std::time::Duration;

/// A client that waits for its turn, and what it was made from.
pub(super) struct Next {
    consumer: BaseConsumer<PollContext>,
    settings: ClientSettings,
}

/// So many clients may be shut out within `WINDOW`; then something is wrong that another client does not mend.
const MOST: usize = 3;
const WINDOW: Duration = Duration::from_secs(600);

impl PollThread {
    /// Begins to change the client when somebody wants that; the newest wish counts.
    pub(super) fn look_for_renewal(&mut self, now: Duration) {
        let Some(settings) = self.renewals.try_iter().last() else { return };
        match self.make(settings) {
            Ok(next) => {
                tracing::info!("another client takes over as soon as what is in flight has come in");
                self.next = Some(next);
                self.drain_for_renewal(now);
            }
            Err(why) => tracing::error!("no client can be made with the new settings, the one in use goes on: {why}"),
        }
    }

    fn make(&self, settings: ClientSettings) -> Result<Next, String> {
        let context = PollContext::new(self.shared.clone(), self.observer.clone());
        let made = settings.create_with_context::<_, BaseConsumer<PollContext>>(context);
        made.map(|consumer| Next { consumer, settings }).map_err(|error| error.to_string())
    }

    /// Puts the waiting client in the place of the one in use, whose partitions are released already.
    pub(super) fn exchange(&mut self) {
        let Some(Next { consumer, settings }) = self.next.take() else { return };
        let commits = CommitQueue::new(&consumer);
        // The old queues go before their client.
        drop(std::mem::replace(&mut self.commits, commits));
        self.shared.queues.clear();
        let before = std::mem::replace(&mut self.consumer, consumer);
        self.shared.queues.wake_for(&mut self.consumer);
        self.closings.retain(|closing| !closing.is_finished());
        self.closings.extend(closing::end(before, &self.shared.clock));
        self.shared.beat.progress();
        self.shared.forget_commit();
        self.shared.meters.client_changes.add(1);
        self.shared.bell.renew(settings.clone());
        self.client = settings;
        self.phase = Phase::Running;
        let topics: Vec<&str> = self.settings.topics.iter().map(String::as_str).collect();
        self.joining.begin(self.shared.clock.now());
        match self.consumer.subscribe(&topics) {
            Ok(()) => tracing::info!("another client has taken over"),
            Err(error) => self.finish(format!("the topics cannot be subscribed to: {error}; start the consumer again")),
        }
    }

    /// Kafka has shut the client out for good. Its partitions are somebody else's by now; another client asks for new ones.
    pub(super) fn shut_out(&mut self, code: Option<RDKafkaErrorCode>, why: &str) {
        let now = self.shared.clock.now();
        if code == Some(RDKafkaErrorCode::UnreleasedInstanceId) && matches!(self.phase, Phase::Running) {
            if !self.await_place(why, now) {
                self.finish(format!("another member uses consumer.instance_id ({why}); give each process its own"));
            }
            return;
        }
        self.shut_outs.retain(|at| now.saturating_sub(*at) < WINDOW);
        self.shut_outs.push(now);
        let stalled = self.stalled.is_some_and(|at| now.saturating_sub(at) < WINDOW);
        if code == Some(RDKafkaErrorCode::FencedInstanceId) && !stalled {
            return self.finish(format!("another member uses consumer.instance_id ({why}); give each process its own"));
        }
        if !matches!(self.phase, Phase::Running) || self.shut_outs.len() > MOST {
            return self.finish(format!("the Kafka client is finished ({why}); start the consumer again"));
        }
        tracing::error!(
            shut_outs = self.shut_outs.len(),
            "Kafka has shut the client out ({why}); another one takes over, and what was in flight will be read again"
        );
        let all = self.owned();
        let held = self.shared.desk().lose(&all);
        self.shared.publish();
        self.shared.meters.lost.add(u64::from(!held.is_empty()));
        self.shared.desk().release(&held);
        self.take_over();
    }

    /// Another client, of the same settings, takes the place of the one in use, which owns nothing any more.
    pub(super) fn take_over(&mut self) {
        match self.make(self.client.clone()) {
            Ok(next) => {
                self.next = Some(next);
                self.exchange();
            }
            Err(error) => self.finish(format!("no other client can be made: {error}")),
        }
    }

    /// Topic and number of every partition that is ours.
    pub(super) fn owned(&self) -> Vec<(String, i32)> {
        let standings = self.shared.desk().standings();
        standings.iter().map(|standing| (standing.held.at.topic.to_string(), standing.held.at.partition)).collect()
    }

    fn finish(&mut self, why: String) {
        self.shared.tell(Event::Fatal(why));
        self.phase = Phase::Over;
        self.end = PollEnd { committed: false };
    }
}
