//! With `consumer.start = "error"`: why there is no offset to go on from, in one sentence for the person who decides.

use super::PollThread;
use crate::assignment::TopicPartition;
use rdkafka::consumer::Consumer;
use std::time::Duration;

/// For Kafka's answer about one partition.
const ANSWER: Duration = Duration::from_secs(2);
/// For all of them.
const DEADLINE: Duration = Duration::from_secs(10);
/// So many partitions are named at most.
const MOST: usize = 8;

impl PollThread {
    /// The sentence. Kafka's client does not say which partition it means: it is one where reading could not begin or go on.
    pub(super) fn no_offset(&self) -> String {
        let positions = self.shared.desk().positions();
        let until = self.shared.clock.now() + DEADLINE;
        let in_time = positions.iter().take_while(|_| self.shared.clock.now() < until);
        let reasons = in_time.filter_map(|(at, position)| self.reason(at, *position));
        let reasons: Vec<String> = reasons.take(MOST).collect();
        let what = if reasons.is_empty() {
            "a partition has no usable committed offset".to_owned()
        } else {
            reasons.join("; ")
        };
        format!(
            "{what}. consumer.start = \"error\" stops here so that somebody decides, and the group's offsets stay as they are. \
             Set the group's offsets, or consumer.start to \"earliest\" (go on with the oldest record there is) or \"latest\" (skip what is there)"
        )
    }

    /// What is wrong with `position`, if anything.
    fn reason(&self, at: &TopicPartition, position: Option<i64>) -> Option<String> {
        let Some(position) = position else { return Some(format!("the group has no committed offset in {at}")) };
        let (low, end) = self.consumer.fetch_watermarks(&at.topic, at.partition, ANSWER).ok()?;
        if position < low {
            let lost = low - position;
            return Some(format!(
                "offset {position} of {at} no longer exists: its log begins at {low}, {lost} records were deleted before they were read"
            ));
        }
        (position > end).then(|| {
            format!(
                "offset {position} of {at} does not exist: its log ends at {end}, as if the topic had been made anew"
            )
        })
    }
}
