//! The last place of a dead letter: a line in the local file.

use super::DeadLetter;
use crate::answers::Answers;
use crate::set_aside::{Bytes, SetAside, SetAsideFile};
use runtime::clock::SharedClock;
use std::sync::Arc;

/// Takes what no other place took, and tells what became of it.
#[derive(Clone)]
pub struct LastPlace {
    pub file: Arc<SetAsideFile>,
    pub answers: Arc<Answers>,
    pub clock: SharedClock,
}

impl LastPlace {
    /// At the end of a run an event that the spool holds stays there, for nobody takes it off the disk any more: the next run writes its letter.
    /// True when this is one.
    pub fn leave(&self, letter: &DeadLetter) -> bool {
        let spooled = self.answers.is_spooled(letter.slot);
        if spooled {
            self.answers.unplaced(letter.slot, &letter.why, letter.attempts);
        }
        spooled
    }

    /// Writes the line; what even the file does not take is counted as failed, or stays in the spool.
    pub fn take(&self, letter: &DeadLetter) {
        match self.file.write(&line(letter, self.clock.wall_ms())) {
            Ok(()) => self.answers.dead_lettered(letter.slot),
            // The file says why.
            Err(_) => self.answers.unplaced(letter.slot, &letter.why, letter.attempts),
        }
    }
}

/// A dead letter as one line of a file or an object.
pub fn line(letter: &DeadLetter, at_ms: i64) -> SetAside<'_> {
    let (record, why) = (&letter.record, &letter.why);
    SetAside {
        at_ms,
        class: why.class.as_str(),
        reason: &why.reason,
        detail: &why.detail,
        topic: Some(&record.topic),
        timestamp_ms: Some(record.timestamp_ms),
        file: None,
        line: None,
        key: Bytes(&record.key),
        value: Bytes(&record.value),
        headers: record.headers.iter().map(|(name, value)| (name.as_str(), Bytes(value))).collect(),
    }
}
