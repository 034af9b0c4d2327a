//! What is so: Kafka's logs and commits, who owns what, what function and dead letters did; and every rule that was broken.

use crate::log::{Kind, Log};
use crate::step::{Mood, PARTITIONS, Reply, Setup};
use crate::tenure::Tenure;
use consumer::commit::Commit;
use consumer::suspect::Suspects;
use domain::fence::Fence;
use domain::offset::Offset;
use runtime::clock::SharedClock;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::task::Id;

/// See the head of the file; clones are the same one.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<Truth>>);

pub struct Truth {
    pub lanes: u32,
    pub setup: Setup,
    clock: SharedClock,
    pub logs: Vec<Log>,
    pub tenures: Vec<Tenure>,
    pub script: VecDeque<Reply>,
    pub mood: Mood,
    /// Processes that are no more: what they still ask gets no answer.
    pub dead: HashSet<u64>,
    /// Members that the group has given up.
    pub expelled: HashSet<u64>,
    /// Members of which somebody has opened what was stopped.
    pub opened: HashSet<u64>,
    /// When the function answered a member last.
    pub answered: HashMap<u64, Duration>,
    /// Counts what moved; a commit from before a move is refused.
    pub generation: u64,
    /// The last tenure of a member in a partition.
    current: HashMap<(u64, usize), usize>,
    /// The tenure of each delivery.
    deliveries: HashMap<Id, usize>,
    /// What a dispatcher would know of each partition and lane.
    pub fences: HashMap<(usize, u32), Fence>,
    pub broken: Vec<String>,
    /// What came about, and how often.
    pub seen: Seen,
}

pub type Seen = BTreeMap<&'static str, u64>;

impl Shared {
    pub fn new(lanes: u32, setup: &Setup, clock: SharedClock) -> Self {
        Self(Arc::new(Mutex::new(Truth {
            lanes,
            setup: setup.clone(),
            clock,
            logs: (0..PARTITIONS).map(|_| Log::default()).collect(),
            tenures: Vec::new(),
            script: VecDeque::new(),
            mood: Mood::Up,
            dead: HashSet::new(),
            expelled: HashSet::new(),
            opened: HashSet::new(),
            answered: HashMap::new(),
            generation: 0,
            current: HashMap::new(),
            deliveries: HashMap::new(),
            fences: HashMap::new(),
            broken: Vec::new(),
            seen: Seen::new(),
        })))
    }

    pub fn see(&self) -> MutexGuard<'_, Truth> {
        self.0.lock().unwrap()
    }

    /// Goes on only while the process lives that asks.
    pub async fn breathe(&self, member: u64) {
        let dead = self.see().dead.contains(&member);
        if dead {
            std::future::pending::<()>().await;
        }
    }
}

impl Truth {
    pub fn now(&self) -> Duration {
        self.clock.now()
    }

    /// A rule is broken.
    pub fn blame(&mut self, what: String) {
        self.broken.push(what);
    }

    /// Something came about.
    pub fn note(&mut self, what: &'static str) {
        *self.seen.entry(what).or_default() += 1;
    }

    /// Gives a partition to a member; the metadata is what Kafka tells it.
    pub fn give(&mut self, partition: usize, member: u64) -> (usize, String) {
        let log = &mut self.logs[partition];
        let metadata = log.metadata.clone();
        let tenure = self.tenures.len();
        let new = Tenure::new((partition, member), self.lanes, log.committed, &metadata);
        self.tenures.push(new);
        log.owner = Some(tenure);
        if !metadata.is_empty() {
            self.note("an owner inherits suspects");
        }
        // Each ends with failures and proofs, and what is condemned with a 1 behind them.
        if metadata.contains(",0,0]") {
            self.note("an owner inherits a record that is set aside");
        }
        let rows = metadata.split('[').filter(|row| row.matches(',').count() >= 5 && row.contains(",1]"));
        if rows.count() > 0 {
            self.note("an owner inherits a record that is condemned");
        }
        self.current.insert((member, partition), tenure);
        self.generation += 1;
        (tenure, metadata)
    }

    /// Takes a partition away, whatever its owner knows of it.
    pub fn take(&mut self, partition: usize) {
        self.logs[partition].owner = None;
        self.generation += 1;
    }

    /// The group gives a member up.
    pub fn expel(&mut self, member: u64) {
        self.expelled.insert(member);
        self.owned_by(member).into_iter().for_each(|partition| self.take(partition));
    }

