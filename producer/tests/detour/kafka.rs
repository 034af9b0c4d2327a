//! A scripted Kafka, and the client before it; the test holds the other end.

use domain::failure::FailureClass;
use producer::answers::Answers;
use producer::client::{Change, Client, Offered, Outgoing, Returned};
use producer::dead_letter::Why;
use producer::in_flight::Slots;
use runtime::clock::{Clock, ManualClock};
use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What Kafka does.
#[derive(Default)]
pub struct Kafka {
    /// Records that the client holds, oldest first: slot, and the record as it would come back.
    pub held: VecDeque<Returned>,
    /// What Kafka has: key and value.
    pub log: Vec<(Vec<u8>, Vec<u8>)>,
    pub change: Option<Change>,
    /// Clients that took the place of another.
    pub changes: u64,
    /// A client that was replaced gives nothing back for now.
    pub slow: bool,
    /// What it has.
    pub retiring: VecDeque<Returned>,
    /// Records that were handed to a client while the one before had some of the same key.
    pub overtakes: u64,
    /// A client that cannot be made.
    pub no_client: bool,
    pub room: usize,
    /// The dead letters that were made: value and attempts.
    pub dead: Vec<(Vec<u8>, u64)>,
    /// A key goes to the partition of its value modulo this; 0: the client never knew.
    pub partitions: u8,
    /// Partitions without a leader.
    pub leaderless: HashSet<i32>,
    /// The key whose records Kafka never acknowledges.
    pub poison: Option<u8>,
    /// The key whose records the client refuses at once: they become dead letters.
    pub oversize: Option<u8>,
    /// Dead letters do not get to their place.
    pub letters_wait: bool,
    /// No place takes dead letters.
    pub no_place: bool,
    /// So many found none, and the keys of those that found one.
    pub unplaced: u64,
    pub placed: Vec<u8>,
    /// Those on their way, by slot and key, and what they say.
    pub letters: Vec<(usize, u8, Why, u64)>,
    /// The most numbers of the spool that were under way twice at a time.
    pub twice_at_a_time: u64,
}

impl Kafka {
    /// Brings away what can be brought away.
    pub fn place_letters(&mut self, answers: &Answers) {
        if self.letters_wait {
            return;
        }
        for (slot, key, why, attempts) in std::mem::take(&mut self.letters) {
            if self.no_place {
                self.unplaced += 1;
                answers.unplaced(slot, &why, attempts);
            } else {
                self.placed.push(key);
                answers.dead_lettered(slot);
            }
        }
    }

    /// How many events of a key were set aside.
    pub fn set_aside(&self, key: u8) -> usize {
        self.placed.iter().filter(|placed| **placed == key).count()
    }

    /// Nothing is wrong with it any more.
    pub fn make_well(&mut self) {
        (self.no_client, self.slow, self.letters_wait, self.no_place) = (false, false, false, false);
        (self.room, self.poison) = (1_000, None);
        self.leaderless.clear();
    }

    pub fn partition(&self, key: u8) -> i32 {
        if self.partitions == 0 { -1 } else { i32::from(key % self.partitions) }
    }

    /// The oldest record that Kafka can acknowledge now.
    pub fn next(&mut self) -> Option<Returned> {
        let works = |record: &Returned| {
            !self.leaderless.contains(&record.partition) && self.poison.is_none_or(|key| record.key != [key])
        };
        for records in [&mut self.retiring, &mut self.held] {
            if let Some(at) = records.iter().position(works) {
                return records.remove(at);
            }
        }
        None
    }
}

pub struct Script {
    pub kafka: Arc<Mutex<Kafka>>,
    pub slots: Slots,
    pub answers: Arc<Answers>,
    pub clock: ManualClock,
    pub topics: Vec<String>,
}

impl Script {
    fn hold(&mut self, record: &Outgoing<'_>, slot: usize) {
        let mut kafka = self.kafka.lock().unwrap();
        let partition = kafka.partition(record.key[0]);
        let spooled = record.flying.spooled;
        kafka.overtakes += kafka.retiring.iter().filter(|held| held.key == record.key).count() as u64;
        let held = kafka.held.iter().chain(&kafka.retiring);
        let under_way = held.map(|held| held.slot).chain(kafka.letters.iter().map(|(slot, ..)| *slot));
        let numbers = under_way.filter_map(|slot| self.answers.in_flight.get(slot)).map(|flying| flying.spooled);
        let twice = numbers.filter(|number| spooled != 0 && *number == spooled).count();
        kafka.twice_at_a_time += twice as u64;
        kafka.held.push_back(Returned {
            slot,
            partition,
            order: self.answers.in_flight.order(slot),
            flying: record.flying,
            key: record.key.to_vec(),
            value: record.value.to_vec(),
            timestamp_ms: record.timestamp_ms,
            headers: record.headers.to_vec(),
        });
    }

    fn place_letters(&self) {
        self.kafka.lock().unwrap().place_letters(&self.answers);
    }

    fn make_letter(&mut self, record: &Outgoing<'_>, why: Why, attempts: u64) -> Offered {
        let Some(slot) = self.slots.take(record.flying, self.clock.now()) else { return Offered::Full };
        let mut kafka = self.kafka.lock().unwrap();
        kafka.dead.push((record.value.to_vec(), attempts));
        kafka.letters.push((slot, record.key[0], why, attempts));
        self.answers.in_flight.becomes_letter(slot);
        drop(kafka);
        self.place_letters();
        Offered::SetAside
    }

    fn is_full(&self) -> bool {
        let kafka = self.kafka.lock().unwrap();
        kafka.held.len() >= kafka.room
    }
}

impl Client for Script {
    fn turn(&mut self, _: Duration) {
        self.place_letters();
    }

    fn offer(&mut self, record: &Outgoing<'_>) -> Offered {
        if self.kafka.lock().unwrap().oversize.is_some_and(|key| record.key == [key]) {
            let (reason, detail) = ("too-large".into(), String::new());
            return self.make_letter(record, Why { class: FailureClass::TooLarge, reason, detail }, 1);
        }
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

    fn give_up_on(&mut self, record: &Outgoing<'_>, why: Why, attempts: u64) -> Offered {
        self.make_letter(record, why, attempts)
    }

    fn release(&mut self, slot: usize) {
        self.slots.put_back(slot);
    }

    fn oldest_sent(&self, more_time: &dyn Fn(u64) -> Duration) -> Option<Duration> {
        self.answers.in_flight.oldest_sent(more_time)
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

    fn retire(&mut self) -> Result<(), String> {
        let mut kafka = self.kafka.lock().unwrap();
        if kafka.no_client {
            return Err("no client".into());
        }
        kafka.change = None;
        kafka.changes += 1;
        let held = std::mem::take(&mut kafka.held);
        kafka.retiring.extend(held);
        Ok(())
    }

    fn returned(&mut self) -> Option<Vec<Returned>> {
        let mut kafka = self.kafka.lock().unwrap();
        if kafka.slow && !kafka.retiring.is_empty() {
            return None;
        }
        let mut back: Vec<Returned> = kafka.retiring.drain(..).collect();
        back.sort_by_key(|record| record.order);
        back.iter().for_each(|record| self.answers.in_flight.set_apart(record.slot));
        Some(back)
    }

    fn returned_so_far(&mut self) -> Vec<Returned> {
        Vec::new()
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
