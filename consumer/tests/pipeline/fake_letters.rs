//! A dead-letter topic in memory that may be down.

use super::lasting;
use consumer::dead_letter::{DeadLetter, DeadLetters, Unacknowledged};
use domain::failure::FailureClass;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Default)]
struct Topic {
    down: bool,
    /// Down although the others are not.
    only: Option<String>,
    letters: Vec<DeadLetter>,
}

/// A topic in memory; clones are the same topic.
#[derive(Clone, Default)]
pub struct FakeLetters(Arc<Mutex<Topic>>);

impl FakeLetters {
    pub fn down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    /// This topic alone is down, or none.
    pub fn only_down(&self, topic: Option<&str>) {
        self.0.lock().unwrap().only = topic.map(str::to_owned);
    }

    pub fn all(&self) -> Vec<DeadLetter> {
        self.0.lock().unwrap().letters.clone()
    }
}

impl DeadLetters for FakeLetters {
    async fn send(&self, letters: Vec<DeadLetter>) -> Result<(), Unacknowledged> {
        lasting(Duration::from_millis(10)).await;
        let mut topic = self.0.lock().unwrap();
        if topic.down || letters.iter().any(|letter| topic.only.as_ref() == Some(&letter.topic())) {
            return Err(Unacknowledged { letters, class: FailureClass::Transient, detail: "down".into() });
        }
        topic.letters.extend(letters);
        Ok(())
    }
}
