//! The dead-letter topic of all members: takes letters by its mood, and looks at every one.

use crate::lasting;
use crate::log::Kind;
use crate::rules::ATTEMPTS;
use crate::step::Mood;
use crate::truth::{Shared, Truth};
use consumer::dead_letter::{DeadLetter, DeadLetters, Unacknowledged};
use domain::failure::FailureClass;
use std::time::Duration;

/// As one member sees it.
pub struct Topic {
    pub truth: Shared,
    pub member: u64,
}

impl DeadLetters for Topic {
    async fn send(&self, letters: Vec<DeadLetter>) -> Result<(), Unacknowledged> {
        self.truth.breathe(self.member).await;
        let (tenures, slow) = {
            let mut truth = self.truth.see();
            let tenure = |letter: &DeadLetter| truth.look_at_letter(self.member, letter);
            (letters.iter().map(tenure).collect::<Vec<_>>(), truth.mood == Mood::Slow)
        };
        lasting(Duration::from_millis(if slow { 700 } else { 10 })).await;
        self.truth.breathe(self.member).await;
        let mut truth = self.truth.see();
        let taken = match truth.mood {
            Mood::Up | Mood::Slow => letters.len(),
            Mood::Half => letters.len().div_ceil(2),
            Mood::Down | Mood::Silent => 0,
        };
        for (tenure, letter) in tenures.iter().zip(&letters).take(taken) {
            truth.acknowledge(*tenure, letter);
        }
        if taken == letters.len() {
            return Ok(());
        }
        truth.note("a letter is not acknowledged");
        let letters = letters[taken..].to_vec();
        Err(Unacknowledged { letters, class: FailureClass::Transient, detail: "down".into() })
    }
}

impl Truth {
    /// A letter is sent: for the right record, unchanged, and with reason. Gives the tenure that it belongs to.
    fn look_at_letter(&mut self, member: u64, letter: &DeadLetter) -> usize {
        let (offset, partition) = (letter.record.offset.0, usize::try_from(letter.record.at.partition).unwrap());
        let tenure = self.delivering(member, partition);
        let (owner, record) = (&self.tenures[tenure], &self.logs[partition].records[&offset]);
        let failures = owner.failures(offset, record);
        // What is held is set aside when somebody opens it.
        let opened = failures > 0 && self.opened.contains(&member);
        let at_fault = failures >= ATTEMPTS && record.proofs >= 2 || opened || owner.is_condemned(offset, record);
        let deserved = match (letter.class, record.kind) {
            (FailureClass::Rejected, Kind::Rejected | Kind::Unfit) => true,
            (FailureClass::FunctionError, Kind::Poison) => at_fault,
            (FailureClass::FunctionError, Kind::Good | Kind::Rejected) => at_fault && record.accidents > 0,
            _ => false,
        };
        let (same, again) = (
            letter.record.key == record.key && letter.record.value.as_ref() == Some(&record.value),
            owner.finished(offset) || owner.is_aside(offset, record),
        );
        let (kind, class) = (record.kind, letter.class);
        let what = format!("letter of {offset} in partition {partition} ({kind:?}, {class}");
        if class == FailureClass::FunctionError && kind == Kind::Good {
            self.note("a good record fails by accidents alone");
        }
        if !deserved {
            self.blame(format!("{what}, {failures} failures) has no reason"));
        }
        if !same || again {
            self.blame(format!("{what}) is another record's, or is written again"));
        }
        tenure
    }

    fn acknowledge(&mut self, tenure: usize, letter: &DeadLetter) {
        let function_error = letter.class == FailureClass::FunctionError;
        self.note(if function_error { "a record at fault is set aside" } else { "a rejected record is set aside" });
        let (offset, owner) = (letter.record.offset.0, &mut self.tenures[tenure]);
        owner.lettered.insert(offset, function_error);
        self.logs[owner.partition].records.get_mut(&offset).unwrap().letters += 1;
    }
}
