//! Suspect: records for which the function failed, and how often; it outlives the process in the metadata of the commit.
//!
//! In: what the deliveries know of their pieces. Out: the same for whoever owns the partition next, and text for Kafka.
//! Never: grows beyond what Kafka takes as metadata; what does not fit starts over with its attempts.

use crate::assignment::LaneId;
use domain::offset::{NextOffset, Offset};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Neighbouring records of one lane that failed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suspect {
    pub first: Offset,
    pub last: Offset,
    pub blame: Blame,
}

/// What is held against records, over all owners; nothing is held against those that are set aside already, and only an unfinished record
/// before them keeps that from being committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Blame {
    /// Function errors that they were part of.
    pub failures: u32,
    /// How often the function answered others between two of these.
    pub proofs: u32,
    /// It is decided: the one record becomes a dead letter, and Kafka has not confirmed that yet.
    pub condemned: bool,
}

impl Suspect {
    /// A record whose dead letter Kafka has.
    pub fn set_aside(offset: Offset) -> Self {
        Self { first: offset, last: offset, blame: Blame::default() }
    }

    pub fn is_set_aside(&self) -> bool {
        self.blame.failures == 0
    }

    /// Its records below `first` and those above `last`.
    fn without(self, first: Offset, last: Offset) -> impl Iterator<Item = Self> {
        let below = Self { last: self.last.min(Offset(first.0 - 1)), ..self };
        let above = Self { first: self.first.max(Offset(last.0 + 1)), ..self };
        [below, above].into_iter().filter(|part| part.first <= part.last)
    }

    pub fn holds(&self, offset: Offset) -> bool {
        (self.first..=self.last).contains(&offset)
    }
}

/// The suspects of one partition, by lane; those of a lane ascend and do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suspects {
    lanes: BTreeMap<u32, Vec<Suspect>>,
}

/// What a delivery says about its batch: these are its suspects now, and no others from its first record to its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicion {
    pub lane: LaneId,
    pub first: Offset,
    pub last: Offset,
    pub suspects: Vec<Suspect>,
}

/// Kafka takes 4,096 bytes of metadata by default.
const MOST_BYTES: usize = 3_500;
/// Rows of version 1 have no proofs. Those of records that are condemned have a 1 behind them.
const VERSION: u32 = 2;

/// As it is written: `{"v":2,"lanes":1,"s":[[lane,first,last,failures,proofs,condemned],...]}`.
#[derive(Serialize, Deserialize)]
struct Written {
    v: u32,
    lanes: u32,
    s: Vec<Vec<i64>>,
}

fn row(lane: u32, Suspect { first, last, blame }: Suspect) -> Vec<i64> {
    let mut row = vec![lane.into(), first.0, last.0, blame.failures.into(), blame.proofs.into()];
    if blame.condemned {
        row.push(1);
    }
    row
}

fn read_row(row: &[i64]) -> Option<(u32, Suspect)> {
    let (&[lane, first, last, failures], more) = row.split_first_chunk::<4>()?;
    let number = |value: i64| u32::try_from(value).ok();
    let proofs = number(more.first().copied().unwrap_or(0))?;
    let blame = Blame { failures: number(failures)?, proofs, condemned: more.get(1) == Some(&1) };
    Some((number(lane)?, Suspect { first: Offset(first), last: Offset(last), blame }))
}

impl Suspects {
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Takes over what a delivery says.
    pub fn replace(&mut self, suspicion: &Suspicion) {
        let Suspicion { first, last, .. } = *suspicion;
        let lane = self.lanes.entry(suspicion.lane.lane).or_default();
        // Batches of this owner end elsewhere than those of the one before: what lies outside stays.
        let outside = lane.iter().flat_map(|suspect| suspect.without(first, last));
        let mut all: Vec<Suspect> = outside.chain(suspicion.suspects.iter().copied()).collect();
        all.sort_by_key(|suspect| suspect.first);
        *lane = all;
        self.lanes.retain(|_, suspects| !suspects.is_empty());
    }

    /// Forgets what lies wholly below `next`.
    pub fn forget_below(&mut self, next: NextOffset) {
        self.lanes.values_mut().for_each(|lane| lane.retain(|suspect| suspect.last.next() > next));
        self.lanes.retain(|_, suspects| !suspects.is_empty());
    }

    /// Those of `lane` that touch the records from `first` to `last`.
    pub fn between(&self, lane: u32, first: Offset, last: Offset) -> Vec<Suspect> {
        let touching = |suspect: &&Suspect| suspect.first <= last && suspect.last >= first;
        self.lanes.get(&lane).map(|all| all.iter().filter(touching).copied().collect()).unwrap_or_default()
    }

