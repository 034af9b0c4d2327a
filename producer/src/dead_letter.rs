//! Dead letters of the producer: records that can never be written to their topic, set aside with their reason.
//!
//! *In*: refused records, each still holding its slot, so that their number is bounded. *Out*: a record on `<topic>.dlq` with
//! the original key, value and headers, else a line on S3, else in the local file. *Never*: silence; what no place takes is
//! counted as failed, or stays in the spool.

mod last_place;
mod notice;
mod shipping;

pub use crate::why::Why;
pub use last_place::LastPlace;
pub use shipping::Shipping;

use crossbeam_channel::Receiver;
use domain::failure::FailureClass;
use domain::headers::dead_letter as names;
use notice::{Notice, Refusals};
use rdkafka::error::RDKafkaErrorCode;
use std::collections::VecDeque;
use std::time::Duration;

/// Names and values of a record's headers.
pub type Headers = Vec<(String, Vec<u8>)>;

/// A record as it was meant to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub topic: String,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    pub timestamp_ms: i64,
    pub headers: Headers,
}

impl Record {
    /// Everything but the topic.
    pub fn into_parts(self) -> (Vec<u8>, Vec<u8>, i64, Headers) {
        (self.key, self.value, self.timestamp_ms, self.headers)
    }
}

/// A record that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub slot: usize,
    /// The topic that it was meant for, and its own headers.
    pub record: Record,
    pub why: Why,
    pub attempts: u64,
    /// Why the dead-letter topic refused it already.
    pub refused: Option<RDKafkaErrorCode>,
}

impl DeadLetter {
    pub fn new(slot: usize, record: Record, why: Why) -> Self {
        Self { slot, record, why, attempts: 1, refused: None }
    }

    /// The dead letter that this record on a dead-letter topic was.
    pub fn read_back(slot: usize, written: &Record, refused: Option<RDKafkaErrorCode>) -> Self {
        let ours = |name: &str| written.headers.iter().find(|(key, _)| key == name);
        let text = |name| ours(name).map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default();
        let mut record = written.clone();
        record.topic = text(names::TOPIC);
        record.timestamp_ms = text(names::TIMESTAMP).parse().unwrap_or(written.timestamp_ms);
        record.headers.retain(|(key, _)| !OURS.contains(&key.as_str()));
        let class = FailureClass::ALL.into_iter().find(|class| class.as_str() == text(names::CLASS));
        let class = class.unwrap_or(FailureClass::Rejected);
        let why = Why { class, reason: text(names::REASON), detail: text(names::DETAIL) };
        Self { slot, record, why, attempts: text(names::ATTEMPTS).parse().unwrap_or(1), refused }
    }

    /// All headers of the record on the dead-letter topic: its own, then ours.
    pub fn all_headers(&self) -> Vec<(String, Vec<u8>)> {
        let why = &self.why;
        let values = [
            self.record.topic.clone(),
            self.record.timestamp_ms.to_string(),
            self.attempts.to_string(),
            why.class.to_string(),
            why.reason.clone(),
            why.detail.clone(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ];
        let ours = OURS.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.into_bytes()));
        self.record.headers.iter().cloned().chain(ours).collect()
    }
}

/// The headers that a dead letter has beside its own.
const OURS: [&str; 7] =
    [names::TOPIC, names::TIMESTAMP, names::ATTEMPTS, names::CLASS, names::REASON, names::DETAIL, names::VERSION];

/// What the dead-letter topic said when it was offered a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Its answer comes later.
    Yes,
    /// No room now.
    Later,
    /// Not this letter.
    Refused(RDKafkaErrorCode),
    /// It is not there, which was told at the start.
    Never,
}

/// The way to `<topic>.dlq`.
pub trait DeadLetterTopic {
    fn offer(&self, letter: &DeadLetter) -> Taken;
}

