//! rdkafka's callbacks of the producer: what Kafka said about each record, handed on in our words.
//!
//! *In*: delivery reports, log lines, errors, statistics, all on a thread that polls. *Out*: answers, dead letters, records
//! that another client must send. *Never*: waits or sends; a callback that blocks would stop every other answer.

use crate::answers::Acknowledged;
use crate::answers::Answers;
use crate::client::{Change, Returned};
use crate::dead_letter::{DeadLetter, LastPlace, Why};
use crate::missing::MissingTopics;
use crate::native::{Hearing, Refused};
use crate::refusal::{self, Refusal};
use crossbeam_channel::{SendError, Sender};
use domain::failure::FailureClass;
use kafka_client::context::Observer;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Set in the opaque value of a record that is a dead letter itself; the rest is its slot.
pub const DEAD: usize = 1 << (usize::BITS - 1);

/// What clients gave back, and which of them are finished; one for all clients of a run.
#[derive(Debug, Default)]
pub struct GivenBack(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    records: Vec<Returned>,
    /// The number of the newest client that is finished, and why another must follow.
    finished: Option<(u64, Change)>,
}

impl GivenBack {
    /// All records since the last call, in the order in which they were offered.
    pub fn take(&self) -> Vec<Returned> {
        let mut records = std::mem::take(&mut self.held().records);
        records.sort_by_key(|record| record.order);
        records
    }

    /// Client `number` is finished; the first reason counts.
    pub fn finish(&self, number: u64, why: Change) {
        let mut held = self.held();
        if held.finished.as_ref().is_none_or(|(newest, _)| *newest < number) {
            held.finished = Some((number, why));
        }
    }

    /// Why client `number` is finished; `None` while it works.
    pub fn finished(&self, number: u64) -> Option<Change> {
        self.held().finished.as_ref().filter(|(newest, _)| *newest == number).map(|(_, why)| why.clone())
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The context of one client.
pub struct Delivery {
    pub answers: Arc<Answers>,
    pub dead_letters: Sender<DeadLetter>,
    /// For letters that come when nobody reads them any more.
    pub last: Option<LastPlace>,
    pub observer: Observer,
    pub given_back: Arc<GivenBack>,
    pub missing: Arc<MissingTopics>,
    /// Clients are counted from 1.
    pub number: u64,
    /// Set when another client takes this one's place: whatever it has not got acknowledged comes back.
    pub retiring: AtomicBool,
    /// Set when the run ends and no other client follows.
    pub giving_up: AtomicBool,
}

impl ClientContext for Delivery {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.observer.log(level, facility, message);
    }

    fn stats_raw(&self, json: &[u8]) {
        self.observer.stats_raw(json);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.observer.error(&error, reason);
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.given_back.finish(self.number, Change::Finished(reason.to_owned()));
        }
    }
}

thread_local! {
    /// Acknowledgements that this thread has heard in the poll that it is in: they are noted together.
    static HEARD: RefCell<Vec<Acknowledged>> = const { RefCell::new(Vec::new()) };
}

/// So many are noted at once at most, so that they are still in the cache.
const TOGETHER: usize = 512;

impl Hearing for Delivery {
    fn acknowledged(&self, opaque: usize, partition: i32, topic: &dyn Fn() -> String) {
        if self.missing.any() {
            self.missing.found(&topic());
        }
        if opaque & DEAD != 0 {
            return self.answers.dead_lettered(opaque & !DEAD);
        }
        let full = HEARD.with_borrow_mut(|heard| {
            heard.push(Acknowledged { slot: opaque, partition });
            heard.len() >= TOGETHER
        });
        if full {
            self.heard();
        }
    }

    fn refused(&self, opaque: usize, refused: Refused) {
        let slot = opaque & !DEAD;
        if opaque & DEAD != 0 { self.dead_letter_refused(slot, &refused) } else { self.not_taken(slot, refused) }
    }

