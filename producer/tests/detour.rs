//! The way out with and without a spool, against a scripted Kafka and a clock turned by hand: nothing lost, order per key.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use producer::answers::Answers;
use producer::chunk::{Chunk, Item, NO_SERIES};
use producer::client::{Change, Client, Offered, Outgoing, Returned};
use producer::dead_letter::Why;
use producer::detour::Detour;
use producer::in_flight::{InFlight, Slots};
use producer::send::Outlet;
use producer::spool::desk::{Desk, SpoolRules};
use producer::spool::{Spool, Store};
use producer::tally::Tally;
use producer::ticket::{Settled, Ticket};
use proptest::prelude::*;
use runtime::clock::{Clock, ManualClock};
use runtime::health::Health;
use runtime::shutdown::Shutdown;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What Kafka does; the test holds the other end.
#[derive(Default)]
struct Kafka {
    /// Records that the client holds, oldest first: slot, and the record as it would come back.
    held: VecDeque<Returned>,
    /// What Kafka has: key and value.
    log: Vec<(Vec<u8>, Vec<u8>)>,
    change: Option<Change>,
    /// A client that cannot be made.
    no_client: bool,
    room: usize,
    dead: Vec<(Vec<u8>, u64)>,
}

struct Script {
    kafka: Arc<Mutex<Kafka>>,
    slots: Slots,
    answers: Arc<Answers>,
    clock: ManualClock,
    topics: Vec<String>,
}

impl Script {
    fn hold(&mut self, record: &Outgoing<'_>, slot: usize) {
        self.kafka.lock().unwrap().held.push_back(Returned {
            slot,
            order: self.answers.in_flight.order(slot),
            flying: record.flying,
            key: record.key.to_vec(),
            value: record.value.to_vec(),
            timestamp_ms: record.timestamp_ms,
            headers: record.headers.to_vec(),
        });
    }

    fn is_full(&self) -> bool {
        let kafka = self.kafka.lock().unwrap();
        kafka.held.len() >= kafka.room
    }
}

impl Client for Script {
    fn offer(&mut self, record: &Outgoing<'_>) -> Offered {
        if self.is_full() {
            return Offered::Full;
        }
        let Some(slot) = self.slots.take(record.flying, self.clock.now()) else { return Offered::Full };
        self.hold(record, slot);
        Offered::Taken
    }

    fn offer_again(&mut self, record: &Returned) -> Offered {
        if self.is_full() {
            return Offered::Full;
        }
        self.slots.sent_again(record.slot, record.order, self.clock.now());
        self.hold(&record.outgoing(), record.slot);
        Offered::Taken
    }

    fn give_up_on(&mut self, record: &Outgoing<'_>, _: Why, attempts: u64) -> Offered {
        let slot = self.slots.take(record.flying, self.clock.now()).unwrap();
        self.kafka.lock().unwrap().dead.push((record.value.to_vec(), attempts));
        self.answers.dead_lettered(slot);
        Offered::SetAside
    }

    fn release(&mut self, slot: usize) {
        self.slots.put_back(slot);
    }

    fn oldest_sent(&self) -> Option<Duration> {
        self.answers.in_flight.oldest_sent()
    }

    fn all_answered(&self) -> bool {
        self.slots.all_back()
    }

    fn is_empty(&self) -> bool {
        self.kafka.lock().unwrap().held.is_empty()
    }

    fn change(&mut self) -> Option<Change> {
        self.kafka.lock().unwrap().change.clone()
    }

    fn take_back(&mut self) -> Result<Vec<Returned>, String> {
        let mut kafka = self.kafka.lock().unwrap();
        if kafka.no_client {
            return Err("no client".into());
        }
        kafka.change = None;
        let mut back: Vec<Returned> = kafka.held.drain(..).collect();
        back.sort_by_key(|record| record.order);
        back.iter().for_each(|record| self.answers.in_flight.set_apart(record.slot));
        Ok(back)
    }

    fn give_up(&mut self) {
        let held: Vec<_> = self.kafka.lock().unwrap().held.drain(..).collect();
        held.iter().for_each(|record| self.answers.failed(record.slot, "purged"));
    }

