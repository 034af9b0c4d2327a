//! What the records show that a client gave back: which failed alone, and which partitions do not answer.

use super::Detour;
use crate::blame::{Blame, Unanswered};
use crate::client::{Client, Returned};
use crate::spool::Lane;

/// What a failed pass has shown.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// Events of the spool that failed alone.
    alone: Vec<u64>,
    silent: Vec<Lane>,
    /// Where the keys of the records were to go.
    keys: Vec<(Lane, Vec<u8>)>,
}

impl<C: Client> Detour<C> {
    /// Looks at what is about to go to the spool, while it still has its slots.
    pub(super) fn learn(&self) -> Learned {
        let Some(after) = self.desk.as_ref().map(|desk| desk.rules.after) else { return Learned::default() };
        let mut learned = Learned::default();
        for record in &self.again {
            let waited = self.renewal.retired.saturating_sub(self.answers.in_flight.sent(record.slot)) >= after;
            let lane = lane(record);
            let (order, Lane { topic, partition }) = (record.order, lane);
            match self.answers.blame(&Unanswered { topic, partition, order, waited }) {
                Blame::Record => learned.alone.push(record.flying.spooled),
                Blame::Partition => learned.silent.push(lane),
                Blame::Nobody => {}
            }
            learned.keys.push((lane, record.key.clone()));
        }
        // The way to the spool is no attempt yet.
        learned.alone.retain(|number| *number != 0);
        learned.silent.sort_unstable();
        learned.silent.dedup();
        learned
    }

    /// Keeps what was learned. Only when all of it is on the disk: what the client has would be overtaken from there.
    pub(super) fn keep_learned(&mut self, learned: Learned) {
        let Some(desk) = &mut self.desk else { return };
        learned.alone.into_iter().for_each(|number| desk.failed_alone(number));
        let new: Vec<Lane> = learned.silent.into_iter().filter(|lane| desk.silent.add(*lane)).collect();
        learned.keys.iter().for_each(|(lane, key)| desk.silent.learn(*lane, key));
        if !new.is_empty() {
            let name = |lane: &Lane| format!("{}/{}", self.client.topic_name(lane.topic), lane.partition);
            let partitions = new.iter().map(name).collect::<Vec<_>>().join(" ");
            tracing::warn!(partitions, "partitions do not answer: their events wait in the spool, others go on");
        }
    }
}

fn lane(record: &Returned) -> Lane {
    Lane { topic: record.flying.topic, partition: record.partition }
}
