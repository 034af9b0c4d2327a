//! A dead-letter topic in memory that may be down.

use super::lasting;
use consumer::dead_letter::{DeadLetter, DeadLetters, Unacknowledged};
use domain::failure::FailureClass;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Default)]
struct Topic {
    down: bool,
    letters: Vec<DeadLetter>,
}

/// A topic in memory; clones are the same topic.
#[derive(Clone, Default)]
pub struct FakeLetters(Arc<Mutex<Topic>>);

impl FakeLetters {
    pub fn down(&self, down: bool) {
        self.0.lock().unwrap().down = down;
    }

    pub fn all(&self) -> Vec<DeadLetter> {
        self.0.lock().unwrap().letters.clone()
    }
}

impl DeadLetters for FakeLetters {
    async fn send(&self, letters: Vec<DeadLetter>) -> Result<(), Unacknowledged> {
        lasting(Duration::from_millis(10)).await;
        let mut topic = self.0.lock().unwrap();
        if topic.down {
            return Err(Unacknowledged { letters, class: FailureClass::Transient, detail: "down".into() });
        }
        topic.letters.extend(letters);
        Ok(())
    }
}