    fn wait_for_room(&mut self, at_most: Duration) {
        self.clock.advance(at_most);
    }

    fn topic_number(&mut self, name: &str) -> u16 {
        self.topics.iter().position(|topic| topic == name).unwrap() as u16
    }

    fn topic_name(&self, number: u16) -> &str {
        &self.topics[usize::from(number)]
    }
}

const AFTER: Duration = Duration::from_secs(10);

struct Bench {
    clock: ManualClock,
    kafka: Arc<Mutex<Kafka>>,
    answers: Arc<Answers>,
    tally: Tally,
    shutdown: Shutdown,
    health: Health,
    detour: Detour<Script>,
    next: HashMap<u8, u64>,
}

impl Bench {
    fn new(spool: Option<(&tempfile::TempDir, u64)>, attempts: u64) -> Self {
        Self::with(spool.map(|(dir, limit)| Spool::open(dir.path(), limit).unwrap()), attempts)
    }

    fn with(spool: Option<Spool>, attempts: u64) -> Self {
        let (clock, tally, shutdown) = (ManualClock::starting_at(1_000_000), Tally::default(), Shutdown::new());
        let shared = Arc::new(clock.clone());
        let answers = Arc::new(
            Answers::new(InFlight::new(4_096), tally.clone(), shared.clone(), shutdown.clone(), false).unwrap(),
        );
        answers.started();
        let kafka = Arc::new(Mutex::new(Kafka { room: 1_000, ..Kafka::default() }));
        let slots = Slots::new(answers.in_flight.clone());
        let topics = vec!["t".to_owned()];
        let client = Script { kafka: kafka.clone(), slots, answers: answers.clone(), clock: clock.clone(), topics };
        let health = Health::new(shared.clone());
        let desk = spool.map(|spool| {
            let rules = SpoolRules { after: AFTER, attempts };
            let beat = health.component("spool", Duration::from_secs(3_600));
            Desk::new(spool, rules, (tally.clone(), shared.clone(), beat))
        });
        let detour = Detour::new(client, desk, answers.clone(), shared);
        Self { clock, kafka, answers, tally, shutdown, health, detour, next: HashMap::new() }
    }

