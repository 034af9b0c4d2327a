//! Dead letters of the producer: records that can never be written to their topic, set aside with their reason.
//!
//! *In*: refused records, each still holding its slot, so that their number is bounded. *Out*: a record on `<topic>.dlq` with
//! the original key, value and headers, else a line in the local file. *Never*: silence; what no place takes is counted as failed.

use crate::answers::Answers;
use crate::set_aside::{Bytes, SetAside, SetAsideFile};
use crossbeam_channel::Receiver;
use domain::failure::FailureClass;
use domain::headers::dead_letter as names;
use runtime::clock::SharedClock;
use std::collections::VecDeque;
use std::sync::Arc;

/// A record that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub slot: usize,
    /// The topic that it was meant for.
    pub topic: String,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
    /// The record's own headers.
    pub headers: Vec<(String, Vec<u8>)>,
    pub timestamp_ms: i64,
    pub class: FailureClass,
    pub reason: String,
    pub detail: String,
    /// The dead-letter topic refused it already.
    pub only_file: bool,
}

impl DeadLetter {
    /// All headers of the record on the dead-letter topic: its own, then ours.
    pub fn all_headers(&self) -> Vec<(String, Vec<u8>)> {
        let ours = [
            (names::TOPIC, self.topic.clone()),
            (names::TIMESTAMP, self.timestamp_ms.to_string()),
            (names::ATTEMPTS, "1".to_owned()),
            (names::CLASS, self.class.to_string()),
            (names::REASON, self.reason.clone()),
            (names::DETAIL, self.detail.clone()),
            (names::VERSION, env!("CARGO_PKG_VERSION").to_owned()),
        ];
        let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes()));
        self.headers.iter().cloned().chain(ours).collect()
    }
}

/// What the dead-letter topic said when it was offered a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Its answer comes later.
    Yes,
    /// No room now.
    Later,
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
    file: Arc<SetAsideFile>,
    answers: Arc<Answers>,
    clock: SharedClock,
}

impl<T: DeadLetterTopic> DeadLetters<T> {
    pub fn new(
        inbox: Receiver<DeadLetter>,
        topic: Option<T>,
        file: Arc<SetAsideFile>,
        answers: Arc<Answers>,
        clock: SharedClock,
    ) -> Self {
        Self { inbox, waiting: VecDeque::new(), topic, file, answers, clock }
    }

    /// Brings away what has come in; what finds no room waits for the next call.
    pub fn work(&mut self) {
        self.waiting.extend(self.inbox.try_iter());
        while let Some(letter) = self.waiting.front() {
            let topic = self.topic.as_ref().filter(|_| !letter.only_file);
            match topic.map_or(Taken::Never, |topic| topic.offer(letter)) {
                Taken::Yes => {}
                Taken::Later => return,
                Taken::Never => self.to_file(letter),
            }
            self.waiting.pop_front();
        }
    }

    fn to_file(&self, letter: &DeadLetter) {
        let headers = letter.headers.iter().map(|(name, value)| (name.as_str(), Bytes(value))).collect();
        let line = SetAside {
            at_ms: self.clock.wall_ms(),
            class: letter.class.as_str(),
            reason: &letter.reason,
            detail: &letter.detail,
            topic: Some(&letter.topic),
            timestamp_ms: Some(letter.timestamp_ms),
            file: None,
            line: None,
            key: Bytes(&letter.key),
            value: Bytes(&letter.value),
            headers,
        };
        match self.file.write(&line) {
            Ok(()) => self.answers.dead_lettered(letter.slot),
            Err(error) => {
                tracing::error!(file = %self.file.path().display(), %error, "a dead letter found no place");
                self.answers.failed(letter.slot, "dead letter found no place");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DeadLetter, DeadLetterTopic, DeadLetters, FailureClass, Taken};
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
        DeadLetter {
            slot,
            topic: "mt-c400".into(),
            key: b"k".to_vec(),
            value: b"v".to_vec(),
            headers: vec![("own".into(), b"1".to_vec())],
            timestamp_ms: 5,
            class: FailureClass::TooLarge,
            reason: "message-size-too-large".into(),
            detail: "too large".into(),
            only_file: false,
        }
    }

    /// Two letters against what the topic says; acknowledged elsewhere, so only the file counts here.
    fn counts(script: Vec<Taken>, file: std::path::PathBuf, rounds: usize) -> (u64, u64) {
        let clock = Arc::new(ManualClock::starting_at(9));
        let (in_flight, tally) = (InFlight::new(8), Tally::default());
        let answers = Answers::new(in_flight.clone(), tally.clone(), clock.clone(), Shutdown::new(), false).unwrap();
        let mut slots = Slots::new(in_flight);
        let (sender, inbox) = crossbeam_channel::unbounded();
        for seq in 1..=2 {
            let slot =
                slots.take(Flying { due: Duration::ZERO, series: 0, seq, topic: 0, ticket: Ticket::NONE }).unwrap();
            sender.send(letter(slot)).unwrap();
        }
        let topic = Some(Script(Mutex::new(script)));
        let mut letters = DeadLetters::new(inbox, topic, Arc::new(SetAsideFile::new(file)), Arc::new(answers), clock);
        (0..rounds).for_each(|_| letters.work());
        (tally.dead_lettered.get(), tally.failed.get())
    }

    #[test]
    fn a_full_queue_is_waited_for_and_a_refusal_goes_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aside.ndjson");
        let script = vec![Taken::Later, Taken::Yes, Taken::Never];
        assert_eq!(counts(script, path.clone(), 2), (1, 0));
        let line: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!((line["topic"].as_str(), line["class"].as_str()), (Some("mt-c400"), Some("too-large")));
    }

    #[test]
    fn what_no_place_takes_is_counted_as_failed() {
        let script = vec![Taken::Never, Taken::Never];
        assert_eq!(counts(script, "/nowhere/aside.ndjson".into(), 1), (0, 2));
    }

    #[test]
    fn a_dead_letter_keeps_its_own_headers_and_says_why() {
        let headers = letter(0).all_headers();
        assert_eq!(headers[0], ("own".to_owned(), b"1".to_vec()));
        let class = headers.iter().find(|(name, _)| name == "comboio-class");
        assert_eq!(class.map(|(_, value)| value.as_slice()), Some(&b"too-large"[..]));
    }
}
