//! Joining the group: when we count as a member, and what happens while Kafka still keeps our place for a process that is gone.
//!
//! In a group that the brokers form, a static member that was killed keeps its name until its session is over, and a new one of that name is
//! shut out so long. So it asks again and again, and gives up when no session can last so long.

use super::PollThread;
use crate::condition::Part;
use kafka_client::settings::GroupProtocol;
use rdkafka::consumer::{Consumer, RebalanceProtocol};
use std::time::Duration;

/// Who was not shut out for so long after joining is a member of a group that the brokers form. With partitions it is one at once.
const JOINED: Duration = Duration::from_secs(10);
/// How often it is tried again while the name is taken.
const AGAIN: Duration = Duration::from_secs(2);
/// Longer than any session that brokers allow by themselves (`group.consumer.max.session.timeout.ms`, 60 s).
const PATIENCE: Duration = Duration::from_secs(120);

/// See the head of the file.
#[derive(Debug)]
pub(super) struct Joining {
    /// When the client in use subscribed.
    begun: Duration,
    /// Since when our name is taken, and when to try again.
    taken: Option<Taken>,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    since: Duration,
    again: Option<Duration>,
}

impl Joining {
    pub(super) fn new(now: Duration) -> Self {
        Self { begun: now, taken: None }
    }

    /// Another client subscribed.
    pub(super) fn begin(&mut self, now: Duration) {
        self.begun = now;
        self.taken = self.taken.map(|taken| Taken { again: None, ..taken });
    }

    /// Our name is taken; false when that lasts too long.
    fn wait(&mut self, now: Duration) -> bool {
        let since = self.taken.map_or(now, |taken| taken.since);
        let again = self.taken.and_then(|taken| taken.again).unwrap_or(now + AGAIN);
        self.taken = Some(Taken { since, again: Some(again) });
        now.saturating_sub(since) < PATIENCE
    }

    /// Whether it is time to try again.
    fn is_due(&self, now: Duration) -> bool {
        self.taken.and_then(|taken| taken.again).is_some_and(|again| again <= now)
    }

    /// Whether nobody has shut us out since we began long enough ago.
    fn has_joined(&mut self, now: Duration) -> bool {
        let waits = self.taken.is_some_and(|taken| taken.again.is_some());
        let joined = !waits && now.saturating_sub(self.begun) >= JOINED;
        if joined {
            self.taken = None;
        }
        joined
    }
}

impl PollThread {
    /// A member without partitions is one too: it stands by.
    pub(super) fn is_member(&mut self) -> bool {
        match self.settings.protocol {
            GroupProtocol::Classic => !matches!(self.consumer.rebalance_protocol(), RebalanceProtocol::None),
            GroupProtocol::Consumer => self.joining.has_joined(self.shared.clock.now()),
        }
    }

    /// Kafka keeps our place for another process. True: it is tried again in a while.
    pub(super) fn await_place(&mut self, why: &str, now: Duration) -> bool {
        let first = self.joining.taken.is_none();
        let patient = self.joining.wait(now);
        if patient && first {
            let sentence = "Kafka keeps the place of consumer.instance_id for a process that did not leave; it is free when that one's session is over";
            tracing::warn!("{sentence} ({why}); trying again until then");
            self.shared.condition.complain(Part::Poll, sentence);
        }
        patient
    }

    /// Tries again to take our place, when it is time for that.
    pub(super) fn join_again(&mut self, now: Duration) {
        if self.joining.is_due(now) {
            self.take_over();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AGAIN, JOINED, Joining, PATIENCE};
    use std::time::Duration;

    #[test]
    fn a_name_that_is_taken_is_asked_for_again_until_patience_ends() {
        let mut now = Duration::from_secs(100);
        let mut joining = Joining::new(now);
        let mut tries = 0;
        while joining.wait(now) {
            assert!(!joining.is_due(now) && !joining.has_joined(now + JOINED), "it waits for the next try");
            now += AGAIN / 2;
            assert!(joining.wait(now) || now >= Duration::from_secs(100) + PATIENCE, "told twice, it waits no longer");
            now += AGAIN / 2;
            assert!(joining.is_due(now));
            joining.begin(now);
            assert!(!joining.is_due(now));
            tries += 1;
        }
        assert_eq!(tries, PATIENCE.as_secs() / AGAIN.as_secs());
    }

    #[test]
    fn who_is_not_shut_out_is_a_member_and_has_its_whole_patience_again() {
        let second = Duration::from_secs(1);
        let mut joining = Joining::new(second);
        assert!(!joining.has_joined(JOINED) && joining.has_joined(JOINED + second));
        assert!(joining.wait(second * 20));
        joining.begin(second * 22);
        assert!(joining.has_joined(second * 22 + JOINED) && joining.taken.is_none());
    }
}