    /// Offers the next event of `key`; false when there was no room.
    fn offer(&mut self, key: u8, ticket: Ticket) -> bool {
        let mut chunk = Chunk::default();
        let seq = self.next.get(&key).copied().unwrap_or(0) + 1;
        let value = chunk.write(|bytes| bytes.extend_from_slice(seq.to_string().as_bytes()));
        let key_text = chunk.write(|bytes| bytes.push(key));
        let due = self.clock.now();
        let item = Item {
            due,
            ts: 5,
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
        let offered = self.detour.offer(&item, &chunk);
        self.detour.end_chunk();
        match offered {
            Offered::Taken | Offered::Spooled => {
                self.next.insert(key, seq);
                self.tally.offered.add(1);
                true
            }
            Offered::Full => false,
            other => panic!("{other:?}"),
        }
    }

    /// Kafka acknowledges the oldest `count` records.
    fn acknowledge(&mut self, count: usize) {
        for _ in 0..count {
            let Some(record) = self.kafka.lock().unwrap().held.pop_front() else { return };
            self.kafka.lock().unwrap().log.push((record.key, record.value));
            self.answers.acknowledged(record.slot, 0);
        }
    }

    fn tend(&mut self, times: u32, by: Duration) {
        for _ in 0..times {
            self.clock.advance(by);
            self.detour.tend(false);
        }
    }

    /// Everything that was offered is in Kafka; first arrivals of every key are in order.
    fn assert_all_in_order(&self) {
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

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn an_outage_goes_to_the_disk_and_comes_back_in_order() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
    for round in 0..4 {
        assert!((0..5).all(|key| bench.offer(key, Ticket::NONE)), "{round}");
    }
    bench.acknowledge(7);
    bench.tend(1, AFTER - Duration::from_secs(1));
    assert_eq!(bench.tally.in_spool.get(), 0.0);
    bench.tend(2, Duration::from_secs(2));
    assert_eq!(bench.tally.in_spool.get(), 13.0);
    let (ticket, mut settled) = bench.answers.tickets.open(5);
    assert!((0..5).all(|key| bench.offer(key, ticket)));
    assert_eq!(settled.try_recv(), Ok(Settled { spooled: 5, ..Settled::default() }));
    // Attempt after attempt, nobody answers: nothing is lost, nothing is given up.
    bench.tend(40, Duration::from_secs(3));
    assert_eq!((bench.tally.in_spool.get(), bench.tally.dead_lettered.get()), (18.0, 0));
    bench.tend(4, Duration::from_secs(3));
    while bench.tally.in_spool.get() > 0.0 {
        bench.acknowledge(3);
        assert!(bench.offer(1, Ticket::NONE));
        bench.tend(1, Duration::from_millis(300));
        if bench.next[&1] > 40 {
            bench.acknowledge(usize::MAX);
            bench.tend(2, Duration::from_millis(300));
        }
    }
    // Straight again.
    assert!(bench.offer(2, Ticket::NONE));
    assert_eq!(bench.kafka.lock().unwrap().held.back().unwrap().flying.spooled, 0);
    bench.acknowledge(usize::MAX);
    assert!(bench.detour.settled(false));
    bench.assert_all_in_order();
    assert_eq!(bench.tally.unanswered(), 0);
}

#[test]
fn what_an_earlier_process_left_goes_out_before_anything_new_of_its_key() {
    let dir = folder();
    let mut first = Bench::new(Some((&dir, 1 << 20)), 0);
    assert!(first.offer(1, Ticket::NONE) && first.offer(1, Ticket::NONE));
    first.detour.put_away();
    assert!(first.detour.settled(true));
    let next = first.next.clone();
    drop(first);
    let mut second = Bench::new(Some((&dir, 1 << 20)), 0);
    second.next = next;
    assert_eq!(second.tally.recovered.get(), 2);
    assert!(second.offer(1, Ticket::NONE) && second.offer(2, Ticket::NONE));
    second.tend(2, Duration::from_secs(1));
    second.acknowledge(usize::MAX);
    second.tend(3, Duration::from_secs(1));
    second.acknowledge(usize::MAX);
    second.tend(1, Duration::from_secs(1));
    assert!(second.detour.settled(false));
    second.assert_all_in_order();
}

#[test]
fn a_full_spool_takes_nothing_and_forgets_nothing() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 400)), 0);
    assert!(bench.offer(1, Ticket::NONE));
    bench.tend(2, AFTER);
    let mut taken = 0;
    while bench.offer(1, Ticket::NONE) {
        taken += 1;
        assert!(taken < 100);
    }
    assert!(taken > 1 && !bench.offer(2, Ticket::NONE));
    bench.tend(3, Duration::from_secs(3));
    bench.acknowledge(usize::MAX);
    bench.tend(3, Duration::from_secs(1));
    bench.acknowledge(usize::MAX);
    bench.tend(2, Duration::from_secs(1));
    assert!(bench.offer(2, Ticket::NONE));
    bench.acknowledge(usize::MAX);
    bench.assert_all_in_order();
}

#[test]
fn a_finished_client_is_replaced_and_what_it_held_goes_first() {
    for spool in [false, true] {
        let dir = folder();
        let mut bench = Bench::new(spool.then_some((&dir, 1 << 20)), 0);
        assert!((0..30).all(|n| bench.offer(n % 3, Ticket::NONE)));
        bench.acknowledge(4);
        bench.kafka.lock().unwrap().change = Some(Change::Finished("out of order".into()));
        bench.kafka.lock().unwrap().room = 10;
        bench.tend(1, Duration::from_millis(1));
        assert!(!bench.offer(0, Ticket::NONE), "what came back goes first");
        bench.kafka.lock().unwrap().room = 1_000;
        bench.tend(1, Duration::from_millis(1));
        assert!(bench.offer(0, Ticket::NONE));
        bench.acknowledge(usize::MAX);
        assert!(bench.detour.settled(false));
        bench.assert_all_in_order();
    }
}