    fn heard(&self) {
        HEARD.with_borrow_mut(|heard| {
            self.answers.all_acknowledged(heard);
            heard.clear();
        });
    }
}

impl Delivery {
    fn not_taken(&self, slot: usize, refused: Refused) {
        let (code, record) = (refused.code, &refused.record);
        let followed = || !self.giving_up.load(Ordering::Acquire);
        match Refusal::at_delivery(code) {
            Refusal::SetAside(class) => self.set_aside(slot, refused, class),
            _ if self.retiring.load(Ordering::Acquire) => self.give_back(slot, refused),
            Refusal::Missing(class) if self.missing.is_gone(&record.topic, self.number) => {
                self.set_aside(slot, refused, class);
            }
            Refusal::Missing(_) if followed() => {
                self.given_back.finish(self.number, Change::TopicMissing(record.topic.clone()));
                self.give_back(slot, refused);
            }
            Refusal::Again if followed() => {
                self.given_back.finish(self.number, Change::Finished(code.to_string()));
                self.give_back(slot, refused);
            }
            Refusal::Missing(_) | Refusal::Again | Refusal::GiveUp | Refusal::Wait => {
                self.answers.failed(slot, &refusal::reason(code));
            }
            Refusal::Stop => {
                self.answers.failed(slot, &refusal::reason(code));
                self.answers.broken(stopped(&record.topic, code));
            }
        }
    }

    /// The dead-letter topic did not take it: once more by the next client, or else only the file is left.
    fn dead_letter_refused(&self, slot: usize, refused: &Refused) {
        let again = self.retiring.load(Ordering::Acquire) || Refusal::at_delivery(refused.code) == Refusal::Again;
        if again {
            self.count_repeat(refused);
        }
        self.hand_over(DeadLetter::read_back(slot, &refused.record, (!again).then_some(refused.code)));
    }

    /// What was only queued, and never left, is not in Kafka; of everything else nobody knows.
    fn count_repeat(&self, refused: &Refused) {
        if refused.left || refused.code != RDKafkaErrorCode::PurgeQueue {
            self.answers.tally.maybe_twice.add(1);
        }
    }

    fn give_back(&self, slot: usize, refused: Refused) {
        let in_flight = &self.answers.in_flight;
        let Some(flying) = in_flight.get(slot) else { return };
        self.count_repeat(&refused);
        let partition = refused.partition;
        let (key, value, timestamp_ms, headers) = refused.record.into_parts();
        let order = in_flight.order(slot);
        in_flight.set_apart(slot);
        self.given_back.held().records.push(Returned {
            slot,
            order,
            partition,
            flying,
            key,
            value,
            timestamp_ms,
            headers,
        });
    }

    fn set_aside(&self, slot: usize, refused: Refused, class: FailureClass) {
        let Refused { code, record, .. } = refused;
        self.answers.in_flight.becomes_letter(slot);
        let why = Why { class, reason: refusal::reason(code), detail: code.to_string() };
        self.hand_over(DeadLetter::new(slot, record, why));
    }

    /// To the polling thread; at the end of a run, when that is over, to the last place at once.
    fn hand_over(&self, letter: DeadLetter) {
        let Err(SendError(letter)) = self.dead_letters.send(letter) else { return };
        match &self.last {
            Some(last) if last.leave(&letter) => {}
            Some(last) => last.take(&letter),
            None => self.answers.failed(letter.slot, "dead letter after the end"),
        }
    }
}

/// The sentence for a refusal that nothing but an operator can end.
pub fn stopped(topic: &str, code: RDKafkaErrorCode) -> String {
    format!(
        "Kafka refuses records for topic {topic}: {code}: check that the topic exists and that its ACLs allow us to write"
    )
}

