//! The bench: one way out, events of few keys offered to it, and what Kafka has at the end.

use crate::kafka::{Kafka, Script};
use producer::answers::Answers;
use producer::chunk::{Chunk, Item, NO_SERIES};
use producer::client::Offered;
use producer::detour::Detour;
use producer::in_flight::{InFlight, Slots};
use producer::send::Outlet;
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
        let topics = vec!["t".to_owned()];
        let client = Script { kafka: kafka.clone(), slots, answers: answers.clone(), clock: clock.clone(), topics };
        let health = Health::new(shared.clone());
        let desk = spool.map(|spool| {
            let rules = SpoolRules { after: AFTER, attempts };
            let beat = health.component("spool", Duration::from_secs(3_600));
            Desk::new(spool, rules, (tally.clone(), shared.clone(), beat))
        });
        let door = desk.as_ref().map(Desk::door);
        let detour = Detour::new(client, desk, answers.clone(), shared);
        Self { clock, kafka, answers, tally, shutdown, health, door, detour, ts: 5, next: HashMap::new() }
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
            topic: 0,
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
        for _ in 0..count {
            let Some(record) = self.kafka.lock().unwrap().next() else { return };
            self.kafka.lock().unwrap().log.push((record.key, record.value));
            self.answers.acknowledged(record.slot, record.partition);
        }
    }

    /// Every event stands somewhere, and once.
    pub fn assert_adds_up(&self) {
        let tally = &self.tally;
        let (offered, recovered, in_spool) = (tally.offered.get(), tally.recovered.get(), tally.in_spool.get() as u64);
        let (acknowledged, dead) = (tally.acknowledged.get(), tally.dead_lettered.get());
        assert_eq!(offered + recovered, acknowledged + dead + tally.failed.get() + in_spool);
        let kafka = self.kafka.lock().unwrap();
        assert_eq!((kafka.dead.len() as u64, kafka.twice_at_a_time), (dead, 0));
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

/// Where a spool lies.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}