#[test]
fn clients_that_finish_one_after_the_other_stop_the_producer() {
    let mut bench = Bench::new(None, 0);
    assert!(bench.offer(1, Ticket::NONE));
    for _ in 0..2 {
        assert_eq!(bench.answers.why_broken(), None);
        bench.kafka.lock().unwrap().change = Some(Change::Finished("not allowed".into()));
        bench.tend(1, Duration::from_secs(1));
    }
    assert!(bench.answers.why_broken().unwrap().contains("not allowed"));
    assert!(bench.shutdown.draining());
    bench.detour.put_away();
    assert_eq!((bench.tally.failed.get(), bench.detour.settled(true)), (1, true));
}

#[test]
fn clients_that_miss_a_topic_follow_one_another_and_hold_nothing_up() {
    for spool in [false, true] {
        let dir = folder();
        let mut bench = Bench::new(spool.then_some((&dir, 1 << 20)), 0);
        for round in 0..4 {
            assert!((0..30).all(|n| bench.offer(n % 3, Ticket::NONE)));
            bench.kafka.lock().unwrap().change = Some(Change::TopicMissing("t".into()));
            bench.tend(1, Duration::from_millis(1));
            assert_eq!(bench.answers.why_broken(), None, "round {round}");
            assert_eq!(bench.kafka.lock().unwrap().held.len(), 30 * (round + 1));
        }
        bench.acknowledge(usize::MAX);
        assert!(bench.detour.settled(false));
        bench.assert_all_in_order();
    }
}

#[test]
fn new_certificates_wait_until_the_client_is_empty_but_not_for_ever() {
    let mut bench = Bench::new(None, 0);
    assert!(bench.offer(1, Ticket::NONE));
    bench.kafka.lock().unwrap().change = Some(Change::Renewed);
    bench.tend(1, Duration::from_millis(1));
    assert!(!bench.offer(1, Ticket::NONE));
    bench.acknowledge(1);
    bench.tend(1, Duration::from_millis(1));
    assert!(bench.offer(1, Ticket::NONE));
    // The next time the old client never gets its answers.
    bench.kafka.lock().unwrap().change = Some(Change::Renewed);
    bench.tend(6, Duration::from_secs(1));
    assert!(bench.offer(1, Ticket::NONE));
    bench.acknowledge(usize::MAX);
    bench.assert_all_in_order();
}

#[test]
fn when_no_other_client_can_be_made_the_old_one_goes_on() {
    let mut bench = Bench::new(None, 0);
    bench.kafka.lock().unwrap().no_client = true;
    bench.kafka.lock().unwrap().change = Some(Change::Renewed);
    bench.tend(1, Duration::from_millis(1));
    bench.kafka.lock().unwrap().change = None;
    bench.tend(1, Duration::from_millis(1));
    assert!(bench.offer(1, Ticket::NONE));
    bench.acknowledge(1);
    bench.assert_all_in_order();
}

#[test]
fn only_an_event_that_fails_while_others_get_through_becomes_a_dead_letter() {
    let dir = folder();
    let mut bench = Bench::new(Some((&dir, 1 << 20)), 3);
    assert!(bench.offer(1, Ticket::NONE));
    bench.tend(2, AFTER);
    // An outage of everything: no attempt counts for a dead letter until somebody gets through.
    bench.tend(30, Duration::from_secs(6));
    assert_eq!(bench.tally.dead_lettered.get(), 0);
    assert!(bench.offer(2, Ticket::NONE));
    bench.tend(3, Duration::from_secs(3));
    // The newest gets through, the oldest does not.
    let other = bench.kafka.lock().unwrap().held.pop_back().unwrap();
    assert_eq!(other.key, [2]);
    bench.answers.acknowledged(other.slot, 0);
    bench.tend(1, Duration::from_secs(1));
    // The oldest comes back with the next client, and is tried too often now.
    bench.kafka.lock().unwrap().change = Some(Change::Finished("again".into()));
    bench.tend(3, Duration::from_secs(1));
    let dead = bench.kafka.lock().unwrap().dead.clone();
    assert_eq!(dead.len(), 1);
    assert!(dead[0].1 >= 3, "{dead:?}");
    bench.tend(2, Duration::from_secs(1));
    assert_eq!((bench.tally.in_spool.get(), bench.tally.dead_lettered.get()), (0.0, 1));
}

