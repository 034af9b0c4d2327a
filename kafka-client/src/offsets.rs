//! Where a group stands: committed and end offsets, read without joining the group.
//!
//! *In*: consumer settings, partitions, a deadline. *Out*: one [`Position`] per partition. *Never*: a commit, a
//! subscription.

use crate::probe::{self, ProbeError, within};
use crate::settings::ClientSettings;
use domain::offset::NextOffset;
use rdkafka::consumer::Consumer;
use rdkafka::topic_partition_list::Offset;
use std::time::Duration;

/// Where a group stands in one partition.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Position {
    pub topic: String,
    pub partition: i32,
    /// The oldest offset that is still there.
    pub start: i64,
    /// One past the newest record.
    pub end: NextOffset,
    /// What the group committed; `None` if nothing.
    pub committed: Option<NextOffset>,
}

impl Position {
    /// Records that the group has not finished. Without a commit that is everything; records that were deleted before
    /// the group came to them do not count.
    pub fn lag_records(&self) -> u64 {
        let next = self.committed.map_or(self.start, |committed| committed.0.max(self.start));
        u64::try_from(self.end.0 - next).unwrap_or(0)
    }
}

/// The group's position in every partition of the topics. `settings` are consumer settings with the group; without a
/// topic, all that the group has a commit in and we may see are taken.
pub fn positions(settings: &ClientSettings, topics: &[&str], deadline: Duration) -> Result<Vec<Position>, ProbeError> {
    let only_committed = topics.is_empty();
    let known = if only_committed {
        probe::all_topics(settings, deadline)?
    } else {
        probe::topics(settings, topics, deadline)?
    };
    let partitions: Vec<(String, i32)> =
        known.iter().flat_map(|topic| (0..topic.partitions).map(|partition| (topic.name.clone(), partition))).collect();
    let mut positions = within(settings, deadline, move |session| {
        let committed = session.committed(&partitions)?;
        let mut positions = Vec::with_capacity(partitions.len());
        for element in committed.elements() {
            let committed = match element.offset() {
                Offset::Offset(next) => Some(NextOffset(next)),
                _ => None,
            };
            if committed.is_none() && only_committed {
                continue;
            }
            let (topic, partition) = (element.topic().to_owned(), element.partition());
            let (start, end) = session.until_known(&format!("{topic}/{partition}"), |step| {
                session.consumer.fetch_watermarks(&topic, partition, step)
            })?;
            positions.push(Position { topic, partition, start, end: NextOffset(end), committed });
        }
        Ok(positions)
    })?;
    positions.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(start: i64, end: i64, committed: Option<i64>) -> Position {
        let committed = committed.map(NextOffset);
        Position { topic: "mt-c400".to_owned(), partition: 0, start, end: NextOffset(end), committed }
    }

    #[test]
    fn lag_is_end_minus_committed() {
        assert_eq!(position(0, 100, Some(40)).lag_records(), 60);
        assert_eq!(position(0, 100, Some(100)).lag_records(), 0);
    }

    #[test]
    fn a_group_without_a_commit_lags_by_all_that_is_there() {
        assert_eq!(position(10, 100, None).lag_records(), 90);
    }

    #[test]
    fn what_was_deleted_before_it_was_read_is_no_lag() {
        assert_eq!(position(50, 100, Some(10)).lag_records(), 50);
    }

    #[test]
    fn a_topic_that_was_made_anew_has_no_negative_lag() {
        assert_eq!(position(0, 5, Some(900)).lag_records(), 0);
    }
}
