//! Dead letters on their way to S3, as many in one object as come within a moment.
//!
//! *In*: dead letters, each still holding its slot. *Out*: objects, else lines in the local file. *Never*: counts a letter as
//! kept before a place has it, or lets the polling thread wait for S3.

use super::DeadLetter;
use super::last_place::{LastPlace, line};
use crate::set_aside_objects::SetAsideObjects;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the first letter of an object waits for others.
const GATHER: Duration = Duration::from_secs(1);
/// The most letters of one object.
const MOST: usize = 1_000;

/// The thread that writes the objects; ends, with everything written, when this is dropped.
pub struct Shipping {
    /// `None` only while it is dropped.
    letters: Option<Sender<DeadLetter>>,
    thread: Option<JoinHandle<()>>,
}

impl Shipping {
    /// # Errors
    /// The operating system gives no thread.
    pub fn start(objects: SetAsideObjects, last: LastPlace) -> std::io::Result<Self> {
        // Bounded by the slots that the letters hold.
        let (letters, inbox) = crossbeam_channel::unbounded();
        let work = move || {
            while let Some(gathered) = gather(&inbox, &last) {
                write(&objects, &last, &gathered);
            }
        };
        let thread = std::thread::Builder::new().name("dead-letters".into()).spawn(work)?;
        Ok(Self { letters: Some(letters), thread: Some(thread) })
    }

    /// Takes the letter; gives it back when the thread is gone.
    pub(super) fn take(&self, letter: DeadLetter) -> Option<DeadLetter> {
        match &self.letters {
            Some(letters) => letters.send(letter).err().map(|refused| refused.0),
            None => Some(letter),
        }
    }
}

impl Drop for Shipping {
    fn drop(&mut self) {
        self.letters = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the dead letters ended with a panic");
        }
    }
}

/// The letters of the next object; `None` when no more will come.
fn gather(inbox: &Receiver<DeadLetter>, last: &LastPlace) -> Option<Vec<DeadLetter>> {
    let mut gathered = vec![inbox.recv().ok()?];
    let until = last.clock.now() + GATHER;
    while gathered.len() < MOST {
        match inbox.recv_timeout(until.saturating_sub(last.clock.now())) {
            Ok(letter) => gathered.push(letter),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
    }
    Some(gathered)
}

fn write(objects: &SetAsideObjects, last: &LastPlace, gathered: &[DeadLetter]) {
    let now_ms = last.clock.wall_ms();
    let lines: Vec<_> = gathered.iter().map(|letter| line(letter, now_ms)).collect();
    match objects.write(&lines, now_ms) {
        Ok(object) => {
            tracing::warn!(%object, letters = lines.len(), "dead letters are on S3");
            gathered.iter().for_each(|letter| last.answers.dead_lettered(letter.slot));
        }
        Err(error) => {
            tracing::error!(%error, letters = lines.len(), "S3 does not take dead letters, they go to the local file");
            gathered.iter().for_each(|letter| last.take(letter));
        }
    }
}