/// A disk in memory that can be full.
#[derive(Debug, Clone, Default)]
struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    full: Arc<AtomicBool>,
}

impl Disk {
    fn check(&self) -> Result<(), io::Error> {
        if self.full.load(Ordering::Relaxed) { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
    }

    fn spool(&self) -> Spool {
        let disk = self.clone();
        let opening = move || redb::Database::builder().create_with_backend(disk.clone());
        Spool::on(Store::of("the disk".into(), Box::new(opening)).unwrap(), 1 << 20).unwrap()
    }
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let bytes = self.bytes.lock().unwrap();
        let start = offset as usize;
        out.copy_from_slice(bytes.get(start..start + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        self.check()?;
        self.bytes.lock().unwrap().resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.check()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        self.check()?;
        let start = offset as usize;
        self.bytes.lock().unwrap()[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_accepted_is_dropped() {
    let disk = Disk::default();
    let mut bench = Bench::with(Some(disk.spool()), 0);
    assert!((0..3).all(|key| bench.offer(key, Ticket::NONE)) && bench.health.ready().ok);
    disk.full.store(true, Ordering::Relaxed);
    bench.tend(2, AFTER);
    // The disk took nothing, so the next client has it; new events wait outside.
    let unready = bench.health.ready();
    assert!(unready.wrong.iter().any(|complaint| complaint.why.contains("the disk")), "{unready:?}");
    assert!(!bench.offer(1, Ticket::NONE), "nothing new is taken");
    assert_eq!(bench.tally.in_spool.get(), 0.0);
    bench.tend(5, Duration::from_secs(1));
    bench.acknowledge(usize::MAX);
    disk.full.store(false, Ordering::Relaxed);
    bench.tend(5, Duration::from_secs(2));
    assert!(bench.health.ready().ok, "{:?}", bench.health.ready());
    assert!(bench.offer(1, Ticket::NONE));
    bench.tend(3, Duration::from_secs(1));
    bench.acknowledge(usize::MAX);
    bench.tend(3, Duration::from_secs(1));
    assert!(bench.detour.settled(false));
    bench.assert_all_in_order();
    assert_eq!(bench.tally.failed.get(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Offers, answers, time, outages and changes of client in any order.
    #[test]
    fn order_per_key_and_every_event_survive_anything(steps in proptest::collection::vec((0u8..8, 0u8..4, 0u64..12), 1..120)) {
        let dir = folder();
        let mut bench = Bench::new(Some((&dir, 1 << 20)), 0);
        for (step, key, amount) in steps {
            match step {
                0..=2 => { bench.offer(key, Ticket::NONE); }
                3 => bench.acknowledge(amount as usize),
                4 => bench.tend(1, Duration::from_millis(300 * amount)),
                5 => bench.tend(1, Duration::from_secs(2 * amount)),
                6 if key == 0 => {
                    bench.acknowledge(1);
                    bench.kafka.lock().unwrap().change = Some(Change::Finished("x".into()));
                }
                6 => bench.kafka.lock().unwrap().change = Some(Change::Renewed),
                _ => bench.kafka.lock().unwrap().room = 1 + amount as usize,
            }
        }
        bench.kafka.lock().unwrap().room = 1_000;
        for _ in 0..200 {
            bench.tend(1, Duration::from_millis(700));
            bench.acknowledge(usize::MAX);
            if bench.answers.why_broken().is_some() {
                return Ok(());
            }
        }
        prop_assert!(bench.detour.settled(false));
        bench.assert_all_in_order();
        prop_assert_eq!(bench.tally.unanswered(), 0);
    }
}