/// Brings dead letters to their place; lives on the thread that polls the client.
pub struct DeadLetters<T> {
    inbox: Receiver<DeadLetter>,
    waiting: VecDeque<DeadLetter>,
    /// `None` when no dead-letter topic is wanted or there.
    topic: Option<T>,
    /// `None` when S3 is not wanted.
    objects: Option<Shipping>,
    last: LastPlace,
    notice: Notice,
    refusals: Refusals,
}

impl<T: DeadLetterTopic> DeadLetters<T> {
    pub fn new(inbox: Receiver<DeadLetter>, topic: Option<T>, objects: Option<Shipping>, last: LastPlace) -> Self {
        let (waiting, notice, refusals) = Default::default();
        Self { inbox, waiting, topic, objects, last, notice, refusals }
    }

    /// Brings away what has come in; what finds no room waits for the next call.
    pub fn work(&mut self) {
        let now = self.last.clock.now();
        self.take_in(now);
        self.last.file.look(now);
        while let Some(letter) = self.waiting.pop_front() {
            let topic = self.topic.as_ref().filter(|_| letter.refused.is_none());
            match topic.map_or(Taken::Never, |topic| topic.offer(&letter)) {
                Taken::Yes => {}
                Taken::Later => return self.waiting.push_front(letter),
                Taken::Refused(code) => {
                    self.refusals.note(&letter, code, now);
                    self.put_behind(letter);
                }
                Taken::Never => self.put_behind(letter),
            }
        }
    }
}

impl<T> DeadLetters<T> {
    /// What has come in, and what the log says about it.
    fn take_in(&mut self, now: Duration) {
        for letter in self.inbox.try_iter() {
            // That a refused one is a dead letter was told before.
            if let Some(code) = letter.refused {
                self.refusals.note(&letter, code, now);
            } else {
                self.notice.note(&letter, now);
            }
            self.waiting.push_back(letter);
        }
        self.notice.look(now);
        self.refusals.look(now);
    }

    /// The places behind the topic.
    fn put_behind(&self, letter: DeadLetter) {
        let left = match &self.objects {
            Some(objects) => objects.take(letter),
            None => Some(letter),
        };
        if let Some(letter) = left {
            self.last.take(&letter);
        }
    }
}

/// What has come in and not gone out goes behind the topic: nobody polls for it any more.
impl<T> Drop for DeadLetters<T> {
    fn drop(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        let left: Vec<_> = waiting.into_iter().chain(self.inbox.try_iter()).collect();
        left.into_iter().filter(|letter| !self.last.leave(letter)).for_each(|letter| self.put_behind(letter));
    }
}

#[cfg(test)]
mod tests {
    use super::{
        DeadLetter, DeadLetterTopic, DeadLetters, FailureClass, LastPlace, RDKafkaErrorCode, Record, Taken, Why,
    };
    use crate::answers::Answers;
    use crate::in_flight::{Flying, InFlight, Slots};
    use crate::set_aside::SetAsideFile;
    use crate::tally::Tally;
    use crate::ticket::Ticket;
    use runtime::clock::ManualClock;
    use runtime::shutdown::Shutdown;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    struct Script(Mutex<Vec<Taken>>);

    impl DeadLetterTopic for Script {
        fn offer(&self, _: &DeadLetter) -> Taken {
            self.0.lock().unwrap().remove(0)
        }
    }

    fn letter(slot: usize) -> DeadLetter {
        let record = Record {
            topic: "mt-c400".into(),
            key: b"k".to_vec(),
            value: b"v".to_vec(),
            headers: vec![("own".into(), b"1".to_vec())],
            timestamp_ms: 5,
        };
        let (reason, detail) = ("message-size-too-large".into(), "too large".into());
        DeadLetter::new(slot, record, Why { class: FailureClass::TooLarge, reason, detail })
    }

    /// Two letters against what the topic says; acknowledged elsewhere, so only the file counts here.
    fn counts(script: Vec<Taken>, file: std::path::PathBuf, rounds: usize) -> (u64, u64) {
        let answers = answers(script, file, rounds, 0);
        (answers.tally.dead_lettered.get(), answers.tally.failed.get())
    }

