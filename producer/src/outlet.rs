//! The way to Kafka: rdkafka's producer behind the border of the clients.

use crate::client::{Change, Client, Offered, Outgoing, Returned};
use crate::clients::{Clients, KafkaProducer, Retired};
use crate::dead_letter::{DeadLetter, Record, Why};
use crate::delivery::{Delivery, stopped};
use crate::in_flight::{InFlight, Slots};
use crate::native::{Lent, Topic};
use crate::refusal::{self, Refusal};
use rdkafka::error::RDKafkaErrorCode;
use runtime::clock::SharedClock;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The flow's end of the clients.
pub struct KafkaOutlet {
    clients: Arc<Clients>,
    producer: Arc<KafkaProducer>,
    /// The client before, while it has something to give back.
    retired: Option<Retired>,
    in_flight: Arc<InFlight>,
    slots: Slots,
    topics: Vec<String>,
    /// The same, found in the client in use, from the first record on.
    found: Vec<Option<Topic<Delivery>>>,
    clock: SharedClock,
    /// The time at the last turn; near enough for when a record was sent.
    now: Duration,
}

impl KafkaOutlet {
    /// `topics` by their numbers in the router.
    pub fn new(clients: Arc<Clients>, topics: Vec<String>, clock: SharedClock) -> Self {
        let in_flight = clients.seed().answers.in_flight.clone();
        let producer = clients.current();
        let (slots, found, now) = (Slots::new(in_flight.clone()), Vec::new(), clock.now());
        Self { slots, clients, producer, retired: None, in_flight, topics, found, clock, now }
    }

    fn send(&mut self, record: &Outgoing<'_>, slot: usize) -> Offered {
        let Outgoing { key, value, timestamp_ms, headers, .. } = *record;
        let lent = Lent { key, value, timestamp_ms, headers, opaque: slot };
        match self.topic(usize::from(record.flying.topic)).and_then(|topic| topic.send(&lent)) {
            Ok(()) => Offered::Taken,
            Err(code) => self.refused(slot, code, record),
        }
    }

    fn topic(&mut self, number: usize) -> Result<&mut Topic<Delivery>, RDKafkaErrorCode> {
        if self.found.len() <= number {
            self.found.resize_with(number + 1, || None);
        }
        match &mut self.found[number] {
            Some(topic) => Ok(topic),
            empty => Ok(empty.insert(Topic::new(&self.producer, &self.topics[number])?)),
        }
    }

    fn refused(&mut self, slot: usize, code: RDKafkaErrorCode, record: &Outgoing<'_>) -> Offered {
        let topic = &self.topics[usize::from(record.flying.topic)];
        match Refusal::at_the_queue(code) {
            Refusal::Wait => Offered::Full,
            Refusal::Again => {
                let reason =
                    self.producer.client().fatal_error().map_or_else(|| code.to_string(), |(_, reason)| reason);
                self.finished(Change::Finished(reason))
            }
            Refusal::Missing(_) if !self.clients.seed().missing.is_gone(topic, self.number()) => {
                let change = Change::TopicMissing(topic.clone());
                self.finished(change)
            }
            Refusal::Missing(class) | Refusal::SetAside(class) => {
                let why = Why { class, reason: refusal::reason(code), detail: code.to_string() };
                self.set_aside(DeadLetter::new(slot, self.record(record), why))
            }
            Refusal::GiveUp | Refusal::Stop => Offered::Broken(stopped(topic, code)),
        }
    }

    /// Another client must follow; the record waits for it.
    fn finished(&self, change: Change) -> Offered {
        self.clients.seed().given_back.finish(self.number(), change);
        Offered::Later
    }

    fn number(&self) -> u64 {
        self.producer.context().number
    }

    fn set_aside(&mut self, letter: DeadLetter) -> Offered {
        self.in_flight.becomes_letter(letter.slot);
        match self.clients.seed().dead_letters.send(letter) {
            Ok(()) => Offered::SetAside,
            Err(_) => Offered::Broken("the thread that polls Kafka has ended".into()),
        }
    }

    fn record(&self, outgoing: &Outgoing<'_>) -> Record {
        Record {
            topic: self.topic_name(outgoing.flying.topic).to_owned(),
            key: outgoing.key.to_vec(),
            value: outgoing.value.to_vec(),
            timestamp_ms: outgoing.timestamp_ms,
            headers: outgoing.headers.to_vec(),
        }
    }
}

impl Client for KafkaOutlet {
    fn turn(&mut self, now: Duration) {
        self.now = now;
    }

    fn begin_chunk(&mut self, records: usize) {
        self.slots.warm(records);
    }

    fn offer(&mut self, record: &Outgoing<'_>) -> Offered {
        let Some(slot) = self.slots.take(record.flying, self.now) else { return Offered::Full };
        let offered = self.send(record, slot);
        if matches!(offered, Offered::Full | Offered::Later | Offered::Broken(_)) {
            self.slots.put_back(slot);
        }
        offered
    }

    fn offer_again(&mut self, record: &Returned) -> Offered {
        self.slots.sent_again(record.slot, record.order, self.clock.now());
        let offered = self.send(&record.outgoing(), record.slot);
        if matches!(offered, Offered::Full | Offered::Later) {
            self.in_flight.set_apart(record.slot);
        }
        offered
    }

    fn give_up_on(&mut self, record: &Outgoing<'_>, why: Why, attempts: u64) -> Offered {
        let Some(slot) = self.slots.take(record.flying, self.clock.now()) else { return Offered::Full };
        let letter = DeadLetter::new(slot, self.record(record), why);
        self.set_aside(DeadLetter { attempts, ..letter })
    }

    fn release(&mut self, slot: usize) {
        self.slots.put_back(slot);
    }

    fn oldest_sent(&self, more_time: &dyn Fn(u64) -> Duration) -> Option<Duration> {
        self.in_flight.oldest_sent(more_time)
    }

    fn all_answered(&self) -> bool {
        self.slots.all_back()
    }

    fn is_empty(&self) -> bool {
        self.producer.in_flight_count() == 0
    }

    fn change(&mut self) -> Option<Change> {
        let finished = self.clients.seed().given_back.finished(self.number());
        finished.or_else(|| self.clients.next_waits().then_some(Change::Renewed))
    }

    fn retire(&mut self) -> Result<(), String> {
        self.retired = Some(self.clients.replace(self.clock.now()).map_err(|error| error.to_string())?);
        self.producer = self.clients.current();
        self.found.clear();
        Ok(())
    }

    fn returned(&mut self) -> Option<Vec<Returned>> {
        let now = self.clock.now();
        let all = self.retired.as_mut().is_none_or(|retired| retired.is_heard_out(now));
        all.then(|| self.returned_so_far())
    }

    fn returned_so_far(&mut self) -> Vec<Returned> {
        self.retired = None;
        self.clients.seed().given_back.take()
    }

    fn give_up(&mut self) {
        self.producer.context().giving_up.store(true, Ordering::Release);
        self.producer.purge();
    }

    fn wait_for_room(&mut self, at_most: Duration) {
        self.in_flight.wait_for_room(at_most);
    }

    fn topic_number(&mut self, name: &str) -> u16 {
        let known = self.topics.iter().position(|topic| topic == name);
        known.unwrap_or_else(|| {
            self.topics.push(name.to_owned());
            self.topics.len() - 1
        }) as u16
    }

    fn topic_name(&self, number: u16) -> &str {
        self.topics.get(usize::from(number)).map_or("", String::as_str)
    }
}
