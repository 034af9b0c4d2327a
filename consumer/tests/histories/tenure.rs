//! One partition in the hands of one member: what that one was told, and what it may know.

use crate::log::Record;
use consumer::collect::lane_of;
use consumer::suspect::{Suspect, Suspects};
use domain::offset::Offset;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

pub struct Tenure {
    pub partition: usize,
    pub member: u64,
    lanes: u32,
    /// The next record to be polled.
    pub position: i64,
    /// Whether Kafka said where the group stood when it began.
    pub told: bool,
    /// What its metadata said then.
    suspects: Suspects,
    /// Function errors of records, those that it was told of included.
    failures: BTreeMap<i64, u32>,
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
    pub fn new((partition, member): (usize, u64), lanes: u32, position: i64, metadata: Option<&str>) -> Self {
        Self {
            told: metadata.is_some(),
            partition,
            member,
            lanes,
            position,
            suspects: Suspects::read(metadata.unwrap_or_default(), lanes),
            failures: BTreeMap::new(),
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

    /// Function errors of a record as far as this owner can know.
    pub fn failures(&self, offset: i64, record: &Record) -> u32 {
        let told = || self.told(offset, record).map_or(0, |suspect| suspect.failures);
        self.failures.get(&offset).copied().unwrap_or_else(told)
    }

    pub fn failed(&mut self, offset: i64, record: &Record) -> u32 {
        let failures = self.failures(offset, record) + 1;
        self.failures.insert(offset, failures);
        failures
    }

    /// The function had a verdict on it, so it does not fail at it: the owner may forget what was, or has not come to that yet.
    pub fn acquitted(&mut self, offset: i64, record: &Record) {
        let failures = self.failures(offset, record);
        self.forgiven.insert(offset, failures.max(self.forgiven.get(&offset).copied().unwrap_or_default()));
        self.failures.insert(offset, 0);
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
        let failures = self.failures(offset, record);
        let most = failures.max(self.forgiven.get(&offset).copied().unwrap_or_default());
        found != Some(0) && (failures..=most).contains(&found.unwrap_or_default())
    }

    fn told(&self, offset: i64, record: &Record) -> Option<Suspect> {
        let at = Offset(offset);
        self.suspects.between(self.lane(offset, record), at, at).into_iter().next()
    }
}