    fn answers(script: Vec<Taken>, file: std::path::PathBuf, rounds: usize, spooled: u64) -> Arc<Answers> {
        let clock = Arc::new(ManualClock::starting_at(9));
        let in_flight = InFlight::new(8);
        let answers = Answers::new(in_flight.clone(), Tally::default(), clock.clone(), Shutdown::new(), false).unwrap();
        let mut slots = Slots::new(in_flight);
        let (sender, inbox) = crossbeam_channel::unbounded();
        for seq in 1..=2 {
            let (due, ticket) = (Duration::ZERO, Ticket::NONE);
            let slot = slots.take(Flying { due, waited: due, series: 0, seq, topic: 0, ticket, spooled }, due).unwrap();
            sender.send(letter(slot)).unwrap();
        }
        let topic = Some(Script(Mutex::new(script)));
        let answers = Arc::new(answers);
        let last = LastPlace { file: Arc::new(SetAsideFile::new(file)), answers: answers.clone(), clock };
        let mut letters = DeadLetters::new(inbox, topic, None, last);
        (0..rounds).for_each(|_| letters.work());
        answers
    }

    #[test]
    fn a_full_queue_is_waited_for_and_a_refusal_goes_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aside.ndjson");
        let script = vec![Taken::Later, Taken::Yes, Taken::Refused(RDKafkaErrorCode::UnknownTopic)];
        assert_eq!(counts(script, path.clone(), 2), (1, 0));
        let line: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!((line["topic"].as_str(), line["class"].as_str()), (Some("mt-c400"), Some("too-large")));
    }

    #[test]
    fn what_nobody_polls_for_any_more_goes_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        // Neither was offered; or the first found no room, and the second came in after it.
        for (script, rounds) in [(vec![], 0), (vec![Taken::Later], 1)] {
            let path = dir.path().join(format!("{rounds}.ndjson"));
            assert_eq!(counts(script, path.clone(), rounds), (2, 0));
            assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 2);
        }
    }

    #[test]
    fn what_the_spool_holds_stays_there_when_nobody_polls_any_more() {
        let path = tempfile::tempdir().unwrap().path().join("aside.ndjson");
        let answers = answers(vec![], path.clone(), 0, 7);
        assert_eq!((answers.tally.dead_lettered.get(), answers.tally.failed.get(), path.exists()), (0, 0, false));
    }

    #[test]
    fn what_no_place_takes_is_counted_as_failed() {
        let script = vec![Taken::Never, Taken::Never];
        assert_eq!(counts(script, "/nowhere/aside.ndjson".into(), 1), (0, 2));
    }

    #[test]
    fn what_the_spool_holds_stays_there_with_its_reason_when_no_place_takes_it() {
        let answers = answers(vec![Taken::Never, Taken::Never], "/nowhere/aside.ndjson".into(), 1, 7);
        let ended = answers.ended();
        let unplaced: Vec<_> =
            ended.unplaced.iter().map(|letter| (letter.number, &letter.why, letter.attempts)).collect();
        assert_eq!(unplaced, [(7, &letter(0).why, 1); 2]);
        assert!(ended.acknowledged.is_empty() && ended.dead_lettered.is_empty() && answers.tally.failed.get() == 0);
    }

    #[test]
    fn a_dead_letter_keeps_its_own_headers_and_says_why() {
        let headers = letter(0).all_headers();
        assert_eq!(headers[0], ("own".to_owned(), b"1".to_vec()));
        let class = headers.iter().find(|(name, _)| name == "comboio-class");
        assert_eq!(class.map(|(_, value)| value.as_slice()), Some(&b"too-large"[..]));
        let record = Record { topic: "mt-c400.dlq".into(), headers, ..letter(0).record };
        assert_eq!(DeadLetter::read_back(0, &record, None), letter(0));
    }
}
