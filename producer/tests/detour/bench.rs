//! The bench: one way out, events of few keys offered to it, and what Kafka has at the end.

use crate::kafka::{Kafka, Script};
use producer::answers::Answers;
use producer::chunk::{Chunk, Item, NO_SERIES};
use producer::client::Offered;
use producer::detour::Detour;
use producer::in_flight::{InFlight, Slots};
use producer::send::{Books, Outlet, Patience, Sending};
use producer::spool::Spool;
use producer::spool::desk::{Desk, SpoolDoor, SpoolRules};
use producer::tally::Tally;
use producer::ticket::Ticket;
use runtime::clock::{Clock, ManualClock};
use runtime::health::Health;
use runtime::shutdown::Shutdown;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a record waits for Kafka before the spool takes over.
pub const AFTER: Duration = Duration::from_secs(10);

/// The way out between a scripted Kafka and a clock in the test's hand.
pub struct Bench {
    clock: ManualClock,
    pub kafka: Arc<Mutex<Kafka>>,
    pub answers: Arc<Answers>,
    pub tally: Tally,
    pub shutdown: Shutdown,
    pub health: Health,
    pub door: Option<SpoolDoor>,
    pub detour: Detour<Script>,
    /// Event time of what is offered next, ms since the epoch.
    pub ts: i64,
    /// The number of the topic of what is offered next.
    pub topic: u16,
    /// The last seq of every key.
    pub next: HashMap<u8, u64>,
}

impl Bench {
    pub fn new(spool: Option<(&tempfile::TempDir, u64)>, attempts: u64) -> Self {
        Self::with(spool.map(|(dir, limit)| Spool::open(dir.path(), limit).unwrap()), attempts)
    }

    pub fn with(spool: Option<Spool>, attempts: u64) -> Self {
        Self::started_at(1_000_000, spool, attempts)
    }

    /// Of a process that starts at this time, ms since the epoch.
    pub fn started_at(ms: i64, spool: Option<Spool>, attempts: u64) -> Self {
        let (clock, tally, shutdown) = (ManualClock::starting_at(ms), Tally::default(), Shutdown::new());
        let shared = Arc::new(clock.clone());
        let answers = Arc::new(
            Answers::new(InFlight::new(4_096), tally.clone(), shared.clone(), shutdown.clone(), false).unwrap(),
        );
        answers.started();
        let kafka = Arc::new(Mutex::new(Kafka { room: 1_000, partitions: 1, ..Kafka::default() }));
        let slots = Slots::new(answers.in_flight.clone());
        let topics = ["t", "u", "v"].map(str::to_owned).to_vec();
        let client = Script { kafka: kafka.clone(), slots, answers: answers.clone(), clock: clock.clone(), topics };
        let health = Health::new(shared.clone());
        let desk = spool.map(|spool| {
            let rules = SpoolRules { after: AFTER, attempts };
            let beat = health.component("spool", Duration::from_secs(3_600));
            Desk::new(spool, rules, (tally.clone(), shared.clone(), beat))
        });
        let door = desk.as_ref().map(Desk::door);
        let detour = Detour::new(client, desk, answers.clone(), shared);
        Self { clock, kafka, answers, tally, shutdown, health, door, detour, ts: 5, topic: 0, next: HashMap::new() }
    }

    /// The process that follows on another one.
    pub fn after(left: Left, spool: Spool) -> Self {
        let mut next = Self::started_at(9_000_000, Some(spool), 1);
        next.next = left.next;
        let before = std::mem::take(&mut *left.kafka.lock().unwrap());
        {
            let mut kafka = next.kafka.lock().unwrap();
            (kafka.log, kafka.partitions, kafka.oversize) = (before.log, before.partitions, before.oversize);
        }
        next
    }

    /// Offers the next event of `key`; false when it was not taken.
    pub fn offer(&mut self, key: u8, ticket: Ticket) -> bool {
        match self.offered(key, ticket) {
            Offered::Taken | Offered::Spooled => {
                *self.next.entry(key).or_default() += 1;
                self.tally.offered.add(1);
                true
            }
            Offered::Full | Offered::Later => false,
            // Refused, and its sender told; it comes again.
            Offered::SetAside => {
                self.tally.offered.add(1);
                false
            }
            other => panic!("{other:?}"),
        }
    }