    /// The partitions of a member, as Kafka sees it.
    pub fn owned_by(&self, member: u64) -> Vec<usize> {
        let owned =
            |partition: &usize| self.logs[*partition].owner.is_some_and(|tenure| self.tenures[tenure].member == member);
        (0..PARTITIONS).filter(owned).collect()
    }

    /// A member has learnt that a tenure is over.
    pub fn over(&mut self, tenure: usize) {
        let now = self.now();
        self.tenures[tenure].over.get_or_insert(now);
    }

    /// The tenure that the delivery which runs now belongs to: the one in which it began.
    pub fn delivering(&mut self, member: u64, partition: usize) -> usize {
        let current = self.current[&(member, partition)];
        *self.deliveries.entry(tokio::task::id()).or_insert(current)
    }

    /// A commit arrives that was asked for in this generation; false when Kafka refuses it.
    pub fn arrive(&mut self, member: u64, generation: u64, commits: &[(usize, Commit)]) -> bool {
        if self.expelled.contains(&member) {
            self.note("a former member's commit is refused");
            return false;
        }
        if generation != self.generation {
            self.note("a commit from before a move is refused");
            return false;
        }
        commits.iter().for_each(|(tenure, commit)| self.commit(*tenure, commit));
        true
    }

    fn commit(&mut self, tenure: usize, commit: &Commit) {
        let (owner, next) = (&self.tenures[tenure], commit.next.0);
        let (partition, log) = (owner.partition, &self.logs[owner.partition]);
        if log.owner != Some(tenure) {
            return self.blame(format!("partition {partition} is another's, and {next} was committed"));
        }
        let mut passed = log.records.range(log.committed..next.max(log.committed));
        let open = passed.find(|(offset, record)| !owner.finished(**offset) && !owner.is_aside(**offset, record));
        if let Some((open, _)) = open {
            let open = *open;
            self.blame(format!("commit {next} of partition {partition} passes {open}, which is not finished"));
        }
        self.note("a commit is taken");
        let log = &mut self.logs[partition];
        let before = std::mem::replace(&mut log.committed, next);
        log.metadata.clone_from(&commit.metadata);
        if next < before {
            self.blame(format!("partition {partition} went back from {before} to {next}"));
        }
    }

    /// A partition was drained, and its last commit got through.
    pub fn handed_over(&mut self, tenure: usize) {
        self.note("a partition is handed over in order");
        let (owner, mut broken) = (&self.tenures[tenure], Vec::new());
        let (partition, log) = (owner.partition, &self.logs[owner.partition]);
        let noted = Suspects::read(&log.metadata, self.lanes);
        let mut first = true;
        for (offset, record) in log.records.range(log.committed..owner.position.max(log.committed)) {
            // A suspect is a range, which may have records in it that are beyond suspicion.
            let beyond = owner.answered.contains(offset)
                || record.kind == Kind::Unfit
                || owner.lettered.get(offset).is_some_and(|function_error| !function_error);
            if std::mem::take(&mut first) && owner.finished(*offset) {
                broken.push(format!("{offset} of partition {partition} was finished and is not committed"));
            }
            let at = Offset(*offset);
            let found =
                noted.between(owner.lane(*offset, record), at, at).first().map(|suspect| suspect.blame.failures);
            if !beyond && !owner.should_tell(*offset, record, found) {
                let (failures, certain) = (owner.failures(*offset, record), owner.certain(*offset, record));
                broken.push(format!(
                    "{failures} failures ({certain} for certain) of {offset} in partition {partition} are handed over as {found:?}"
                ));
            }
        }
        self.broken.extend(broken);
    }

    /// Whether everything is committed.
    pub fn is_done(&self) -> bool {
        self.logs.iter().all(|log| log.records.range(log.committed..).next().is_none())
    }

    /// Why it is not done.
    pub fn unfinished(&self) -> String {
        let of = |(partition, log): (usize, &Log)| format!("{partition}: committed {} of {}", log.committed, log.end);
        let all: Vec<String> = self.logs.iter().enumerate().map(of).collect();
        format!("it does not come to its end: {}", all.join(", "))
    }

    /// Records that are neither delivered nor dead letters.
    pub fn lost(&self) -> Vec<String> {
        let lost = |(partition, log): (usize, &Log)| {
            let gone = log.records.iter().filter(|(_, record)| match record.kind {
                Kind::Good => !record.delivered && record.letters == 0,
                Kind::Poison | Kind::Rejected | Kind::Unfit => record.letters == 0,
            });
            gone.map(|(offset, record)| format!("{partition}/{offset} ({:?})", record.kind)).collect::<Vec<_>>()
        };
        self.logs.iter().enumerate().flat_map(lost).collect()
    }
}
