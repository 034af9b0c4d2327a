//! How the thread comes to its end: drains, commits and leaves.
//!
//! It is a loop over four phases. *Running* until it is told to stop; *draining* while what is in flight comes in, still polled so that
//! the group keeps us; *committing* until Kafka has the last offsets, which it refuses while the group is moving; *leaving* until the
//! group has taken the partitions back. Draining has its deadline, and the other two share one. The last commits are asynchronous like all
//! others: one that waits for its answer would wait as long as there is no coordinator.

use super::PollThread;
use crate::assignment::Held;
use crate::event::Ticket;
use crate::poll::PollEnd;
use rdkafka::consumer::Consumer;
use std::time::Duration;

/// See the head of the file.
pub(super) enum Phase {
    Running,
    Draining { ticket: Ticket, held: Vec<Held>, until: Duration },
    Committing { held: Vec<Held>, until: Duration },
    Leaving { until: Duration },
    Over,
}

impl PollThread {
    /// The next phase, when its time has come.
    pub(super) fn advance(&mut self, now: Duration) {
        match &self.phase {
            Phase::Running if self.shared.desk().stop_wanted() => self.drain(now),
            Phase::Running => {
                self.begin_where_said(now);
                self.brake();
                self.join_again(now);
                self.look_for_renewal(now);
            }
            // The end is wanted while another client was about to take over.
            Phase::Draining { .. } if self.next.is_some() && self.shared.desk().stop_wanted() => {
                self.next = None;
                self.drain(now);
            }
            Phase::Draining { ticket, held, until } => {
                let drained = self.shared.desk().is_drained(*ticket);
                if drained || now >= *until {
                    tracing::info!(drained, "committing for the last time");
                    self.phase = Phase::Committing { held: held.clone(), until: now + self.settings.close };
                    self.next_commit = now;
                }
            }
            Phase::Committing { held, until } => {
                let (committed, until) = (self.shared.desk().last_commits(held).is_empty(), *until);
                if committed || now >= until {
                    if self.next.is_some() { self.hand_over() } else { self.leave(until, committed) }
                }
            }
            Phase::Leaving { until } => {
                let empty = self.consumer.assignment().map_or(true, |list| list.count() == 0);
                if empty || now >= *until {
                    self.phase = Phase::Over;
                }
            }
            Phase::Over => {}
        }
    }

    /// Everything comes to its end, for good.
    fn drain(&mut self, now: Duration) {
        self.shared.queues.stop_all();
        let (ticket, held) = self.shared.desk().begin_revoke(None);
        self.shared.publish();
        tracing::info!(partitions = held.len(), "draining");
        self.phase = Phase::Draining { ticket, held, until: now + self.settings.shutdown_drain };
    }

    /// What is owned comes to its end, because another client waits.
    pub(super) fn drain_for_renewal(&mut self, now: Duration) {
        self.shared.queues.stop_all();
        let all = self.owned();
        let (ticket, held) = self.shared.desk().begin_revoke(Some(&all));
        self.shared.publish();
        self.phase = Phase::Draining { ticket, held, until: now + self.settings.revoke_drain };
    }

    /// The partitions are nobody's until the next client has them.
    fn hand_over(&mut self) {
        let Phase::Committing { held, .. } = std::mem::replace(&mut self.phase, Phase::Running) else { return };
        self.shared.desk().release(&held);
        self.exchange();
    }

    fn leave(&mut self, until: Duration, committed: bool) {
        let Phase::Committing { held, .. } = std::mem::replace(&mut self.phase, Phase::Over) else { return };
        self.shared.desk().release(&held);
        // A rebalance may have taken partitions, and made their last commit, in the meantime.
        self.end = PollEnd { committed: committed && !self.shared.handed_over_uncommitted() };
        tracing::info!(committed = self.end.committed, "leaving the group");
        // To unsubscribe tells the group that a static member is gone for good; it keeps its place only by being silent.
        if !self.settings.static_member {
            self.consumer.unsubscribe();
            self.phase = Phase::Leaving { until };
        }
    }
}