    /// The metadata of a commit of a partition with `lanes` lanes; empty without suspects. When not all of them fit, those with the
    /// lowest offsets stay: they are the next to be read.
    pub fn metadata(&self, lanes: u32) -> String {
        if self.is_empty() {
            return String::new();
        }
        let each = |(lane, suspects): (&u32, &Vec<Suspect>)| {
            let lane = *lane;
            suspects.iter().map(move |suspect| row(lane, *suspect)).collect::<Vec<_>>()
        };
        let mut all: Vec<_> = self.lanes.iter().flat_map(each).collect();
        all.sort_by_key(|row| row.get(1).copied());
        loop {
            let written = Written { v: VERSION, lanes, s: all.clone() };
            // Numbers alone cannot fail to be written.
            let text = serde_json::to_string(&written).unwrap_or_default();
            if text.len() <= MOST_BYTES {
                return text;
            }
            all.truncate(all.len() - (all.len() / 8).max(1));
        }
    }

    /// Reads the metadata of a commit. Nothing is suspected when it is another's, or when the lanes were others: records of one lane
    /// then stand beside those of another.
    pub fn read(metadata: &str, lanes: u32) -> Self {
        let written = serde_json::from_str::<Written>(metadata).ok();
        let mut suspects = Self::default();
        let fits = |written: &Written| (1..=VERSION).contains(&written.v) && written.lanes == lanes;
        let rows = written.filter(fits).map(|written| written.s).unwrap_or_default();
        for (lane, suspect) in rows.iter().filter_map(|row| read_row(row)) {
            if lane < lanes && suspect.first <= suspect.last {
                suspects.lanes.entry(lane).or_default().push(suspect);
            }
        }
        suspects
    }
}

#[cfg(test)]
mod tests {
    use super::{Blame, MOST_BYTES, Suspect, Suspects, Suspicion};
    use crate::assignment::{Generation, Held, LaneId, TopicPartition};
    use domain::offset::{NextOffset, Offset};

    fn suspect(first: i64, last: i64, failures: u32) -> Suspect {
        Suspect {
            first: Offset(first),
            last: Offset(last),
            blame: Blame { failures, proofs: failures % 3, condemned: failures == 11 },
        }
    }

    fn said(lane: u32, (first, last): (i64, i64), suspects: &[Suspect]) -> Suspicion {
        let held = Held { at: TopicPartition::new("t", 3), generation: Generation(1) };
        Suspicion { lane: LaneId { held, lane }, first: Offset(first), last: Offset(last), suspects: suspects.to_vec() }
    }

    #[test]
    fn what_a_delivery_says_replaces_its_batch_and_nothing_behind_it() {
        let mut all = Suspects::read(r#"{"v":2,"lanes":2,"s":[[0,10,20,3,0],[0,40,40,9,0],[1,12,13,1,1]]}"#, 2);
        all.replace(&said(0, (9, 18), &[suspect(10, 12, 4)]));
        assert_eq!(all.between(0, Offset(0), Offset(99)), [suspect(10, 12, 4), suspect(19, 20, 3), suspect(40, 40, 9)]);
        assert_eq!(all.between(1, Offset(13), Offset(13)), [suspect(12, 13, 1)]);
        all.replace(&said(0, (12, 30), &[]));
        assert_eq!(all.between(0, Offset(0), Offset(39)), [suspect(10, 11, 4)]);
        all.forget_below(NextOffset(13));
        assert_eq!(all.metadata(2), r#"{"v":2,"lanes":2,"s":[[1,12,13,1,1],[0,40,40,9,0]]}"#);
        all.forget_below(NextOffset(41));
        assert_eq!((all.metadata(2), all.is_empty()), (String::new(), true));
    }

    #[test]
    fn metadata_comes_back_as_it_was_and_what_is_not_ours_is_nothing() {
        let mut all = Suspects::default();
        all.replace(&said(1, (4, 9), &[suspect(4, 4, 2), suspect(9, 9, 11)]));
        assert_eq!(Suspects::read(&all.metadata(4), 4), all);
        for other in [
            "",
            "text",
            r#"{"v":3,"lanes":4,"s":[[1,4,4,2,0]]}"#,
            r#"{"v":2,"lanes":4,"s":[[4,4,4,2,0],[0,5,4,1,0],[0]]}"#,
        ] {
            assert!(Suspects::read(other, 4).is_empty(), "{other}");
        }
        assert!(Suspects::read(&all.metadata(4), 8).is_empty(), "with other lanes the records stand elsewhere");
        let old = Suspects::read(r#"{"v":1,"lanes":1,"s":[[0,4,6,2],[0,9,9,0]]}"#, 1).between(0, Offset(0), Offset(9));
        let blame = Blame { failures: 2, ..Blame::default() };
        assert_eq!(old, [Suspect { first: Offset(4), last: Offset(6), blame }, Suspect::set_aside(Offset(9))]);
    }

    #[test]
    fn what_kafka_would_not_take_is_cut_from_the_end() {
        let mut all = Suspects::default();
        let many: Vec<Suspect> = (0..500).map(|n| suspect(n * 10_000_000_000, n * 10_000_000_000 + 5, 7)).collect();
        all.replace(&said(0, (0, i64::MAX - 1), &many));
        let text = all.metadata(1);
        assert!(text.len() <= MOST_BYTES && text.len() > MOST_BYTES / 2);
        let back = Suspects::read(&text, 1).between(0, Offset(0), Offset(i64::MAX));
        assert_eq!(back[..], many[..back.len()]);
    }
}
