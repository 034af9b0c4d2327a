//! The verdicts of one request as they come in: one place per record, kept outside the steps so that no step can lose them.

use domain::verdict::Verdict;

/// The stable words that stand in `reason` of a verdict; a destination's failure class is the other source of words.
pub mod reason {
    /// No rule of the routes takes the event.
    pub const NO_ROUTE: &str = "no-route";
    /// The lookup file of the event's route does not know it.
    pub const NOT_IN_LOOKUP: &str = "not-in-lookup";
    /// A step panicked on this record.
    pub const PANIC: &str = "panic";
    /// The invocation's time was up.
    pub const DEADLINE: &str = "deadline";
    /// An earlier record of the same key must come first.
    pub const BEHIND_EARLIER: &str = "behind-earlier";
    /// Another invocation has claimed the same event and has not finished.
    pub const CLAIMED: &str = "claimed";
    /// The dedupe store did not answer.
    pub const DEDUPE_STORE: &str = "dedupe-store";
}

/// Details are for people: longer ones are cut, so that a response stays far below Lambda's limit.
const DETAIL_BYTES: usize = 240;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Mark {
    Open,
    /// The same event stands earlier in the request, at this place.
    TwinOf(usize),
    Settled(Verdict),
}

/// One mark per record. A verdict, once given, stays.
#[derive(Debug)]
pub struct Board {
    marks: Vec<Mark>,
}

impl Board {
    /// All open.
    pub fn new(records: usize) -> Self {
        Self { marks: vec![Mark::Open; records] }
    }

    pub fn settle(&mut self, place: usize, verdict: Verdict) {
        if let Some(mark @ Mark::Open) = self.marks.get_mut(place) {
            *mark = Mark::Settled(verdict);
        }
    }

    pub fn reject(&mut self, place: usize, reason: &str, detail: &str) {
        self.settle(place, rejected(reason, detail));
    }

    pub fn retry(&mut self, place: usize, reason: &str, detail: &str) {
        self.settle(place, retry(reason, detail));
    }

    /// The record at `place` holds the same event as the one at `earlier` and shares its fate.
    pub fn twin(&mut self, place: usize, earlier: usize) {
        if let Some(mark @ Mark::Open) = self.marks.get_mut(place) {
            *mark = Mark::TwinOf(earlier);
        }
    }

    /// Whatever is open must come again.
    pub fn close(&mut self, reason: &str, detail: &str) {
        for place in 0..self.marks.len() {
            self.retry(place, reason, detail);
        }
    }

    pub fn is_delivered(&self, place: usize) -> bool {
        matches!(self.marks.get(place), Some(Mark::Settled(Verdict::Delivered)))
    }

    /// Whether it is where it should be, and nobody has to do anything about it.
    pub fn is_finished(&self, place: usize) -> bool {
        matches!(self.verdict(place, ""), Verdict::Delivered | Verdict::Duplicate)
    }

    /// The verdict of every record, in order. What is still open must come again, with `unfinished` as its reason.
    pub fn verdicts(&self, unfinished: &str) -> Vec<Verdict> {
        (0..self.marks.len()).map(|place| self.verdict(place, unfinished)).collect()
    }

    fn verdict(&self, place: usize, unfinished: &str) -> Verdict {
        match self.marks.get(place) {
            Some(Mark::Settled(verdict)) => verdict.clone(),
            // A twin stands behind its original, so this goes down and ends.
            Some(Mark::TwinOf(earlier)) if *earlier < place => match self.verdict(*earlier, unfinished) {
                Verdict::Delivered => Verdict::Duplicate,
                shared => shared,
            },
            _ => retry(unfinished, "not finished in this invocation"),
        }
    }
}

/// A verdict with its detail cut to size.
pub fn rejected(reason: &str, detail: &str) -> Verdict {
    Verdict::Rejected { reason: reason.to_owned(), detail: cut(detail) }
}

/// A verdict with its detail cut to size.
pub fn retry(reason: &str, detail: &str) -> Verdict {
    Verdict::Retry { reason: reason.to_owned(), detail: cut(detail) }
}

fn cut(detail: &str) -> String {
    if detail.len() <= DETAIL_BYTES {
        return detail.to_owned();
    }
    let end = detail.floor_char_boundary(DETAIL_BYTES);
    format!("{}...", &detail[..end])
}

#[cfg(test)]
mod tests {
    use super::{Board, DETAIL_BYTES, reason, rejected, retry};
    use domain::verdict::Verdict;

    #[test]
    fn the_first_verdict_stays_and_what_is_open_comes_again() {
        let mut board = Board::new(3);
        board.settle(0, Verdict::Delivered);
        board.retry(0, reason::PANIC, "late");
        board.reject(1, reason::NO_ROUTE, "x");
        board.settle(9, Verdict::Delivered);
        let open = retry(reason::DEADLINE, "not finished in this invocation");
        assert_eq!(board.verdicts(reason::DEADLINE), vec![Verdict::Delivered, rejected(reason::NO_ROUTE, "x"), open]);
    }

    #[test]
    fn a_twin_shares_the_fate_of_its_original() {
        let mut board = Board::new(6);
        board.settle(0, Verdict::Delivered);
        board.twin(1, 0);
        board.twin(2, 1);
        board.retry(3, reason::CLAIMED, "");
        board.twin(4, 3);
        board.twin(5, 5);
        let verdicts = board.verdicts(reason::DEADLINE);
        assert_eq!(verdicts[1..3], [Verdict::Duplicate, Verdict::Duplicate]);
        assert_eq!(verdicts[4], retry(reason::CLAIMED, ""));
        assert!(matches!(&verdicts[5], Verdict::Retry { .. }));
    }

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        let Verdict::Rejected { detail, .. } = rejected("schema", &"ã".repeat(500)) else { panic!("rejected") };
        assert!(detail.len() <= DETAIL_BYTES + 3 && detail.ends_with("ã..."));
    }
}
