//! One partition in the hands of one member: what that one was told, and what it may know.

use crate::log::Record;
use crate::rules::ATTEMPTS;
use consumer::collect::lane_of;
use consumer::suspect::{Suspect, Suspects};
use domain::offset::Offset;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

pub struct Tenure {
    pub partition: usize,
    pub member: u64,
    lanes: u32,
    /// Where it began.
    pub start: i64,
    /// The next record to be polled.
    pub position: i64,
    /// What Kafka's metadata said when it began.
    suspects: Suspects,
    /// Function errors of records, those that it was told of included.
    failures: BTreeMap<i64, u32>,
    /// Those among them that nobody can put down to the function, because it answered others meanwhile.
    certain: BTreeMap<i64, u32>,
    proofs: BTreeMap<i64, u32>,
    /// Records that must be set aside now, without another call.
    pub condemned: BTreeSet<i64>,
    /// Those before its last verdict.
    forgiven: BTreeMap<i64, u32>,
    /// Records with the verdict delivered or duplicate.
    pub answered: BTreeSet<i64>,
    /// Records whose dead letter was acknowledged; true when the function failed at them.
    pub lettered: BTreeMap<i64, bool>,
    /// Calls under way, by lane.
    pub calls: HashMap<u32, usize>,
    /// When the member learnt that it is over.
    pub over: Option<Duration>,
}

impl Tenure {
    pub fn new((partition, member): (usize, u64), lanes: u32, position: i64, metadata: &str) -> Self {
        Self {
            partition,
            member,
            lanes,
            start: position,
            position,
            suspects: Suspects::read(metadata, lanes),
            failures: BTreeMap::new(),
            certain: BTreeMap::new(),
            proofs: BTreeMap::new(),
            condemned: BTreeSet::new(),
            forgiven: BTreeMap::new(),
            answered: BTreeSet::new(),
            lettered: BTreeMap::new(),
            calls: HashMap::new(),
            over: None,
        }
    }

    pub fn lane(&self, offset: i64, record: &Record) -> u32 {
        lane_of(record.key.as_deref(), Offset(offset), self.lanes)
    }

    /// Function errors of a record, those that Kafka's metadata told of included.
    pub fn failures(&self, offset: i64, record: &Record) -> u32 {
        self.failures.get(&offset).copied().unwrap_or_else(|| self.inherited(offset, record))
    }

    /// How many of them count against it in any case.
    pub fn certain(&self, offset: i64, record: &Record) -> u32 {
        self.certain.get(&offset).copied().unwrap_or_else(|| self.inherited(offset, record))
    }

    fn inherited(&self, offset: i64, record: &Record) -> u32 {
        self.told(offset, record).map_or(0, |suspect| suspect.blame.failures)
    }

    pub fn failed(&mut self, offset: i64, record: &Record, certain: bool) -> u32 {
        let (failures, sure) = (self.failures(offset, record) + 1, self.certain(offset, record) + u32::from(certain));
        self.certain.insert(offset, sure);
        self.failures.insert(offset, failures);
        failures
    }

    /// Whether the function was heard to answer others between failures of a record, twice, with this time.
    pub fn proved(&mut self, offset: i64, certain: bool) -> bool {
        let proofs = self.proofs.entry(offset).or_default();
        *proofs += u32::from(certain);
        *proofs >= 2
    }

    /// Whether it was told that this record is to be set aside without another call, or must know it.
    pub fn is_condemned(&self, offset: i64, record: &Record) -> bool {
        self.condemned.contains(&offset) || self.told(offset, record).is_some_and(|suspect| suspect.blame.condemned)
    }

    /// The function had a verdict on it, so it does not fail at it: the owner may forget what was, or has not come to that yet.
    pub fn acquitted(&mut self, offset: i64, record: &Record) {
        let failures = self.failures(offset, record);
        self.forgiven.insert(offset, failures.max(self.forgiven.get(&offset).copied().unwrap_or_default()));
        self.failures.insert(offset, 0);
        self.certain.insert(offset, 0);
    }

    /// It was told that a record's letter is written.
    pub fn is_aside(&self, offset: i64, record: &Record) -> bool {
        self.told(offset, record).is_some_and(|suspect| suspect.is_set_aside())
    }

    /// It saw the record's end itself.
    pub fn finished(&self, offset: i64) -> bool {
        self.answered.contains(&offset) || self.lettered.contains_key(&offset)
    }

    /// Whether `found` is what the next owner should be told of a record that is not finished, or is set aside.
    pub fn should_tell(&self, offset: i64, record: &Record, found: Option<u32>) -> bool {
        if self.lettered.contains_key(&offset) || self.is_aside(offset, record) {
            return found == Some(0);
        }
        let least = self.certain(offset, record).min(ATTEMPTS);
        let most = self.failures(offset, record).max(self.forgiven.get(&offset).copied().unwrap_or_default());
        found != Some(0) && (least..=most).contains(&found.unwrap_or_default())
    }

    fn told(&self, offset: i64, record: &Record) -> Option<Suspect> {
        let at = Offset(offset);
        self.suspects.between(self.lane(offset, record), at, at).into_iter().next()
    }
}