    /// What is said to the next event of `key`.
    pub fn offered(&mut self, key: u8, ticket: Ticket) -> Offered {
        let mut chunk = Chunk::default();
        let seq = self.next.get(&key).copied().unwrap_or(0) + 1;
        let value = chunk.write(|bytes| bytes.extend_from_slice(seq.to_string().as_bytes()));
        let key_text = chunk.write(|bytes| bytes.push(key));
        let due = self.clock.now();
        let item = Item {
            due,
            ts: self.ts,
            codigo: 1,
            truck: key_text,
            value,
            series: NO_SERIES,
            seq,
            invalid_id: None,
            intent: Default::default(),
            ticket,
            topic: self.topic,
            key: key_text,
        };
        chunk.push(item);
        self.detour.begin_chunk(1);
        let offered = self.detour.offer(&item, &chunk);
        self.detour.end_chunk();
        offered
    }

    /// Kafka acknowledges the oldest `count` records that it can.
    pub fn acknowledge(&mut self, count: usize) {
        acknowledge(&self.kafka, &self.answers, count);
    }

    /// Every event stands somewhere, and once.
    pub fn assert_adds_up(&self) {
        assert_adds_up(&self.answers, &self.kafka.lock().unwrap());
    }

    /// Ends as the producer does after a signal: in each pause so many records are acknowledged, then no more.
    pub fn stop(self, deadline: Duration, acknowledged: &[usize]) -> Left {
        let Self { clock, kafka, answers, shutdown, health, detour, next, .. } = self;
        let shared = Arc::new(clock.clone());
        shutdown.trigger("SIGTERM");
        let mut sending = Sending {
            outlet: detour,
            answers: answers.clone(),
            clock: shared.clone(),
            patience: Patience::new(shutdown, shared, deadline),
            beat: health.component("flow", Duration::from_secs(3_600)),
            books: Books::default(),
        };
        let mut acknowledged = acknowledged.iter();
        sending.finish(&mut |pause| {
            clock.advance(pause);
            acknowledge(&kafka, &answers, acknowledged.next().copied().unwrap_or_default());
        });
        drop(sending);
        Left { kafka, answers, next }
    }

    pub fn tend(&mut self, times: u32, by: Duration) {
        for _ in 0..times {
            self.clock.advance(by);
            self.detour.tend(false);
        }
    }

    /// Everything that was offered is in Kafka; first arrivals of every key are in order.
    pub fn assert_all_in_order(&self) {
        let mut last: HashMap<u8, u64> = HashMap::new();
        for (key, value) in &self.kafka.lock().unwrap().log {
            let seq: u64 = std::str::from_utf8(value).unwrap().parse().unwrap();
            let last = last.entry(key[0]).or_default();
            assert!(seq <= *last + 1, "key {} has {seq} after {last}", key[0]);
            *last = seq.max(*last);
        }
        assert_eq!(last, self.next);
    }
}

/// What is left when the way out has ended.
pub struct Left {
    pub kafka: Arc<Mutex<Kafka>>,
    pub answers: Arc<Answers>,
    pub next: HashMap<u8, u64>,
}

impl Left {
    /// What the report says of the spool.
    pub fn in_spool(&self) -> u64 {
        in_spool(&self.answers)
    }

    /// Counts what is nowhere as failed, as the report does; how many failed in all.
    pub fn fail_the_rest(&self) -> u64 {
        let tally = &self.answers.tally;
        (self.in_spool()..tally.unanswered()).for_each(|_| self.answers.lost_sight("nowhere", Ticket::NONE));
        tally.failed.get()
    }

    pub fn assert_adds_up(&self) {
        assert_adds_up(&self.answers, &self.kafka.lock().unwrap());
    }
}

fn in_spool(answers: &Answers) -> u64 {
    answers.in_spool()
}

fn acknowledge(kafka: &Mutex<Kafka>, answers: &Answers, count: usize) {
    for _ in 0..count {
        let Some(record) = kafka.lock().unwrap().next() else { return };
        kafka.lock().unwrap().log.push((record.key, record.value));
        answers.acknowledged(record.slot, record.partition);
    }
}

fn assert_adds_up(answers: &Answers, kafka: &Kafka) {
    let tally = &answers.tally;
    let (acknowledged, dead, failed) = (tally.acknowledged.get(), tally.dead_lettered.get(), tally.failed.get());
    let (offered, recovered, in_spool) = (tally.offered.get(), tally.recovered.get(), in_spool(answers));
    let sum = acknowledged + dead + failed + in_spool;
    assert_eq!(offered + recovered, sum, "{acknowledged} + {dead} + {failed} + {in_spool}");
    assert_eq!((kafka.placed.len() as u64, kafka.twice_at_a_time, kafka.overtakes), (dead, 0, 0));
}

/// Where a spool lies.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}
