//! Records that are sent together, and how a batch is cut into them.

use crate::pulse::Mark;
use crate::suspect::{Blame, Suspect};
use domain::contract::OpenBatch;
use std::collections::VecDeque;
use std::ops::Range;

/// Neighbours of one batch.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) records: OpenBatch,
    /// Calls that they were part of.
    pub(super) attempts: u32,
    /// Failures in a row; a verdict or a cut ends the row.
    pub(super) failures: u32,
    /// What is held against them, by earlier owners too.
    pub(super) blame: Blame,
    /// Function errors at just these records.
    pub(super) errors: u32,
    /// When the last function error was that they were part of.
    pub(super) mark: Option<Mark>,
}

impl Piece {
    /// Records that were part of so many calls, and of which no call has failed since.
    pub(super) fn new(records: OpenBatch, attempts: u32, blame: Blame) -> Self {
        Self { records, attempts, failures: 0, blame, errors: 0, mark: None }
    }

    /// Some of the records, with the past of all.
    pub(super) fn part(&self, positions: Range<usize>) -> Self {
        Self { records: self.records.part(positions), errors: 0, ..*self }
    }

    /// An owner before us has decided that it becomes a dead letter, and went before Kafka had that.
    pub(super) fn is_condemned(&self) -> bool {
        self.blame.condemned && self.records.len() == 1
    }

    /// What the next owner must know of it.
    pub(super) fn suspect(&self) -> Option<Suspect> {
        let (first, last) = self.records.first().zip(self.records.last())?;
        (self.blame.failures > 0).then_some(Suspect { first, last, blame: self.blame })
    }

    /// Two halves in order, each with the past of the whole; or itself, when it is one record.
    pub(super) fn halves(self) -> Vec<Self> {
        let Some((first, second)) = self.records.split() else { return vec![self] };
        let half = |records| Self { records, failures: 0, errors: 0, ..self };
        vec![half(first), half(second)]
    }
}

/// The pieces of a batch: what failed together before `inherited` stays together, apart from the rest. Beside them the records that an owner
/// before us has set aside: there is nothing left to do for them.
pub(super) fn cut(records: OpenBatch, suspects: &[Suspect], inherited: Mark) -> (VecDeque<Piece>, Vec<Suspect>) {
    let piece = |records, blame: Blame| {
        let mark = (blame.failures > 0).then_some(inherited);
        Piece { mark, ..Piece::new(records, blame.failures, blame) }
    };
    if records.is_empty() {
        return Default::default();
    }
    if suspects.is_empty() {
        return (VecDeque::from([piece(records, Blame::default())]), Vec::new());
    }
    let of = |offset| suspects.iter().position(|suspect| suspect.holds(offset));
    let places: Vec<Option<usize>> = records.offsets().map(of).collect();
    let (mut start, mut pieces, mut aside) = (0, VecDeque::new(), Vec::new());
    for run in places.chunk_by(|a, b| a == b) {
        let part = records.part(start..start + run.len());
        start += run.len();
        match run[0].map(|at| suspects[at]) {
            Some(suspect) if suspect.is_set_aside() => aside.extend(part.offsets().map(Suspect::set_aside)),
            suspect => pieces.push_back(piece(part, suspect.map_or(Blame::default(), |suspect| suspect.blame))),
        }
    }
    (pieces, aside)
}

#[cfg(test)]
mod tests {
    use super::{Piece, cut};
    use crate::pulse::Signs;
    use crate::suspect::{Blame, Suspect};
    use domain::contract::{BatchHead, OpenBatch};
    use domain::offset::Offset;
    use std::time::Duration;

    fn batch(offsets: &[i64]) -> OpenBatch {
        let head = BatchHead {
            group: "g".into(),
            topic: "t".into(),
            partition: 0,
            lane: 0,
            lanes: 1,
            epoch: 0,
            log: None,
            since: None,
        };
        let mut batch = OpenBatch::new(head, 100_000);
        offsets.iter().for_each(|offset| {
            batch.push(Offset(*offset), 0, b"{}");
        });
        batch
    }

    fn shown(piece: &Piece) -> (Vec<i64>, u32, u32) {
        (piece.records.offsets().map(|offset| offset.0).collect(), piece.blame.failures, piece.attempts)
    }

    #[test]
    fn a_batch_is_cut_where_a_suspect_begins_and_ends() {
        let suspect = |first, last, failures| Suspect {
            first: Offset(first),
            last: Offset(last),
            blame: Blame { failures, proofs: 1, ..Blame::default() },
        };
        let suspects = [suspect(3, 6, 4), suspect(7, 7, 9), Suspect::set_aside(Offset(8)), suspect(99, 99, 0)];
        let mark = Signs::inherited(Duration::ZERO);
        let (pieces, aside) = cut(batch(&[1, 2, 4, 6, 7, 8, 9]), &suspects, mark);
        assert_eq!(aside, [Suspect::set_aside(Offset(8))]);
        let pieces: Vec<_> = pieces.iter().map(shown).collect();
        assert_eq!(pieces, [(vec![1, 2], 0, 0), (vec![4, 6], 4, 4), (vec![7], 9, 9), (vec![9], 0, 0)]);
        assert_eq!(cut(batch(&[1, 2]), &[], mark).0.iter().map(shown).collect::<Vec<_>>(), [(vec![1, 2], 0, 0)]);
        assert!(cut(batch(&[]), &suspects, mark).0.is_empty());
    }

    #[test]
    fn halves_keep_their_past_and_one_record_stays_whole() {
        let (blame, mark) = (Blame { failures: 2, proofs: 1, ..Blame::default() }, Signs::inherited(Duration::ZERO));
        let whole = Piece { failures: 3, errors: 2, mark: Some(mark), ..Piece::new(batch(&[1, 2, 3]), 5, blame) };
        let halves = whole.halves();
        assert_eq!(halves.iter().map(shown).collect::<Vec<_>>(), [(vec![1], 2, 5), (vec![2, 3], 2, 5)]);
        assert!(halves.iter().all(|half| (half.failures, half.errors, half.mark) == (0, 0, Some(mark))));
        let alone = halves.into_iter().next().unwrap().halves();
        assert_eq!((alone.len(), alone[0].suspect()), (1, Some(Suspect { first: Offset(1), last: Offset(1), blame })));
    }
}