#[cfg(test)]
mod tests {
    use super::{DEAD, Delivery};
    use crate::answers::Answers;
    use crate::dead_letter::{DeadLetter, LastPlace, Record};
    use crate::in_flight::{Flying, InFlight, Slots};
    use crate::missing::MissingTopics;
    use crate::native::{Hearing, Refused};
    use crate::set_aside::SetAsideFile;
    use crate::tally::Tally;
    use crate::ticket::Ticket;
    use rdkafka::error::RDKafkaErrorCode as Code;
    use runtime::clock::ManualClock;
    use runtime::shutdown::Shutdown;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::time::Duration;

    fn refused(code: Code, left: bool) -> Refused {
        let (topic, key, value) = ("t".to_owned(), b"k".to_vec(), b"v".to_vec());
        Refused { code, partition: 3, left, record: Record { topic, key, value, timestamp_ms: 1, headers: Vec::new() } }
    }

    fn delivery(
        answers: Answers,
        clock: Arc<ManualClock>,
        file: &std::path::Path,
    ) -> (Delivery, crossbeam_channel::Receiver<DeadLetter>) {
        let (dead_letters, letters) = crossbeam_channel::unbounded();
        let answers = Arc::new(answers);
        let file = Arc::new(SetAsideFile::new(file.to_owned()));
        let last = Some(LastPlace { file, answers: answers.clone(), clock: clock.clone() });
        let missing = Arc::new(MissingTopics::new(Duration::ZERO, clock));
        let (retiring, giving_up) = (AtomicBool::new(true), AtomicBool::new(false));
        let (observer, given_back) = (Default::default(), Arc::default());
        let delivery =
            Delivery { answers, dead_letters, last, observer, given_back, missing, number: 1, retiring, giving_up };
        (delivery, letters)
    }

    fn flying() -> Flying {
        let (due, waited, ticket) = (Duration::ZERO, Duration::ZERO, Ticket::NONE);
        Flying { due, waited, series: 0, seq: 1, topic: 0, ticket, spooled: 0 }
    }

    #[test]
    fn a_letter_that_comes_back_when_nobody_polls_any_more_is_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("aside.ndjson");
        let clock = Arc::new(ManualClock::starting_at(9));
        let (in_flight, tally) = (InFlight::new(8), Tally::default());
        let mut slots = Slots::new(in_flight.clone());
        let answers = Answers::new(in_flight, tally.clone(), clock.clone(), Shutdown::new(), false).unwrap();
        let (delivery, letters) = delivery(answers, clock, &file);
        drop(letters);
        delivery.refused(slots.take(flying(), Duration::ZERO).unwrap() | DEAD, refused(Code::PurgeInflight, true));
        assert_eq!((tally.failed.get(), tally.dead_lettered.get()), (0, 1));
        assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 1);
    }

    #[test]
    fn what_was_under_way_once_may_be_in_kafka_also_when_it_waits_in_the_queue_again() {
        let clock = Arc::new(ManualClock::starting_at(9));
        let (in_flight, tally) = (InFlight::new(8), Tally::default());
        let mut slots = Slots::new(in_flight.clone());
        let answers = Answers::new(in_flight, tally.clone(), clock.clone(), Shutdown::new(), false).unwrap();
        let (delivery, letters) = delivery(answers, clock, std::path::Path::new("/nowhere/aside.ndjson"));
        let mut slot = || slots.take(flying(), Duration::ZERO).unwrap();
        for (code, left, count) in
            [(Code::PurgeQueue, false, 0), (Code::PurgeQueue, true, 1), (Code::PurgeInflight, true, 2)]
        {
            delivery.refused(slot(), refused(code, left));
            assert_eq!(tally.maybe_twice.get(), count, "{code:?}");
        }
        assert!(delivery.given_back.take().iter().all(|record| record.partition == 3));
        // A dead letter that the next client sends once more.
        delivery.refused(slot() | DEAD, refused(Code::PurgeQueue, true));
        assert_eq!((tally.maybe_twice.get(), letters.len()), (3, 1));
    }
}
