//! Whose fault it is that a record got no acknowledgement in time: its own, its partition's, or nobody's.

/// The newest record that Kafka has acknowledged, for each partition of each topic.
#[derive(Debug, Default)]
pub struct Newest(Vec<Vec<u64>>);

/// A record that a client gave back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unanswered {
    pub topic: u16,
    /// Negative while the client did not know the topic's partitions.
    pub partition: i32,
    /// Its place among all that were handed to clients; never 0.
    pub order: u64,
    /// The client had it as long as a record may take.
    pub waited: bool,
}

/// Why it got none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// One that was handed over later, to the same partition, was acknowledged: it failed alone. Only this is an attempt.
    Record,
    /// Nothing that was handed over later got through there either.
    Partition,
    /// It had not waited long enough, or nobody knows where it was to go.
    Nobody,
}

impl Newest {
    /// Kafka holds the record with this place.
    pub fn note(&mut self, topic: u16, partition: i32, order: u64) {
        let (topic, partition) = (usize::from(topic), partition.max(0) as usize);
        if self.0.len() <= topic {
            self.0.resize(topic + 1, Vec::new());
        }
        let partitions = &mut self.0[topic];
        if partitions.len() <= partition {
            partitions.resize(partition + 1, 0);
        }
        partitions[partition] = partitions[partition].max(order);
    }

    pub fn blame(&self, record: &Unanswered) -> Blame {
        let Ok(partition) = usize::try_from(record.partition) else { return Blame::Nobody };
        let newest = self.0.get(usize::from(record.topic)).and_then(|partitions| partitions.get(partition));
        match newest {
            _ if !record.waited => Blame::Nobody,
            Some(newest) if *newest > record.order => Blame::Record,
            _ => Blame::Partition,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Blame, Newest, Unanswered};
    use proptest::prelude::*;

    #[test]
    fn a_record_is_blamed_only_when_a_later_one_of_its_partition_got_through() {
        let mut newest = Newest::default();
        let blame =
            |newest: &Newest, partition, waited| newest.blame(&Unanswered { topic: 1, partition, order: 5, waited });
        assert_eq!(blame(&newest, 2, true), Blame::Partition);
        // Another partition, another topic, an earlier record: all no reason.
        [(1, 3, 9), (0, 2, 9), (1, 2, 4)]
            .into_iter()
            .for_each(|(topic, partition, order)| newest.note(topic, partition, order));
        assert_eq!((blame(&newest, 2, true), blame(&newest, 2, false)), (Blame::Partition, Blame::Nobody));
        newest.note(1, 2, 6);
        newest.note(1, 2, 3);
        assert_eq!((blame(&newest, 2, true), blame(&newest, 2, false)), (Blame::Record, Blame::Nobody));
        assert_eq!(blame(&newest, -1, true), Blame::Nobody);
    }

    proptest! {
        /// Whatever the order of the answers: in an outage, of everything or of a partition, no record is to blame.
        #[test]
        fn a_partition_that_is_silent_from_some_moment_on_blames_none_of_its_records(
            acknowledged in proptest::collection::vec((0u16..3, 0i32..4, 1u64..100), 0..60),
            silent in 0i32..4,
            from in 1u64..100,
            order in 1u64..100,
        ) {
            let mut newest = Newest::default();
            for (topic, partition, order) in acknowledged {
                if partition != silent || order < from {
                    newest.note(topic, partition, order);
                }
            }
            let record = Unanswered { topic: 1, partition: silent, order: order.max(from), waited: true };
            prop_assert_eq!(newest.blame(&record), Blame::Partition);
        }
    }
}
